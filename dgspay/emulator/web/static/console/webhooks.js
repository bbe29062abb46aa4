/** The tab "Webhooks": where they go, how the next ones go wrong, and what was delivered. */

import { number } from "../amounts.js";
import * as rows from "./rows.js";
import { h, list } from "../dom.js";
import { block, showDialog, shower } from "./details.js";
import { $, act, countText, isNew, onSubmit, part } from "./page.js";

export const id = "webhooks";

const resend = (delivery) => act("POST", `/deliveries/${delivery}/resend`);

export function render(state) {
  part("#delivery-rows", state.deliveries, (all) => list(
    all, (delivery) => rows.delivery(delivery, { resend, showDelivery }), "No events yet."));
  part("#mode-rows", state.modes, (all) => all.map(rows.mode));
  $("#clear-modes").hidden = state.modes.length === 0;
  $("#deliveries-count").textContent = countText(state.deliveries.length, state.deliveries_total);
  showTarget(state.webhook_url ?? "");
}

export function bind() {
  isNew("#target", "");
  onSubmit("#target-form", () => act(
    "POST", "/options", { webhook_url: $("#target").value.trim() }, $("#target-problem")));
  onSubmit("#mode-form", () => act("POST", "/webhooks", {
    mode: $("#mode").value,
    times: number($("#mode-times").value),
    ...($("#mode").value === "delay" && { seconds: number($("#mode-seconds").value) }),
  }, $("#mode-problem")));
  $("#mode").addEventListener("change", arrangeForm);
  $("#clear-modes").addEventListener("click", () => act("DELETE", "/webhooks"));
  arrangeForm();
}

/** Show where the events go when that has changed: what is being entered is not overwritten. */
function showTarget(url) {
  if (isNew("#target", url) && document.activeElement !== $("#target")) $("#target").value = url;
}

function arrangeForm() {
  $("#mode-seconds").closest("label").hidden = $("#mode").value !== "delay";
  if ($("#mode").value === "reorder" && $("#mode-times").value === "1") $("#mode-times").value = "2";
}

const showDelivery = shower("deliveries", (delivery) => {
  const tries = delivery.attempts.flatMap((attempt) => [
    h("p", {}, `${attempt.at}  ${attempt.status ?? attempt.error}`),
    ...(attempt.warning ? [h("p", { class: "warning" }, attempt.warning)] : []),
    ...(attempt.answer ? [h("pre", {}, attempt.answer)] : []),
  ]);
  showDialog(
    `${delivery.event} ${delivery.reference}`,
    h("h3", {}, "Attempts"),
    ...(tries.length > 0 ? tries : [h("p", { class: "soft" }, "None yet.")]),
    ...block("Body", delivery.body),
    ...block("Headers", Object.entries(delivery.headers).map((pair) => pair.join(": ")).join("\n")),
  );
});

/** The tab "Webhooks": where they go, how the next ones go wrong, and what was delivered. */

import { number } from "../amounts.js";
import { h } from "../dom.js";
import { block, showDetails, shower } from "./details.js";
import { $, act, isNew, onSubmit, part, toast } from "./page.js";
import * as rows from "./rows.js";
import { currentView } from "./view.js";

export const id = "webhooks";
export const title = "Webhooks";

const resend = (delivery) => act("POST", `/deliveries/${delivery}/resend`);

export const list = {
  key: (delivery) => String(delivery.id),
  draw: (delivery) => rows.delivery(delivery, { resend, showDelivery }),
  nothing: "No events yet.",
  notFound: "No event is like that.",
};

export function render(state) {
  part("#mode-rows", state.modes, (all) => all.map(rows.mode));
  $("#mode-rows").hidden = $("#clear-modes").hidden = state.modes.length === 0;
  const url = state.webhook_url ?? "";
  $("#inbox").hidden = url !== "";
  $("#webhooks-list-title").textContent = url ? "Events" : "Inbox";
  if (state.list?.name === id) {
    $("#resend-found").hidden = !state.list.rows.some((delivery) => delivery.url);
  }
  // What is being entered is not overwritten.
  if (isNew("#target", url) && document.activeElement !== $("#target")) $("#target").value = url;
}

export function bind() {
  isNew("#target", "");
  onSubmit("#target-form", (form) => act(
    "POST", "/options", { webhook_url: $("#target").value.trim() }, form));
  $("#send-test").addEventListener("click", async () => {
    if (await act("POST", "/webhooks/test")) toast("A payment.success of dgs_000000000 is on its way");
  });
  $("#resend-found").addEventListener("click", async () => {
    const { search, status } = currentView();
    const answer = await act("POST", "/deliveries/resend", { search, status });
    if (answer) toast(`${answer.resent.toLocaleString("en")} webhooks are on their way again`);
  });
  onSubmit("#mode-form", (form) => act("POST", "/webhooks", {
    mode: $("#mode").value,
    times: number($("#mode-times").value),
    ...($("#mode").value === "delay" && { seconds: number($("#mode-seconds").value) }),
  }, form));
  $("#mode").addEventListener("change", arrangeForm);
  $("#clear-modes").addEventListener("click", () => act("DELETE", "/webhooks"));
  arrangeForm();
}

function arrangeForm() {
  $("#mode-seconds").closest("label").hidden = $("#mode").value !== "delay";
  if ($("#mode").value === "reorder" && $("#mode-times").value === "1") $("#mode-times").value = "2";
}

export const showDelivery = shower("deliveries", (delivery) => {
  const tries = delivery.attempts.flatMap((attempt) => [
    h("p", {}, `${attempt.at}  ${attempt.status ?? attempt.error}`),
    ...(attempt.warning ? [h("p", { class: "warning" }, attempt.warning)] : []),
    ...(attempt.answer ? [h("pre", { tabindex: "0", role: "region",
      "aria-label": `Answer of ${attempt.at}` }, attempt.answer)] : []),
  ]);
  showDetails(
    `${delivery.event} ${delivery.reference}`,
    h("h3", {}, "Attempts"),
    ...(tries.length > 0 ? tries : [h("p", { class: "soft" }, "None yet.")]),
    ...block("Body", delivery.body),
    ...block("Headers", Object.entries(delivery.headers).map((pair) => pair.join(": ")).join("\n")),
  );
});

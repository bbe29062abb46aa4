/** The drawer of one payment: what it is, what happened to it, and what was said about it. */

import { h } from "../dom.js";
import { openDialog } from "./dialogs.js";
import { $, ask, decide, NotThere, part } from "./page.js";
import { showRequest } from "./requests.js";
import * as rows from "./rows.js";
import { addressOf, changeView, currentView } from "./view.js";
import { showDelivery } from "./webhooks.js";

export function bindPayment(look) {
  $("#payment").addEventListener("close", () => {
    changeView({ payment: "" });
    look();
  });
}

/** Show the payment that the address names, as it is now; or none. */
export async function renderPayment() {
  const { payment: reference } = currentView();
  if (!reference) {
    if ($("#payment").open) $("#payment").close();
    return;
  }
  let payment = null;
  try {
    payment = await ask("GET", `/payments/${encodeURIComponent(reference)}`);
  } catch (error) {
    if (!(error instanceof NotThere)) throw error;
  }
  if (currentView().payment !== reference) return;
  part("#payment-body", [reference, payment], () => (payment
    ? content(payment) : [h("p", { class: "empty" }, "There is no such payment any more.")]));
  if (!$("#payment").open) openDialog("payment", payment ? "Payment" : reference);
}

function content(payment) {
  const { amount, currency, fee, net, link } = payment;
  const money = (sum) => rows.amountText(sum, currency);
  return [
    h("div", { class: "payment-head" }, h("p", { class: "big" }, money(amount)),
      rows.tag(payment.status)),
    ...(payment.status === "pending"
      ? [h("div", { class: "row-actions" }, ...rows.decisions(payment, decide))] : []),
    facts({
      Payer: payment.payer,
      Email: payment.email,
      Method: rows.byWhom(payment),
      Narration: payment.narration,
      Reason: payment.reason,
      Fee: fee === null ? null : money(fee),
      Net: net === null ? null : money(net),
      Link: link && h("a", { href: addressOf({ tab: "links", search: link.id, status: "",
        payment: "", count: 0 }) }, link.title),
      "DGS-Pay reference": h("code", {}, payment.reference),
      "Flutterwave reference": h("code", {}, payment.flw_reference),
      Created: `${payment.at} UTC`,
      "Callback URL": payment.callback_url,
    }),
    h("h3", {}, "Timeline"),
    h("ol", { class: "timeline" }, ...payment.timeline.map(({ at, what, kind }) => h(
      "li", { class: kind }, h("p", {}, what), h("p", { class: "soft small-text" }, at)))),
    ...section("Webhooks", payment.deliveries, (each) => rows.delivery(
      each, { showDelivery, resend: null }), "No event yet: it is sent when the payment ends."),
    ...section("Requests", payment.requests, (each) => rows.request(each, showRequest),
      "No request named it, or it is no longer among the latest."),
  ];
}

function facts(pairs) {
  const given = Object.entries(pairs).filter(([, value]) => value);
  return h("dl", { class: "facts" }, ...given.map(([name, value]) => h(
    "div", {}, h("dt", {}, name), h("dd", {}, value))));
}

const section = (heading, all, draw, nothing) => [
  h("h3", {}, heading),
  all.length > 0 ? h("ul", { class: "rows" }, ...all.map(draw)) : h("p", { class: "soft" }, nothing),
];

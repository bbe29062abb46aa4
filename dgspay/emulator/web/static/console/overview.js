/** The tab "Overview": balances, what waits for a person, and the latest events. */

import { amountText } from "../amounts.js";
import * as rows from "./rows.js";
import { h, list } from "../dom.js";
import { $, badge, copy, countText, decide, part } from "./page.js";

export const id = "overview";

export function render(state) {
  // Rwandan francs first: payouts come out of them.
  const balances = [...state.balances].sort((one, other) => (
    Number(other.currency === "RWF") - Number(one.currency === "RWF")));
  part("#balances", balances, (all) => all.map(rows.balance));
  part("#handsets", state.pending, (all) => (all.length > 0
    ? all.map((payment) => rows.handset(payment, decide))
    : [h("p", { class: "empty" }, "No payment waits for a payer. Start a charge, or pay a link.")]));
  part("#latest", latest(state), (all) => list(all, rows.news, "Nothing has happened yet."));
  part("#env", [state.api, state.account], () => [environment(state)]);
  $("#pending-count").textContent = state.pending_total > state.pending.length
    ? countText(state.pending.length, state.pending_total) : state.pending_total || "";
  badge(id, state.pending_total);
}

export function bind() {
  $("#copy-env").addEventListener("click", () => copy($("#env").textContent));
}

/** Events of all kinds, the newest first. */
function latest(state) {
  const paid = state.latest.map((payment) => ({
    at: payment.at, what: `${payment.payer} · ${payment.reference}`, status: payment.status,
    money: amountText(payment.amount, payment.currency) }));
  const sent = state.disbursements.map((transfer) => ({
    at: transfer.at, what: `To ${transfer.name ?? transfer.to} · ${transfer.reference}`,
    status: transfer.status, money: `−${amountText(transfer.amount, transfer.currency)}` }));
  return [...paid, ...sent].sort((one, other) => other.at.localeCompare(one.at)).slice(0, 8);
}

function environment(state) {
  return [
    "export DGSPAY_ENVIRONMENT=emulator",
    `export DGSPAY_BASE_URL=${state.api}`,
    `export DGSPAY_API_KEY=${state.api_key}`,
    `export DGSPAY_ACCOUNT_NUMBER=${state.account}`,
    `export DGSPAY_WEBHOOK_SECRET=${state.webhook_secret}`,
  ].join("\n");
}

/** The tab "Overview": balances, what is pending, and the latest events. */

import { list } from "../dom.js";
import { liveRows } from "./live_rows.js";
import { $, act, badge, copy, currentAccount, decide, part, toast } from "./page.js";
import * as rows from "./rows.js";

export const id = "overview";
export const title = "Overview";

export function render(state) {
  // Rwandan francs first: payouts come out of them.
  const balances = [...state.balances].sort((one, other) => (
    Number(other.currency === "RWF") - Number(one.currency === "RWF")));
  part("#balances", balances, (all) => all.map(rows.balance));
  liveRows($("#handsets"), {
    rows: state.pending,
    key: (payment) => payment.reference,
    draw: (payment) => rows.handset(payment, decide),
    view: currentAccount() ?? "",
  });
  $("#handsets-empty").hidden = state.pending.length > 0;
  part("#latest", latest(state), (all) => list(all, rows.news, "Nothing has happened yet."));
  part("#env", [state.api, state.account], () => [environment(state)]);
  const [shown, total] = [state.pending.length, state.pending_total];
  part("#pending-count", [shown, total], () => [
    shown < total ? `the newest ${shown} of ${total.toLocaleString("en")}` : String(total || "")]);
  $("#approve-all").hidden = total < 2;
  badge(id, total);
}

export function bind() {
  $("#copy-env").addEventListener("click", () => copy($("#env").textContent));
  $("#approve-all").addEventListener("click", async () => {
    const answer = await act("POST", "/approve-all");
    if (answer) toast(`${answer.approved.toLocaleString("en")} payments were approved`);
  });
}

/** Events of all kinds, the newest first. */
function latest(state) {
  const paid = state.latest.map((payment) => ({
    at: payment.at, what: `${payment.payer} · ${payment.reference}`, status: payment.status,
    money: rows.amountText(payment.amount, payment.currency) }));
  const sent = state.latest_payouts.map((transfer) => ({
    at: transfer.at, what: `To ${transfer.name ?? transfer.to} · ${transfer.reference}`,
    status: transfer.status, money: `−${rows.amountText(transfer.amount, transfer.currency)}` }));
  return [...paid, ...sent].sort((one, other) => other.at.localeCompare(one.at)).slice(0, 8);
}

function environment(state) {
  return [
    "export DGSPAY_ENVIRONMENT=emulator",
    `export DGSPAY_BASE_URL=${state.api}`,
    `export DGSPAY_API_KEY=${state.api_key}`,
    `export DGSPAY_ACCOUNT_NUMBER=${state.account}`,
    `export DGSPAY_WEBHOOK_SECRET=${state.webhook_secret}`,
    `export DGSPAY_ENCRYPTION_KEY=${state.encryption_key}`,
  ].join("\n");
}

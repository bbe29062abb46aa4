/** The tab "Payouts": disbursements, and how they end. */

import * as rows from "./rows.js";
import { list } from "../dom.js";
import { $, countText, decide, part } from "./page.js";

export const id = "payouts";

export function render(state) {
  part("#payout-rows", state.disbursements, (all) => list(
    all, (transfer) => rows.payout(transfer, decide), "No money has left the wallet."));
  $("#payouts-count").textContent = countText(
    state.disbursements.length, state.disbursements_total);
}

export function bind() {}

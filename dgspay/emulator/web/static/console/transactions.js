/** The tab "Transactions": payments and conversions. */

import * as rows from "./rows.js";
import { list } from "../dom.js";
import { $, countText, decide, part } from "./page.js";

export const id = "transactions";

export function render(state) {
  part("#transaction-rows", state.transactions, (all) => list(
    all, rows.transaction,
    $("#find").value ? "No payment is like that." : "No payment has been made yet."));
  part("#conversion-rows", state.conversions, (all) => list(
    all, (conversion) => rows.conversion(conversion, decide), "Nothing was converted."));
  $("#transactions-count").textContent = countText(
    state.transactions.length, state.transactions_total);
}

export function bind(look) {
  $("#find").addEventListener("input", look);
}

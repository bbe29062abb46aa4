/** The tab "Conversions": money of the wallet from one currency to another. */

import { number } from "../amounts.js";
import { closeDialog } from "./dialogs.js";
import { $, act, badge, decide, fieldsOf, onSubmit, toast } from "./page.js";
import * as rows from "./rows.js";

export const id = "conversions";
export const title = "Conversions";

export const list = {
  key: (conversion) => conversion.reference,
  draw: (conversion) => rows.conversion(conversion, decide),
  nothing: "Nothing was converted.",
  notFound: "No conversion is like that.",
};

export const render = (state) => badge(id, state.open_conversions);

export function bind() {
  const form = $("#conversion-form");
  $("#preview-conversion").addEventListener("click", async () => {
    const terms = await convert(form, "preview");
    $("#conversion-preview").textContent = terms ? `${
      rows.amountText(terms.from_amount, terms.from_currency)} would become ${
      rows.amountText(terms.to_amount, terms.to_currency)}: ${terms.rate_display}.` : "";
  });
  onSubmit("#conversion-form", async () => {
    const answer = await convert(form, "convert");
    if (!answer) return;
    form.reset();
    $("#conversion-preview").textContent = "";
    closeDialog("conversion");
    toast(`${answer.dgs_conversion_ref} was begun`);
  });
}

function convert(form, action) {
  const { from_amount: amount, ...currencies } = fieldsOf(form);
  const sum = amount ? { from_amount: number(amount, currencies.from_currency) } : {};
  return act("POST", "/conversions", { action, ...currencies, ...sum }, form);
}

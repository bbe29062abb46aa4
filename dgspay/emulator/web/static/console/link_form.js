/** The form for a new payment link: from its fields to the body of the request. */

import { number } from "../amounts.js";

/** What the API is sent: a field left as it was is left out. @param {HTMLFormElement} form */
export function linkFields(form) {
  const fields = {};
  for (const input of form.querySelectorAll("[data-field]")) {
    const { field } = input.dataset;
    if (input.type === "checkbox") {
      if (input.checked !== input.defaultChecked) fields[field] = input.checked;
    } else if (input.value.trim() !== "") {
      fields[field] = valueOf(input);
    }
  }
  const types = [...form.querySelectorAll("[name=link-type]")];
  if (types.some((type) => !type.checked)) {
    fields.payment_types = types.filter((type) => type.checked).map((type) => type.value);
  }
  return { ...fields, amount_type: fields.amount === undefined ? "flexible" : "fixed" };
}

function valueOf(input) {
  if (input.inputMode) {
    return number(input.value.trim(), input.form.querySelector("[data-field=currency]").value);
  }
  // The emulator's time is UTC, and so is what is entered.
  if (input.type === "datetime-local") return `${input.value.replace("T", " ").slice(0, 16)}:00`;
  return input.value.trim();
}

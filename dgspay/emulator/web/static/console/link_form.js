/** The form for a payment link: from its fields to the body of a request, and back. */

import { number } from "../amounts.js";

/** What the API is sent for a new link: a field left as it was is left out. */
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

/** What the API is sent for a link that is edited: what differs, and null for what was emptied. */
export function changedFields(form, link) {
  const changed = {};
  for (const input of form.querySelectorAll("[data-field]")) {
    const { field } = input.dataset;
    if (written(input) === input.dataset.before) continue;
    changed[field] = input.type === "checkbox" ? input.checked
      : input.value.trim() === "" ? null : valueOf(input);
  }
  const types = [...form.querySelectorAll("[name=link-type]:checked")].map((type) => type.value);
  if (types.join() !== typesOf(form, link).join()) changed.payment_types = types;
  if ("amount" in changed) changed.amount_type = changed.amount === null ? "flexible" : "fixed";
  return changed;
}

/** Fill the form with a link, or with nothing for a new one. */
export function fillForm(form, link) {
  form.reset();
  form.querySelector("details").open = link !== null;
  for (const input of form.querySelectorAll("[data-field]")) {
    const value = link?.[input.dataset.field];
    if (value !== null && value !== undefined) {
      if (input.type === "checkbox") input.checked = value;
      else if (input.type === "datetime-local") input.value = value.replace(" ", "T").slice(0, 16);
      else input.value = String(value);
    }
    input.dataset.before = written(input);
  }
  const types = link && typesOf(form, link);
  for (const box of form.querySelectorAll("[name=link-type]")) {
    box.checked = !types || types.includes(box.value);
  }
}

const written = (input) => (input.type === "checkbox" ? String(input.checked) : input.value.trim());

/** A link's ways to pay, in the order of the form. */
const typesOf = (form, link) => [...form.querySelectorAll("[name=link-type]")]
  .map((box) => box.value).filter((type) => link.payment_types.includes(type));

function valueOf(input) {
  if (input.inputMode) {
    return number(input.value.trim(), input.form.querySelector("[data-field=currency]").value);
  }
  // The emulator's time is UTC, and so is what is entered.
  if (input.type === "datetime-local") return `${input.value.replace("T", " ").slice(0, 16)}:00`;
  return input.value.trim();
}

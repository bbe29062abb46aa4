/** Writes amounts for people, the same on every page, and reads what they enter. */

/** @param {number} amount @param {string} currency */
export function amountText(amount, currency) {
  const places = Number.isInteger(amount) ? 0 : 2;
  return `${amount.toLocaleString("en", { minimumFractionDigits: places })} ${currency}`;
}

/** A number field's value; text that is no number is sent as it is, to be rejected by name. */
export function number(text) {
  const plain = text.replaceAll(/[\s,]/g, "");
  return plain !== "" && Number.isFinite(Number(plain)) ? Number(plain) : text;
}

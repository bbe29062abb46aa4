/** Writes amounts for people, the same on every page. */

/** @param {number} amount @param {string} currency */
export function amountText(amount, currency) {
  const places = Number.isInteger(amount) ? 0 : 2;
  return `${amount.toLocaleString("en", { minimumFractionDigits: places })} ${currency}`;
}

/** Writes amounts for people, the same on every page, and reads what they enter. */

import { parseAmount } from "./dgspay-amounts.js";

/** @param {number} amount @param {string} currency */
export function amountText(amount, currency) {
  const places = Number.isInteger(amount) ? 0 : 2;
  return `${amount.toLocaleString("en", { minimumFractionDigits: places })} ${currency}`;
}

/**
 * A number field's value; text that is no number, or could be two, is sent as it is, to be rejected
 * by name: `10,50` is ten and a half, and `1,050` of a currency with cents has no value.
 * @param {string} text @param {string} [currency]
 */
export function number(text, currency = "USD") {
  const { amount } = parseAmount(text, currency);
  return amount === null ? text : Number(amount);
}

/**
 * Writes amounts for people, and reads what they enter without ever guessing.
 *
 * Amounts are decimal text, as DGS-Pay and the server have them: they never become binary
 * fractions on the way.
 */

/**
 * Write an amount: `15,000 RWF`, `10.50 USD`, `15 000 RWF` in French.
 * @param {string | number} amount
 * @param {string} currency ISO 4217 code.
 * @param {string | string[]} [locale] BCP 47 tags; the browser's own if left out.
 */
export function formatAmount(amount, currency, locale) {
  const written = decimalsOf(String(amount));
  const places = written === 0 && isWhole(currency) ? 0 : Math.max(written, placesOf(currency));
  const format = new Intl.NumberFormat(locale, {
    minimumFractionDigits: places,
    maximumFractionDigits: places,
    useGrouping: true,
  });
  // Engines before 2023 take a number only, which is exact up to 15 digits.
  const text = format.format(/** @type {any} */ (amount));
  // One line: a currency alone on the next one could be anybody's.
  return `${text}\u00a0${currency}`;
}

/**
 * @typedef {{ amount: string, fault: null, readings: [] }
 *   | { amount: null, fault: "missing" | "not_a_number" | "too_fine", readings: [] }
 *   | { amount: null, fault: "ambiguous", readings: string[] }} ReadAmount
 *   The amount as decimal text, or what is wrong with it: `ambiguous` has two readings to ask
 *   about, `too_fine` more decimals than the currency has.
 */

/**
 * Read an amount that a person has entered. A comma never multiplies money: `10,50` is ten and a
 * half in any language, and `1,050` of a currency with cents may be both, so it has no value.
 * @param {string} text
 * @param {string} currency ISO 4217 code.
 * @returns {ReadAmount}
 */
export function parseAmount(text, currency) {
  // Spaces of any width, and apostrophes, stand between thousands only.
  const plain = text.replace(/[\s\u00a0\u202f'\u2019]/g, "");
  if (plain === "") return wrong("missing");
  const marks = plain.replace(/[0-9]/g, "");
  if (!/^[0-9]*([.,][0-9]*)*$/.test(plain) || !/[0-9]/.test(plain)) return wrong("not_a_number");
  if (marks === "") return amountOf(plain, "", currency);
  const last = /** @type {"." | ","} */ (marks.at(-1));
  const isMixed = marks.includes(".") && marks.includes(",");
  if (isMixed || marks.length === 1) {
    const at = plain.lastIndexOf(last);
    const [before, after] = [plain.slice(0, at), plain.slice(at + 1)];
    if (isMixed) {
      const isGrouped = GROUPED.test(before) && !before.includes(last);
      return isGrouped ? amountOf(before.replace(/[.,]/g, ""), after, currency) : wrong("not_a_number");
    }
    if (after.length !== 3 || !/^[1-9][0-9]{0,2}$/.test(before)) {
      return amountOf(before, after, currency);
    }
    if (isWhole(currency)) return amountOf(before + after, "", currency);
    return { amount: null, fault: "ambiguous", readings: [before + after, `${before}.${after}`] };
  }
  return GROUPED.test(plain)
    ? amountOf(plain.replace(/[.,]/g, ""), "", currency)
    : wrong("not_a_number");
}

const GROUPED = /^[0-9]{1,3}(([.,])[0-9]{3}(\2[0-9]{3})*)?$/;

/** @param {string} before @param {string} after @param {string} currency @returns {ReadAmount} */
function amountOf(before, after, currency) {
  const whole = before.replace(/^0+(?=[0-9])/, "") || "0";
  const fraction = after.replace(/0+$/, "");
  if (fraction.length > placesOf(currency)) return wrong("too_fine");
  return { amount: fraction ? `${whole}.${fraction}` : whole, fault: null, readings: [] };
}

/** @param {"missing" | "not_a_number" | "too_fine"} fault @returns {ReadAmount} */
function wrong(fault) {
  return { amount: null, fault, readings: [] };
}

/** @param {string} amount How many decimals it has, without zeros at the end. */
function decimalsOf(amount) {
  return (amount.split(".")[1] ?? "").replace(/0+$/, "").length;
}

/** @param {string} currency */
const isWhole = (currency) => placesOf(currency) === 0;

/** @param {string} currency How many decimals its smallest coin has. */
function placesOf(currency) {
  try {
    const format = new Intl.NumberFormat("en", { style: "currency", currency });
    return format.resolvedOptions().maximumFractionDigits ?? 2;
  } catch {
    return 2;
  }
}

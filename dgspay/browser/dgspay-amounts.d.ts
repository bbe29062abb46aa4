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
export declare function formatAmount(amount: string | number, currency: string, locale?: string | string[]): string;
export type ReadAmount = {
    amount: string;
    fault: null;
    readings: [];
} | {
    amount: null;
    fault: "missing" | "not_a_number" | "too_fine";
    readings: [];
} | {
    amount: null;
    fault: "ambiguous";
    readings: string[];
};
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
export declare function parseAmount(text: string, currency: string): ReadAmount;

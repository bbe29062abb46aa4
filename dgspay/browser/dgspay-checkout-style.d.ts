/**
 * How the checkout looks: it builds on the sheet of the card form, whose variables it uses.
 *
 * Pages may set the variables that begin with `--dgspay-` on the element they mount into.
 */
/** @type {string} */
export declare const CHECKOUT_STYLES: string;

/**
 * The small parts of the checkout: fields with what is wrong with them, choices, buttons, marks.
 */
/** @param {string} name */
export declare function unique(name: string): string;
/** What outlives a reload of this tab; null where the browser is set to keep nothing. */
export declare function storage(): Storage | null;
/** @param {string} words @param {"h2" | "h3"} [level] */
export declare function heading(words: string, level?: "h2" | "h3"): HTMLHeadingElement;
export declare function problemPlace(): HTMLParagraphElement;
/** @param {string} kind @param {string} words @param {() => void} onClick */
export declare function button(kind: string, words: string, onClick: () => void): HTMLButtonElement;
/** @param {HTMLElement} element */
export declare const isBusy: (element: HTMLElement) => boolean;
/** Not `disabled`: it would lose the focus. @param {HTMLElement} element @param {boolean} busy */
export declare function setBusy(element: HTMLElement, busy: boolean): void;
export type Field = {
    element: HTMLElement;
    input: HTMLInputElement | HTMLSelectElement;
    /**
     * Show what is wrong with it, and return whether nothing is.
     */
    check: () => boolean;
};
/**
 * @typedef {object} Field
 * @property {HTMLElement} element
 * @property {HTMLInputElement | HTMLSelectElement} input
 * @property {() => boolean} check Show what is wrong with it, and return whether nothing is.
 *
 * @param {{ label: string, autocomplete: string, fault: (text: string) => string | null,
 *   inputmode?: string, type?: string, placeholder?: string, hint?: string }} design
 * @returns {Field}
 */
export declare function textField({ label, autocomplete, fault, inputmode, type, placeholder, hint }: {
    label: string;
    autocomplete: string;
    fault: (text: string) => string | null;
    inputmode?: string;
    type?: string;
    placeholder?: string;
    hint?: string;
}): Field;
/**
 * @param {string} label @param {HTMLInputElement | HTMLSelectElement} input
 * @param {(text: string) => string | null} fault @param {string} hint
 * @returns {Field}
 */
export declare function fieldOf(label: string, input: HTMLInputElement | HTMLSelectElement, fault: (text: string) => string | null, hint?: string): Field;
/**
 * @param {import("./dgspay-checkout-texts.js").CheckoutTexts} texts @param {string} language
 * @returns {Field}
 */
export declare function countryField(texts: import("./dgspay-checkout-texts.js").CheckoutTexts, language: string): Field;
/**
 * @param {string} legend @param {string} name
 * @param {{ value: string, words: string, icon?: string }[]} options
 * @param {string} [kind] Class of the legend: that of a heading, or unseen beside one.
 */
export declare function choices(legend: string, name: string, options: {
    value: string;
    words: string;
    icon?: string;
}[], kind?: string): HTMLFieldSetElement;
/** @param {HTMLElement} set @returns {string | null} */
export declare function checked(set: HTMLElement): string | null;
/** @param {HTMLElement} set @param {string} value */
export declare function check(set: HTMLElement, value: string): void;
/** @param {string} name */
export declare function iconOf(name: string): SVGSVGElement;
/** @param {string} icon @param {string} [kind] */
export declare function markOf(icon: string, kind?: string): HTMLDivElement;

/**
 * Encrypts cards and PINs for DGS-Pay in the payer's browser, and draws the forms for them.
 *
 *     import { mountCardForm } from "/dgspay/dgspay-card.js";
 *     mountCardForm(document.querySelector("#card"), {
 *       key: "…",                                   // Settings -> API Settings
 *       onEncrypted: async (card) => {
 *         const answer = await fetch("/pay", { method: "POST", body: JSON.stringify(card), … });
 *         if (!answer.ok) throw new Error(`the shop answered ${answer.status}`);
 *       },
 *     });
 *
 * The page gets the encrypted fields and nothing else. The module writes no card data to
 * storage, to the console, to attributes or to text of the document: it stays in the inputs.
 * It needs no inline script and no inline style, so it runs under
 * `Content-Security-Policy: default-src 'none'; script-src 'self'; connect-src 'self'`.
 *
 * The four card fields share one nonce, because that is the vendor's wire format. Equal nonces
 * mean equal key-stream, so treat the encrypted fields like the card itself: send them once,
 * over HTTPS, and log and store them nowhere.
 *
 * One file, so that one integrity hash covers all that ever sees a card number.
 */
export type CardFields = {
    /**
     * 12 to 19 digits; spaces and hyphens between them are fine.
     */
    number: string;
    /**
     * 1 to 12.
     */
    expiryMonth: number | string;
    /**
     * 2028, or its last two digits.
     */
    expiryYear: number | string;
    /**
     * 3 or 4 digits.
     */
    cvv: string;
};
export type EncryptedCard = {
    card_encrypted_number: string;
    card_encrypted_expiry_month: string;
    card_encrypted_expiry_year: string;
    card_encrypted_cvv: string;
    card_nonce: string;
};
export type EncryptedPin = {
    auth_pin_encrypted: string;
    auth_pin_nonce: string;
};
export type EncryptOptions = {
    /**
     * The merchant's encryption key: base64 of 32 bytes.
     */
    key: string;
    /**
     * What nonces are made of; hex is the vendor's.
     */
    alphabet?: "hex" | "alphanumeric";
    /**
     * 12 ASCII characters, for tests only.
     */
    nonce?: string;
};
export type Texts = typeof TEXTS;
export type FormOptions = {
    /**
     * The merchant's encryption key: base64 of 32 bytes.
     */
    key: string;
    alphabet?: "hex" | "alphanumeric";
    /**
     * Other words, or another language.
     */
    texts?: Partial<Texts>;
    /**
     * Colours; `auto` follows the payer's system.
     */
    scheme?: "auto" | "light" | "dark";
    /**
     * The clock that says whether a card has expired.
     */
    now?: () => Date;
    /**
     * Checks the page's other fields and shows what is wrong with
     * them, in the same round as this form's; the form is sent when it returns true.
     */
    alsoCheck?: () => boolean;
    /**
     * Whether the fields stay once they were handed over, for a page
     * that shows the form again after a decline. They are emptied when the form is left or removed.
     */
    keepsFields?: boolean;
};
export type MountedForm = {
    /**
     * Show what is wrong with the fields, and return whether nothing is.
     */
    check: () => boolean;
    /**
     * Move the focus to the first field.
     */
    focus: () => void;
    /**
     * Empty the fields.
     */
    clear: () => void;
    /**
     * Empty the fields and take the form out of the page.
     */
    destroy: () => void;
};
/**
 * @typedef {object} CardFields
 * @property {string} number 12 to 19 digits; spaces and hyphens between them are fine.
 * @property {number | string} expiryMonth 1 to 12.
 * @property {number | string} expiryYear 2028, or its last two digits.
 * @property {string} cvv 3 or 4 digits.
 *
 * @typedef {object} EncryptedCard
 * @property {string} card_encrypted_number
 * @property {string} card_encrypted_expiry_month
 * @property {string} card_encrypted_expiry_year
 * @property {string} card_encrypted_cvv
 * @property {string} card_nonce
 *
 * @typedef {object} EncryptedPin
 * @property {string} auth_pin_encrypted
 * @property {string} auth_pin_nonce
 *
 * @typedef {object} EncryptOptions
 * @property {string} key The merchant's encryption key: base64 of 32 bytes.
 * @property {"hex" | "alphanumeric"} [alphabet] What nonces are made of; hex is the vendor's.
 * @property {string} [nonce] 12 ASCII characters, for tests only.
 *
 * @typedef {typeof TEXTS} Texts
 *
 * @typedef {object} FormOptions
 * @property {string} key The merchant's encryption key: base64 of 32 bytes.
 * @property {"hex" | "alphanumeric"} [alphabet]
 * @property {Partial<Texts>} [texts] Other words, or another language.
 * @property {"auto" | "light" | "dark"} [scheme] Colours; `auto` follows the payer's system.
 * @property {() => Date} [now] The clock that says whether a card has expired.
 * @property {() => boolean} [alsoCheck] Checks the page's other fields and shows what is wrong with
 *   them, in the same round as this form's; the form is sent when it returns true.
 * @property {boolean} [keepsFields] Whether the fields stay once they were handed over, for a page
 *   that shows the form again after a decline. They are emptied when the form is left or removed.
 *
 * @typedef {object} MountedForm
 * @property {() => boolean} check Show what is wrong with the fields, and return whether nothing is.
 * @property {() => void} focus Move the focus to the first field.
 * @property {() => void} clear Empty the fields.
 * @property {() => void} destroy Empty the fields and take the form out of the page.
 */
/** A card, PIN, nonce or key that is wrong. `field` says which; the message never shows it. */
export declare class FieldError extends Error {
    field: string;
    /** @param {string} field @param {string} message */
    constructor(field: string, message: string);
}
/**
 * Throw it from `onEncrypted` to show its message to the payer. Any other error is shown as an
 * outcome that is not known, because a request that failed may have moved money.
 */
export declare class PaymentError extends Error {
    /** @param {string} message */
    constructor(message: string);
}
/** The page was not loaded over HTTPS, so the browser offers no encryption. */
export declare class InsecureContextError extends Error {
    constructor();
}
/**
 * Encrypt a card's four fields under one fresh nonce.
 * @param {CardFields} card
 * @param {EncryptOptions} options
 * @returns {Promise<EncryptedCard>} The fields of `POST /charges`, and nothing else.
 * @throws {FieldError} naming the field that is wrong, never what it holds.
 * @throws {InsecureContextError} when the page was not loaded over HTTPS.
 */
export declare function encryptCard(card: CardFields, options: EncryptOptions): Promise<EncryptedCard>;
/**
 * Encrypt a card's PIN under a fresh nonce of its own.
 * @param {string} pin 4 to 6 digits.
 * @param {EncryptOptions} options
 * @returns {Promise<EncryptedPin>}
 * @throws {FieldError} naming what is wrong, never what it holds.
 * @throws {InsecureContextError} when the page was not loaded over HTTPS.
 */
export declare function encryptPin(pin: string, options: EncryptOptions): Promise<EncryptedPin>;
/**
 * Encrypt one field as the wire format has it, without looking at what it says or whether the
 * nonce is fresh: for known-answer tests.
 * @param {string} plaintext
 * @param {{ key: string, nonce: string }} options
 * @returns {Promise<string>}
 */
export declare function encryptField(plaintext: string, { key, nonce }: {
    key: string;
    nonce: string;
}): Promise<string>;
/** @returns {boolean} Whether this page may encrypt at all. */
export declare function isSecurePage(): boolean;
declare const TEXTS: {
    cardForm: string;
    number: string;
    expiry: string;
    expiryHint: string;
    cvv: string;
    pay: string;
    pinForm: string;
    pin: string;
    confirm: string;
    privacy: string;
    busy: string;
    numberMissing: string;
    numberShort: string;
    numberMistyped: string;
    expiryMissing: string;
    expiryPast: string;
    cvvMissing: string;
    cvvMissingAmex: string;
    pinMissing: string;
    notSent: string;
    unknown: string;
    insecure: string;
};
export type Field = {
    name: string;
    label: string;
    hint?: string;
    autocomplete: string;
    placeholder: string;
    /**
     * Shown as dots.
     */
    secret?: boolean;
    format: (text: string, isDeleting: boolean) => string;
    /**
     * What is wrong with it, in words.
     */
    fault: (text: string) => string | null;
    /**
     * Whether it cannot get longer, so check it now.
     */
    full: (text: string) => boolean;
};
/**
 * @typedef {object} Field What one input of a form is and when it is right.
 * @property {string} name
 * @property {string} label
 * @property {string} [hint]
 * @property {string} autocomplete
 * @property {string} placeholder
 * @property {boolean} [secret] Shown as dots.
 * @property {(text: string, isDeleting: boolean) => string} format
 * @property {(text: string) => string | null} fault What is wrong with it, in words.
 * @property {(text: string) => boolean} full Whether it cannot get longer, so check it now.
 */
/**
 * Draw a card form into an element of the page.
 * @param {HTMLElement} element An empty element outside any `<form>`.
 * @param {FormOptions & { onEncrypted: (card: EncryptedCard) => unknown }} options
 *   `onEncrypted` gets the encrypted fields; the form stays busy until its promise settles, is
 *   emptied when it succeeds, and shows an error when it fails.
 * @returns {MountedForm}
 * @throws {FieldError} at once, when the key is not base64 of 32 bytes.
 */
export declare function mountCardForm(element: HTMLElement, options: FormOptions & {
    onEncrypted: (card: EncryptedCard) => unknown;
}): MountedForm;
/**
 * Draw a form for the card's PIN into an element of the page.
 * @param {HTMLElement} element An empty element outside any `<form>`.
 * @param {FormOptions & { onEncrypted: (pin: EncryptedPin) => unknown }} options
 * @returns {MountedForm}
 */
export declare function mountPinForm(element: HTMLElement, options: FormOptions & {
    onEncrypted: (pin: EncryptedPin) => unknown;
}): MountedForm;
/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Record<string, string>} attributes @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export declare function make<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, attributes: Record<string, string>, ...children: (Node | string)[]): HTMLElementTagNameMap[Tag];
/**
 * Give a document a sheet, once: the forms' own if none is named.
 * @param {Document} document @param {string} [styles]
 */
export declare function adoptStyles(document: Document, styles?: string): void;
export {};

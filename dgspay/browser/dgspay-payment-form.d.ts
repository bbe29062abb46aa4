/**
 * The form of an order that is open: what the payer has yet to say, the ways to pay, their fields.
 */
export type Asked = import("./dgspay-order.js").Asked;
export type Method = import("./dgspay-order.js").Method;
export type Field = import("./dgspay-fields.js").Field;
export type Details = {
    /**
     * Decimal text.
     */
    amount?: string;
    name?: string;
    phone?: string;
    address?: string;
};
export type FormDesign = {
    texts: import("./dgspay-checkout-texts.js").CheckoutTexts;
    say: (text: string, values?: Record<string, string>) => string;
    /**
     * Locale of amounts.
     */
    numbers: string[];
    order: import("./dgspay-order.js").OrderTerms;
    asks: Asked[];
    methods: Method[];
    key: string | null;
    scheme: "auto" | "light" | "dark";
    /**
     * Called with the amount that the payer chose.
     */
    onAmount: (amount: string | null) => void;
    payByMobileMoney: (wallet: Details & {
        phone: string;
        network: string;
    }) => Promise<void>;
    payByCard: (card: Details & import("./dgspay-card.js").EncryptedCard) => Promise<void>;
    payOtherwise: (method: Method, details: Details) => Promise<void>;
};
/**
 * @typedef {import("./dgspay-order.js").Asked} Asked
 * @typedef {import("./dgspay-order.js").Method} Method
 * @typedef {import("./dgspay-fields.js").Field} Field
 *
 * @typedef {object} Details What the payer says beside the way to pay.
 * @property {string} [amount] Decimal text.
 * @property {string} [name]
 * @property {string} [phone]
 * @property {string} [address]
 *
 * @typedef {object} FormDesign
 * @property {import("./dgspay-checkout-texts.js").CheckoutTexts} texts
 * @property {(text: string, values?: Record<string, string>) => string} say
 * @property {string[]} numbers Locale of amounts.
 * @property {import("./dgspay-order.js").OrderTerms} order
 * @property {Asked[]} asks
 * @property {Method[]} methods
 * @property {string | null} key
 * @property {"auto" | "light" | "dark"} scheme
 * @property {(amount: string | null) => void} onAmount Called with the amount that the payer chose.
 * @property {(wallet: Details & { phone: string, network: string }) => Promise<void>}
 *   payByMobileMoney
 * @property {(card: Details & import("./dgspay-card.js").EncryptedCard) => Promise<void>} payByCard
 * @property {(method: Method, details: Details) => Promise<void>} payOtherwise
 */
/** The networks of mobile money, with the names of their wallets. */
export declare const NETWORKS: string[][];
/**
 * The nine digits of a Rwandan mobile number after the country code, or null.
 * @param {string} text In any usual form: `0788 123 456`, `+250 788…`, `00250788…`.
 */
export declare function localNumber(text: string): string | null;
/** The network that numbers of this prefix had at first, or null. @param {string} text */
export declare function networkOf(text: string): string;
/**
 * Whether this can be a phone number: a Rwandan one, or one from abroad with its country code.
 * @param {string} text
 */
export declare function isPhoneNumber(text: string): boolean;
export declare class PaymentForm {
    #private;
    design: FormDesign;
    details: HTMLDivElement;
    heading: HTMLHeadingElement;
    cardPlace: HTMLDivElement;
    wallet: HTMLFormElement;
    phone: import("./dgspay-fields.js").Field;
    networks: HTMLFieldSetElement;
    warning: HTMLParagraphElement;
    networkFault: HTMLParagraphElement;
    other: HTMLFormElement;
    otherHint: HTMLParagraphElement;
    methods: HTMLFieldSetElement;
    nodes: (HTMLDivElement | HTMLFieldSetElement | HTMLFormElement)[];
    /** @param {FormDesign} design */
    constructor(design: FormDesign);
    destroy(): void;
    /** Show what went wrong with the way that is chosen. @param {string} words */
    set problem(words: string);
    /** Whether a number that was entered here can be asked again. */
    hasWallet(): boolean;
    /** Ask the number that was entered here. */
    sendWallet(): Promise<void>;
}

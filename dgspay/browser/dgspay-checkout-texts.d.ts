/**
 * What the checkout says to payers, in English, French, Kinyarwanda and Swahili.
 *
 * Each text can be replaced: `mountCheckout(element, { texts: { wait: "…" } })`. Words in braces
 * are filled in. Only English was reviewed: a native speaker is to review the others before they
 * count as final (`isReviewed`).
 */
export type CheckoutTexts = typeof ENGLISH;
export type Refusal = {
    title: string;
    what: string;
};
export type Language = "en" | "fr" | "rw" | "sw";
export type Catalogue = {
    /**
     * The language, in itself.
     */
    name: string;
    dir: "ltr" | "rtl";
    /**
     * Whether a native speaker has reviewed it.
     */
    isReviewed: boolean;
    /**
     * Locale of amounts.
     */
    numbers: string[];
    /**
     * Locale of dates.
     */
    dates: string[];
    texts: CheckoutTexts;
};
/**
 * @typedef {typeof ENGLISH} CheckoutTexts
 * @typedef {{ title: string, what: string }} Refusal What it says, and what the payer can do.
 * @typedef {"en" | "fr" | "rw" | "sw"} Language
 * @typedef {object} Catalogue
 * @property {string} name The language, in itself.
 * @property {"ltr" | "rtl"} dir
 * @property {boolean} isReviewed Whether a native speaker has reviewed it.
 * @property {string[]} numbers Locale of amounts.
 * @property {string[]} dates Locale of dates.
 * @property {CheckoutTexts} texts
 */
declare const ENGLISH: {
    title: string;
    titleAlone: string;
    titleOpen: string;
    titleOpenAlone: string;
    order: string;
    language: string;
    payUntil: string;
    payerIs: string;
    details: string;
    amount: string;
    amountMissing: string;
    amountAmbiguous: string;
    amountTooFine: string;
    amountRange: string;
    amountLeast: string;
    amountMost: string;
    name: string;
    nameMissing: string;
    contactPhone: string;
    contactPhoneHint: string;
    contactPhoneWrong: string;
    methods: string;
    mobileMoney: string;
    card: string;
    ussd: string;
    ussdHint: string;
    ussdGo: string;
    bankTransfer: string;
    transferHint: string;
    transferGo: string;
    otherWays: string;
    noMethod: string;
    pay: string;
    payOpen: string;
    sending: string;
    sendingLong: string;
    phone: string;
    phonePlaceholder: string;
    phoneHint: string;
    phoneWrong: string;
    network: string;
    networkMissing: string;
    networkUnlike: string;
    wait: string;
    waitWhat: string;
    waitLeft: string;
    waitSilence: string;
    waitLong: string;
    noPrompt: string;
    noPromptHelp: string;
    otherNumber: string;
    otherNumberWhen: string;
    networkPage: string;
    promptOver: string;
    promptOverWhat: string;
    sendAgain: string;
    pinTitle: string;
    pinWhat: string;
    otpTitle: string;
    otpWhat: string;
    otp: string;
    otpWrong: string;
    confirm: string;
    checking: string;
    addressTitle: string;
    addressWhat: string;
    line1: string;
    line1Missing: string;
    line2: string;
    city: string;
    state: string;
    postalCode: string;
    country: string;
    countryMissing: string;
    redirectTitle: string;
    redirectWhat: string;
    redirectGo: string;
    redirectBack: string;
    redirectBackWhat: string;
    otherWay: string;
    dialTitle: string;
    dialWhat: string;
    dialCode: string;
    dialGo: string;
    transferTitle: string;
    transferWhat: string;
    transferBank: string;
    transferName: string;
    transferNumber: string;
    copy: string;
    copied: string;
    simulated: string;
    doubt: string;
    doubtWhat: string;
    doubtOverWhat: string;
    held: string;
    heldWhat: string;
    paid: string;
    paidWhat: string;
    receipt: string;
    receiptAmount: string;
    receiptMerchant: string;
    receiptDate: string;
    receiptMethod: string;
    receiptReference: string;
    referenceIs: string;
    receiptOrder: string;
    receiptPayer: string;
    print: string;
    backToShop: string;
    backSoon: string;
    stay: string;
    declined: string;
    noMoney: string;
    tryAgain: string;
    expired: string;
    expiredWhat: string;
    cancelled: string;
    cancelledWhat: string;
    cancelledPending: string;
    cancel: string;
    cancelAsk: string;
    cancelWhat: string;
    cancelYes: string;
    cancelNo: string;
    loading: string;
    lost: string;
    lostSending: string;
    back: string;
    notArrived: string;
    stepOver: string;
    tooMany: string;
    tooManyForOrder: string;
    unavailable: string;
    shopFault: string;
    invalid: string;
    minutes: string;
    seconds: string;
    /**
     * What is shown in place of an order, by the server's code.
     * @type {Record<string, Refusal>}
     */
    refusals: Record<string, Refusal>;
    /** Why a payment was declined. */
    reasons: {
        declined: string;
        funds: string;
        limit: string;
        pin: string;
        pinTries: string;
        code: string;
        cvv: string;
        number: string;
        cardExpired: string;
        cardBlocked: string;
        notPermitted: string;
        address: string;
        cancelled: string;
        refused: string;
        timedOut: string;
        noWallet: string;
        unavailable: string;
        notSent: string;
        shop: string;
    };
    /** Texts of the card form; see the texts of `mountCardForm`. */
    cardForm: {
        cardForm: string;
        number: string;
        expiry: string;
        expiryHint: string;
        cvv: string;
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
};
/** @type {Record<Language, Catalogue>} */
export declare const CATALOGUES: Record<Language, Catalogue>;
/**
 * The language of a page: the one that was asked for, else the payer's first that there is.
 * @param {readonly string[]} asked BCP 47 tags, dearest first.
 * @returns {Language}
 */
export declare function languageOf(asked: readonly string[]): Language;
export type PartialTexts = Partial<Omit<CheckoutTexts, "reasons" | "refusals" | "cardForm">> & {
    reasons?: Partial<CheckoutTexts["reasons"]>;
    refusals?: Record<string, Refusal>;
    cardForm?: Partial<CheckoutTexts["cardForm"]>;
};
/**
 * The texts of a language with the shop's own in their place.
 * @param {Language} language
 * @param {PartialTexts} [own]
 * @returns {CheckoutTexts}
 *
 * @typedef {Partial<Omit<CheckoutTexts, "reasons" | "refusals" | "cardForm">> & {
 *   reasons?: Partial<CheckoutTexts["reasons"]>,
 *   refusals?: Record<string, Refusal>,
 *   cardForm?: Partial<CheckoutTexts["cardForm"]> }} PartialTexts
 */
export declare function textsOf(language: Language, own?: PartialTexts): CheckoutTexts;
export type Reason = keyof CheckoutTexts["reasons"];
/**
 * Return the text's name for a reason that the server gives: a code or the words of a network.
 * @param {string | null} code
 * @returns {Reason}
 */
export declare function reasonOf(code: string | null): Reason;
export {};

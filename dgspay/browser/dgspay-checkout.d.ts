/**
 * A checkout that a shop drops into a page: mobile money and cards, in the payer's language.
 *
 *     import { mountCheckout } from "/dgspay/dgspay-checkout.js";
 *     mountCheckout(document.querySelector("#pay"), {
 *       order: "2026-1234", token: "…",             // checkout.open(…): order.id, order.page_token
 *       onPaid: () => location.assign("/thanks"),
 *     });
 *
 * or, with no script of the shop's own, `<dgspay-checkout order="2026-1234" token="…">`, which
 * dispatches `dgspay-paid` and `dgspay-failed`. It shows how the order stands at the shop's server
 * and nothing else, so it survives reloads, other tabs and a lost connection. It has no inline
 * script and no inline style, and runs under `Content-Security-Policy: default-src 'none';
 * script-src 'self'; connect-src 'self'`.
 */
export type Shown = import("./dgspay-order.js").Shown;
export type Field = import("./dgspay-fields.js").Field;
export type Language = import("./dgspay-checkout-texts.js").Language;
export type PartialTexts = import("./dgspay-checkout-texts.js").PartialTexts;
export type CheckoutOptions = {
    /**
     * The order's id.
     */
    order: string;
    /**
     * The order's page token.
     */
    token: string;
    /**
     * Where the routes of the checkout are mounted; where this module comes
     * from if left out.
     */
    base?: string;
    /**
     * The language; the page's or the payer's own if left out, and then the
     * payer may choose another.
     */
    lang?: string;
    /**
     * Texts in place of
     * ours: for every language, or by language.
     */
    texts?: PartialTexts | Partial<Record<Language, PartialTexts>>;
    /**
     * Colours; `auto` follows the payer's system.
     */
    scheme?: "auto" | "light" | "dark";
    /**
     * Where "back to the shop" leads; no such link if left out.
     */
    shopUrl?: string;
    /**
     * After how long a payer who has just paid is taken back to the
     * shop, unless the payer stays; never if left out.
     */
    returnSeconds?: number;
    /**
     * Whether the page's title says how the payment stands; true if
     * left out.
     */
    hasTitle?: boolean;
    /**
     * Called whenever the order stands differently.
     */
    onShown?: (shown: Shown) => void;
    /**
     * Called once, when the order is seen to be paid.
     */
    onPaid?: (shown: Shown) => void;
    /**
     * Called for each attempt that is seen to fail.
     */
    onFailed?: (shown: Shown) => void;
    /**
     * Called once, when the order is seen to have
     * expired or to be cancelled.
     */
    onClosed?: (shown: Shown) => void;
    /**
     * Leaves the page for a bank's or the shop's; for tests.
     */
    navigate?: (url: string) => void;
};
export type MountedCheckout = {
    /**
     * Stop, and take it out of the page.
     */
    destroy: () => void;
};
export type View = "form" | "approval" | "prompt_over" | "wait" | "wait_over" | "pin" | "otp" | "address" | "redirect" | "dial" | "transfer" | "held" | "declined" | "paid" | "expired" | "cancelled";
/**
 * Draw the checkout of an order into an element of the page.
 * @param {HTMLElement} element An empty element outside any `<form>`.
 * @param {CheckoutOptions} options
 * @returns {MountedCheckout}
 */
export declare function mountCheckout(element: HTMLElement, options: CheckoutOptions): MountedCheckout;
/**
 * What to show of an order.
 * @param {Shown} shown
 * @param {{ now: number, isChoosing: boolean }} payer The server's time; whether the payer has
 *   asked for the form again.
 * @returns {View}
 */
export declare function viewOf({ order, attempt, next_action: next }: Shown, { now, isChoosing }: {
    now: number;
    isChoosing: boolean;
}): View;
export type Content = {
    nodes: Node[];
    isCentred?: boolean;
    tick?: () => void;
    drawn?: () => void;
    hasForm?: boolean;
};

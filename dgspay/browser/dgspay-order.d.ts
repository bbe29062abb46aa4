/**
 * Follows one order of the shop's server, over one connection at a time.
 *
 * While an attempt is under way it polls long; otherwise it looks now and then. It pauses while
 * the page is hidden, goes on at once when the payer is back, and outlives a server that restarts.
 */
export type Method = "mobile_money" | "card" | "ussd" | "bank_transfer";
export type Attempt = {
    number: number;
    method: Method;
    state: "in_doubt" | "pending" | "waiting_for_the_payer" | "paid" | "failed" | "held";
    step: number;
    reason: string | null;
    reference: string | null;
    network: string | null;
    /**
     * Its last digits.
     */
    phone: string | null;
    is_under_way: boolean;
    /**
     * Unix time.
     */
    asked_at: number;
    /**
     * Unix time.
     */
    stale_at: number;
};
export type NextAction = {
    type: "approval" | "wait" | "pin" | "otp" | "address" | "redirect" | "dial" | "transfer" | "unknown";
    /**
     * Unix time.
     */
    until?: number;
    url?: string;
    /**
     * What to dial.
     */
    code?: string;
    /**
     * Where to send the money.
     */
    account?: Account;
    /**
     * Whether no real money moves.
     */
    is_simulated?: boolean;
};
export type Account = {
    bank: string;
    number: string;
    name: string;
    /**
     * To be given with the transfer.
     */
    reference: string;
};
export type OrderTerms = {
    id: string;
    /**
     * Decimal text; null where the payer has yet to choose it.
     */
    amount: string | null;
    /**
     * The least that the payer may choose.
     */
    min_amount?: string | null;
    /**
     * The most.
     */
    max_amount?: string | null;
    currency: string;
    description: string | null;
    state: "open" | "paying" | "paid" | "expired" | "cancelled";
    /**
     * Unix time.
     */
    expires_at: number | null;
    /**
     * Unix time.
     */
    paid_at: number | null;
    payer: string | null;
    /**
     * Whether the payer may cancel it; true if left out.
     */
    is_cancellable?: boolean;
};
export type Shown = {
    order: OrderTerms;
    merchant: string | null;
    methods: Method[];
    /**
     * What the payer has yet to say; nothing if left out.
     */
    asks?: Asked[];
    encryption_key: string | null;
    attempt: Attempt | null;
    next_action: NextAction | null;
    version: string;
    /**
     * Unix time by the clock of all others; the server's `Date` if left out.
     */
    now?: number;
};
export type Asked = "name" | "phone" | "address";
/** The server's no, as a code. */
export declare class RefusedError extends Error {
    code: string;
    field: string | null;
    retryAfter: number | null;
    /** @param {string} code @param {string | null} field @param {number | null} retryAfter Seconds. */
    constructor(code: string, field?: string | null, retryAfter?: number | null);
}
/** No usable answer came: what was sent may have arrived. */
export declare class ConnectionLostError extends Error {
    constructor();
}
export declare class OrderConnection {
    #private;
    place: {
        base: string;
        order: string;
        token: string;
    };
    events: {
        onOrder: (shown: Shown) => void;
        onLost: (isLost: boolean) => void;
        onRefused: (error: RefusedError) => void;
    };
    /**
     * @param {{ base: string, order: string, token: string }} place
     * @param {{ onOrder: (shown: Shown) => void, onLost: (isLost: boolean) => void,
     *   onRefused: (error: RefusedError) => void }} events
     */
    constructor(place: {
        base: string;
        order: string;
        token: string;
    }, events: {
        onOrder: (shown: Shown) => void;
        onLost: (isLost: boolean) => void;
        onRefused: (error: RefusedError) => void;
    });
    /** Begin to follow the order. */
    open(): void;
    /** Stop following it. */
    close(): void;
    /** The server's clock. @returns {number} Unix time. */
    now(): number;
    /** Look at once, as after something that may have changed the order. */
    look(): void;
    /**
     * Ask the server to do something for the order.
     * @param {string} action Such as `mobile-money`.
     * @param {object} body
     * @returns {Promise<Shown>}
     * @throws {RefusedError} when the server said no.
     * @throws {ConnectionLostError} when it is not known whether it has acted.
     */
    send(action: string, body: object): Promise<Shown>;
}

/**
 * Follows one order of the shop's server, over one connection at a time.
 *
 * While an attempt is under way it polls long; otherwise it looks now and then. It pauses while
 * the page is hidden, goes on at once when the payer is back, and outlives a server that restarts.
 */
export type Attempt = {
    number: number;
    method: "mobile_money" | "card";
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
    type: "approval" | "wait" | "pin" | "otp" | "address" | "redirect" | "unknown";
    /**
     * Unix time.
     */
    until?: number;
    url?: string;
};
export type OrderTerms = {
    id: string;
    /**
     * Decimal text.
     */
    amount: string;
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
    payer: string;
};
export type Shown = {
    order: OrderTerms;
    merchant: string | null;
    methods: ("mobile_money" | "card")[];
    encryption_key: string | null;
    attempt: Attempt | null;
    next_action: NextAction | null;
    version: string;
};
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

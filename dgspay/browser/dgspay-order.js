/**
 * Follows one order of the shop's server, over one connection at a time.
 *
 * While an attempt is under way it polls long; otherwise it looks now and then. It pauses while
 * the page is hidden, goes on at once when the payer is back, and outlives a server that restarts.
 */

/**
 * @typedef {"mobile_money" | "card" | "ussd" | "bank_transfer"} Method
 *
 * @typedef {object} Attempt
 * @property {number} number
 * @property {Method} method
 * @property {"in_doubt" | "pending" | "waiting_for_the_payer" | "paid" | "failed" | "held"} state
 * @property {number} step
 * @property {string | null} reason
 * @property {string | null} reference
 * @property {string | null} network
 * @property {string | null} phone Its last digits.
 * @property {boolean} is_under_way
 * @property {number} asked_at Unix time.
 * @property {number} stale_at Unix time.
 *
 * @typedef {object} NextAction
 * @property {"approval" | "wait" | "pin" | "otp" | "address" | "redirect" | "dial" | "transfer"
 *   | "unknown"} type
 * @property {number} [until] Unix time.
 * @property {string} [url]
 * @property {string} [code] What to dial.
 * @property {Account} [account] Where to send the money.
 * @property {boolean} [is_simulated] Whether no real money moves.
 *
 * @typedef {object} Account
 * @property {string} bank
 * @property {string} number
 * @property {string} name
 * @property {string} reference To be given with the transfer.
 *
 * @typedef {object} OrderTerms
 * @property {string} id
 * @property {string | null} amount Decimal text; null where the payer has yet to choose it.
 * @property {string | null} [min_amount] The least that the payer may choose.
 * @property {string | null} [max_amount] The most.
 * @property {string} currency
 * @property {string | null} description
 * @property {"open" | "paying" | "paid" | "expired" | "cancelled"} state
 * @property {number | null} expires_at Unix time.
 * @property {number | null} paid_at Unix time.
 * @property {string | null} payer
 * @property {boolean} [is_cancellable] Whether the payer may cancel it; true if left out.
 *
 * @typedef {object} Shown What the server shows of an order.
 * @property {OrderTerms} order
 * @property {string | null} merchant
 * @property {Method[]} methods
 * @property {Asked[]} [asks] What the payer has yet to say; nothing if left out.
 * @property {string | null} encryption_key
 * @property {Attempt | null} attempt
 * @property {NextAction | null} next_action
 * @property {string} version
 * @property {number} [now] Unix time by the clock of all others; the server's `Date` if left out.
 *
 * @typedef {"name" | "phone" | "address"} Asked
 */

const LONG_POLL_SECONDS = 25;
const IDLE_SECONDS = 20;
// For a server that does not hold a request until something changes.
const SHORT_POLL_SECONDS = 1;
const READ_SECONDS = LONG_POLL_SECONDS + 15;
// The server's own deadline for a call is 100 s.
const SEND_SECONDS = 120;
const LONGEST_PAUSE_SECONDS = 10;

/** The server's no, as a code. */
export class RefusedError extends Error {
  /** @param {string} code @param {string | null} field @param {number | null} retryAfter Seconds. */
  constructor(code, field = null, retryAfter = null) {
    super(code);
    this.name = "RefusedError";
    this.code = code;
    this.field = field;
    this.retryAfter = retryAfter;
  }
}

/** No usable answer came: what was sent may have arrived. */
export class ConnectionLostError extends Error {
  constructor() {
    super("no usable answer came from the shop");
    this.name = "ConnectionLostError";
  }
}

export class OrderConnection {
  /** @type {AbortController | null} */
  #polling = null;
  /** @type {string | null} */
  #version = null;
  #isOver = false;
  #isSending = false;
  #failures = 0;
  #skew = 0;
  /** @type {BroadcastChannel | null} */
  #tabs = null;

  /**
   * @param {{ base: string, order: string, token: string }} place
   * @param {{ onOrder: (shown: Shown) => void, onLost: (isLost: boolean) => void,
   *   onRefused: (error: RefusedError) => void }} events
   */
  constructor(place, events) {
    this.place = place;
    this.events = events;
  }

  /** Begin to follow the order. */
  open() {
    document.addEventListener("visibilitychange", this.#look);
    window.addEventListener("pageshow", this.#lookIfShownAgain);
    window.addEventListener("pagehide", this.#pause);
    window.addEventListener("online", this.#look);
    if ("BroadcastChannel" in globalThis) {
      // Another tab of the same order knows something new: no connection of its own is needed.
      this.#tabs = new BroadcastChannel(`dgspay order ${this.place.base} ${this.place.order}`);
      this.#tabs.addEventListener("message", ({ data }) => data !== this.#version && this.#look());
    }
    this.#look();
  }

  /** Stop following it. */
  close() {
    this.#isOver = true;
    this.#pause();
    document.removeEventListener("visibilitychange", this.#look);
    window.removeEventListener("pageshow", this.#lookIfShownAgain);
    window.removeEventListener("pagehide", this.#pause);
    window.removeEventListener("online", this.#look);
    this.#tabs?.close();
  }

  /** The server's clock. @returns {number} Unix time. */
  now() {
    return Date.now() / 1000 + this.#skew;
  }

  /** Look at once, as after something that may have changed the order. */
  look() {
    this.#look();
  }

  /**
   * Ask the server to do something for the order.
   * @param {string} action Such as `mobile-money`.
   * @param {object} body
   * @returns {Promise<Shown>}
   * @throws {RefusedError} when the server said no.
   * @throws {ConnectionLostError} when it is not known whether it has acted.
   */
  async send(action, body) {
    this.#pause();
    this.#isSending = true;
    try {
      const shown = await this.#ask(`order/${action}`, SEND_SECONDS, undefined, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      this.#take(shown);
      return shown;
    } finally {
      this.#isSending = false;
      this.#look();
    }
  }

  #pause = () => {
    this.#polling?.abort();
    this.#polling = null;
  };

  #lookIfShownAgain = (/** @type {PageTransitionEvent} */ { persisted }) => persisted && this.#look();

  #look = () => {
    this.#pause();
    if (this.#isOver || this.#isSending || document.visibilityState === "hidden") return;
    this.#polling = new AbortController();
    this.#follow(this.#polling.signal);
  };

  /** @param {AbortSignal} signal */
  async #follow(signal) {
    // At once, because what is on the screen may be old by now.
    let path = "order";
    while (!signal.aborted) {
      try {
        const [known, asked] = [this.#version, performance.now()];
        const shown = await this.#ask(path, READ_SECONDS, signal);
        if (signal.aborted) return;
        const isAtOnce = performance.now() - asked < SHORT_POLL_SECONDS * 1000;
        const isUnheld = path !== "order" && isAtOnce && shown.version === known;
        this.#connected(true);
        this.#take(shown);
        if (shown.order.state !== "open" && shown.order.state !== "paying") return;
        const isUnderWay = shown.attempt?.is_under_way === true;
        path = `order/changes?after=${shown.version}&wait=${isUnderWay ? LONG_POLL_SECONDS : 0}`;
        if (!isUnderWay) await pause(IDLE_SECONDS, signal);
        else if (isUnheld) await pause(SHORT_POLL_SECONDS, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof RefusedError && error.code !== "unavailable") {
          this.events.onRefused(error);
          return;
        }
        this.#connected(false);
        await pause(Math.min(2 ** (this.#failures - 1), LONGEST_PAUSE_SECONDS), signal);
        path = "order";
      }
    }
  }

  /** @param {boolean} isConnected */
  #connected(isConnected) {
    this.#failures = isConnected ? 0 : this.#failures + 1;
    // One failure alone may be a train in a tunnel or a server that is being replaced.
    if (this.#failures !== 1) this.events.onLost(!isConnected);
  }

  /** @param {Shown} shown */
  #take(shown) {
    if (shown.version === this.#version) return;
    this.#version = shown.version;
    this.#tabs?.postMessage(shown.version);
    this.events.onOrder(shown);
  }

  /**
   * @param {string} path @param {number} seconds @param {AbortSignal} [signal]
   * @param {RequestInit} [options]
   * @returns {Promise<Shown>}
   */
  async #ask(path, seconds, signal, options = {}) {
    const { base, order, token } = this.place;
    // By hand, because browsers of 2022 have no `AbortSignal.any`.
    const limit = new AbortController();
    const abort = () => limit.abort();
    const timer = setTimeout(abort, seconds * 1000);
    signal?.addEventListener("abort", abort, { once: true });
    let response, answer;
    try {
      response = await fetch(base + path, {
        ...options,
        headers: {
          ...options.headers,
          "DGSPay-Order": encodeURIComponent(order),
          "DGSPay-Page-Token": token,
        },
        cache: "no-store",
        credentials: "same-origin",
        redirect: "error",
        signal: limit.signal,
      });
      answer = await response.json();
    } catch {
      throw new ConnectionLostError();
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
    if (response.ok && answer?.order) {
      const now = answer.now ?? Date.parse(response.headers.get("Date") ?? "") / 1000;
      if (!Number.isNaN(now)) this.#skew = now - Date.now() / 1000;
      return answer;
    }
    if (typeof answer?.error !== "string") throw new ConnectionLostError();
    const wait = Number.parseFloat(response.headers.get("Retry-After") ?? "");
    throw new RefusedError(answer.error, answer.field ?? null, Number.isNaN(wait) ? null : wait);
  }
}

/** @param {number} seconds @param {AbortSignal} signal @returns {Promise<void>} */
function pause(seconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

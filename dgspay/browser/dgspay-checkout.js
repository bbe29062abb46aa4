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

import { formatAmount } from "./dgspay-amounts.js";
import { adoptStyles, make, mountPinForm, PaymentError } from "./dgspay-card.js";
import { CHECKOUT_STYLES } from "./dgspay-checkout-style.js";
import { CATALOGUES, languageOf, reasonOf, textsOf } from "./dgspay-checkout-texts.js";
import {
  button, countryField, heading, isBusy, markOf, problemPlace, setBusy, storage, textField, unique,
} from "./dgspay-fields.js";
import { ConnectionLostError, OrderConnection, RefusedError } from "./dgspay-order.js";
import { NETWORKS, PaymentForm } from "./dgspay-payment-form.js";

/**
 * @typedef {import("./dgspay-order.js").Shown} Shown
 * @typedef {import("./dgspay-fields.js").Field} Field
 * @typedef {import("./dgspay-checkout-texts.js").Language} Language
 * @typedef {import("./dgspay-checkout-texts.js").PartialTexts} PartialTexts
 *
 * @typedef {object} CheckoutOptions
 * @property {string} order The order's id.
 * @property {string} token The order's page token.
 * @property {string} [base] Where the routes of the checkout are mounted; where this module comes
 *   from if left out.
 * @property {string} [lang] The language; the page's or the payer's own if left out, and then the
 *   payer may choose another.
 * @property {PartialTexts | Partial<Record<Language, PartialTexts>>} [texts] Texts in place of
 *   ours: for every language, or by language.
 * @property {"auto" | "light" | "dark"} [scheme] Colours; `auto` follows the payer's system.
 * @property {string} [shopUrl] Where "back to the shop" leads; no such link if left out.
 * @property {number} [returnSeconds] After how long a payer who has just paid is taken back to the
 *   shop, unless the payer stays; never if left out.
 * @property {boolean} [hasTitle] Whether the page's title says how the payment stands; true if
 *   left out.
 * @property {(shown: Shown) => void} [onShown] Called whenever the order stands differently.
 * @property {(shown: Shown) => void} [onPaid] Called once, when the order is seen to be paid.
 * @property {(shown: Shown) => void} [onFailed] Called for each attempt that is seen to fail.
 * @property {(shown: Shown) => void} [onClosed] Called once, when the order is seen to have
 *   expired or to be cancelled.
 * @property {(url: string) => void} [navigate] Leaves the page for a bank's or the shop's; for tests.
 *
 * @typedef {object} MountedCheckout
 * @property {() => void} destroy Stop, and take it out of the page.
 *
 * @typedef {"form" | "approval" | "prompt_over" | "wait" | "wait_over" | "pin" | "otp" | "address"
 *   | "redirect" | "dial" | "transfer" | "held" | "declined" | "paid" | "expired" | "cancelled"} View
 */

const TIME_ZONE = "Africa/Kigali";
const SILENCE_SECONDS = 20;
const LONG_SILENCE_SECONDS = 60;
const SENDING_LONG_SECONDS = 8;
const COPIED_SECONDS = 4;
/** Steps in which nothing can be taken until the payer has done something. */
const WAITS_FOR_PAYER = ["pin", "otp", "address", "dial", "transfer"];

/**
 * Draw the checkout of an order into an element of the page.
 * @param {HTMLElement} element An empty element outside any `<form>`.
 * @param {CheckoutOptions} options
 * @returns {MountedCheckout}
 */
export function mountCheckout(element, options) {
  if (!options.order || !options.token) throw new TypeError("order and token must be given");
  const checkout = new Checkout(element, options);
  checkout.open();
  return { destroy: () => checkout.close() };
}

/**
 * What to show of an order.
 * @param {Shown} shown
 * @param {{ now: number, isChoosing: boolean }} payer The server's time; whether the payer has
 *   asked for the form again.
 * @returns {View}
 */
export function viewOf({ order, attempt, next_action: next }, { now, isChoosing }) {
  if (order.state === "paid" || order.state === "expired" || order.state === "cancelled") {
    return order.state;
  }
  if (attempt?.state === "held") return "held";
  if (!attempt?.is_under_way) {
    return attempt?.state === "failed" && !isChoosing ? "declined" : "form";
  }
  const isOver = now >= attempt.stale_at;
  const kind = next?.type;
  // With mobile money the prompt on the handset is the step, and a page of the network's beside it
  // (guide, "Mobile Money API").
  const isPrompt = kind === "redirect" && attempt.method === "mobile_money";
  switch (isPrompt ? "approval" : kind) {
    case "approval":
      if (!isOver) return "approval";
      return isChoosing ? "form" : "prompt_over";
    case "pin":
    case "otp":
    case "address":
    case "dial":
    case "transfer":
      return isChoosing ? "form" : /** @type {View} */ (kind);
    case "redirect":
      if (!isOver) return "redirect";
      return isChoosing ? "form" : "wait_over";
    default:
      if (!isOver) return "wait";
      return isChoosing ? "form" : "wait_over";
  }
}

class Checkout {
  /** @type {Language} */
  language = "en";
  catalogue = CATALOGUES.en;
  texts = CATALOGUES.en.texts;
  summary = make("div", { class: "dgspay-summary" });
  formPlace = make("div", { class: "dgspay-view", hidden: "" });
  view = make("div", { class: "dgspay-view" });
  connectionPlace = make("p", { class: "dgspay-connection", role: "status" });
  live = make("p", { class: "dgspay-unseen", role: "status" });
  root = make("section", { class: "dgspay dgspay-checkout" });
  /** @type {Shown | null} */
  #shown = null;
  /** @type {string} What is on the screen, with the step it belongs to. */
  #key = "";
  #isChoosing = false;
  /** @type {RefusedError | null} Why the server shows no order, or none any more. */
  #refusal = null;
  #isLost = false;
  /** What a submission is under way for, so that its loss can be explained. */
  #sent = { isUnderWay: false, isLost: false, attempts: 0 };
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticker;
  /** @type {(() => void) | null} Brings the view up to date, once a second. */
  #tick = null;
  /** @type {import("./dgspay-card.js").MountedForm | null} */
  #pinForm = null;
  /** @type {PaymentForm | null} Kept while it is out of sight: "try again" finds it as it was. */
  #form = null;
  /** Said to the shop already. */
  #told = { isPaid: false, isClosed: false, failed: 0 };
  /** Whether the payer has paid here and now: a receipt that is opened again stays. */
  #hasSeenUnpaid = false;
  /** @type {string} */
  #title = "";

  /** @param {HTMLElement} element @param {CheckoutOptions} options */
  constructor(element, options) {
    if (element.closest("form")) {
      throw new TypeError("the checkout needs an element outside any <form>");
    }
    this.element = element;
    this.options = options;
    const base = new URL(options.base ?? ".", options.base ? document.baseURI : import.meta.url).href;
    this.connection = new OrderConnection(
      { base: base.endsWith("/") ? base : `${base}/`, order: options.order, token: options.token },
      {
        onOrder: (shown) => this.#take(shown),
        onLost: (isLost) => this.#connected(!isLost),
        onRefused: (error) => this.#refuse(error),
      },
    );
    const asked = options.lang ? [options.lang]
      : [storage()?.getItem("dgspay language"), document.documentElement.lang, ...navigator.languages];
    this.#speak(languageOf(asked.filter((tag) => typeof tag === "string")));
  }

  open() {
    adoptStyles(this.element.ownerDocument);
    adoptStyles(this.element.ownerDocument, CHECKOUT_STYLES);
    this.#title = document.title;
    this.#drawFrame();
    this.#ticker = setInterval(() => this.#everySecond(), 1000);
    this.connection.open();
  }

  close() {
    clearInterval(this.#ticker);
    this.connection.close();
    this.#leaveView();
    this.#dropForm();
    if (this.options.hasTitle !== false) document.title = this.#title;
    this.element.replaceChildren();
  }

  // --- the language ------------------------------------------------------------------------

  /** @param {Language} language */
  #speak(language) {
    const own = /** @type {any} */ (this.options.texts ?? {});
    const isByLanguage = Object.keys(own).some((name) => Object.hasOwn(CATALOGUES, name));
    this.language = language;
    this.catalogue = CATALOGUES[language];
    this.texts = textsOf(language, isByLanguage ? own[language] : own);
  }

  /** Fill in a text. @param {string} text @param {Record<string, string>} [values] */
  #say(text, values = {}) {
    return text.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
  }

  /** What is to be paid; of an amount that is still to be chosen, what has been entered so far. */
  #amount(chosen = /** @type {string | null} */ (null)) {
    const { amount, currency } = this.#now().order;
    const known = amount ?? chosen;
    return known === null ? null : formatAmount(known, currency, this.catalogue.numbers);
  }

  /** @returns {{ amount: string }} */
  #amountOf() {
    return { amount: this.#amount() ?? "" };
  }

  /** @param {number} unixTime */
  #date(unixTime) {
    const format = new Intl.DateTimeFormat(this.catalogue.dates, {
      dateStyle: "long", timeStyle: "short", timeZone: TIME_ZONE,
    });
    return `${format.format(unixTime * 1000)} (Kigali)`;
  }

  /** @param {number} seconds */
  #duration(seconds) {
    return seconds < 60
      ? this.#say(this.texts.seconds, { seconds: String(Math.max(1, Math.ceil(seconds))) })
      : this.#say(this.texts.minutes, { minutes: String(Math.ceil(seconds / 60)) });
  }

  /** @returns {Shown} */
  #now() {
    return /** @type {Shown} */ (this.#shown);
  }

  // --- what the server says ----------------------------------------------------------------

  /** @param {Shown} shown */
  #take(shown) {
    const before = this.#shown;
    this.#shown = shown;
    this.#refusal = null;
    if (before?.attempt?.number !== shown.attempt?.number || shown.attempt?.state === "paid") {
      this.#isChoosing = false;
    }
    this.#hasSeenUnpaid ||= shown.order.state !== "paid";
    this.#tellShop(shown);
    this.#draw();
  }

  /** @param {Shown} shown */
  #tellShop(shown) {
    const { order, attempt } = shown;
    this.options.onShown?.(shown);
    if (order.state === "paid" && !this.#told.isPaid) {
      this.#told.isPaid = true;
      this.options.onPaid?.(shown);
    }
    if ((order.state === "expired" || order.state === "cancelled") && !this.#told.isClosed) {
      this.#told.isClosed = true;
      this.options.onClosed?.(shown);
    }
    if (attempt?.state === "failed" && this.#told.failed < attempt.number) {
      this.#told.failed = attempt.number;
      this.options.onFailed?.(shown);
    }
  }

  /** @param {boolean} isConnected */
  #connected(isConnected) {
    const wasLost = this.#isLost;
    this.#isLost = !isConnected;
    if (!isConnected) {
      this.#banner(this.#sent.isLost ? this.texts.lostSending : this.texts.lost);
      return;
    }
    this.#banner("");
    if (wasLost) this.#announce(this.texts.back);
    this.#afterLoss();
  }

  /** Once it is connected again, what was sent has either begun an attempt or not arrived. */
  #afterLoss() {
    if (!this.#sent.isLost) return;
    this.#sent.isLost = false;
    // What the server shows is drawn next; where nothing is new, it has not arrived (yet: then a
    // second one is answered with the first).
    setTimeout(() => {
      const view = this.#shown && this.#viewNow();
      if (view === "form" && (this.#shown?.attempt?.number ?? 0) === this.#sent.attempts) {
        this.#problem(this.texts.notArrived);
      }
    });
  }

  /** @param {RefusedError} error Of a look, which no field can cause. */
  #refuse(error) {
    this.#refusal = error;
    const refusal = this.texts.refusals[error.code];
    if (refusal) this.#end(error.code, refusal.title, refusal.what);
    else this.#end("fault", this.texts.declined, this.texts.shopFault, "cross");
  }

  // --- what the payer does -----------------------------------------------------------------

  /**
   * Send something for the order; where it fails, say what that means for the money.
   * @param {string} action @param {object} body
   * @returns {Promise<void>}
   * @throws {PaymentError} with words for the payer.
   */
  async #send(action, body) {
    const { texts } = this;
    this.#sent = { isUnderWay: true, isLost: false, attempts: this.#shown?.attempt?.number ?? 0 };
    const slow = setTimeout(() => this.#banner(texts.sendingLong), SENDING_LONG_SECONDS * 1000);
    try {
      await this.connection.send(action, body);
      this.#connected(true);
    } catch (error) {
      if (error instanceof ConnectionLostError) {
        this.#sent.isLost = true;
        this.#connected(false);
        throw new PaymentError("");
      }
      if (!(error instanceof RefusedError)) throw error;
      throw new PaymentError(this.#explain(error));
    } finally {
      clearTimeout(slow);
      if (this.connectionPlace.textContent === texts.sendingLong) this.#banner("");
      this.#sent.isUnderWay = false;
    }
  }

  /** @param {RefusedError} error */
  #explain({ code, field, retryAfter }) {
    const { texts } = this;
    switch (code) {
      case "too_many_attempts":
        return retryAfter === null ? texts.tooManyForOrder
          : this.#say(texts.tooMany, { left: this.#duration(retryAfter) });
      case "unavailable":
        return texts.unavailable;
      case "step_over":
      case "order_closed":
        return texts.stepOver;
      case "invalid":
        if (field === "phone") return texts.phoneWrong;
        if (field === "otp") return texts.otpWrong;
        if (field === "line1") return texts.line1Missing;
        return texts.invalid;
      default:
        return texts.refusals[code]?.what ?? texts.shopFault;
    }
  }

  /** Number of the attempt that the payer gives up by paying anew. */
  #insteadOf() {
    const { attempt, next_action: next } = this.#now();
    return attempt?.is_under_way && WAITS_FOR_PAYER.includes(next?.type ?? "")
      ? { instead_of: attempt.number } : {};
  }

  /** The step that is on the screen: what is submitted is for no other. */
  #step() {
    const attempt = /** @type {import("./dgspay-order.js").Attempt} */ (this.#now().attempt);
    return { attempt: attempt.number, step: attempt.step };
  }

  async #cancel() {
    try {
      await this.#send("cancel", {});
    } catch (error) {
      this.#problem(error instanceof PaymentError ? error.message : this.texts.shopFault);
    }
  }

  // --- the frame ---------------------------------------------------------------------------

  #drawFrame() {
    const title = make("h2", { class: "dgspay-title", id: unique("title") }, this.texts.loading);
    this.summary.append(title);
    this.root.lang = this.language;
    this.root.dir = this.catalogue.dir;
    this.root.dataset.scheme = this.options.scheme ?? "auto";
    this.root.setAttribute("aria-labelledby", title.id);
    const panel = make("div", { class: "dgspay-panel" },
      this.connectionPlace, this.formPlace, this.view);
    this.root.append(make("div", { class: "dgspay-sheet" }, this.summary, panel), this.live);
    this.element.replaceChildren(this.root);
  }

  #drawSummary() {
    const { texts } = this;
    const { order } = this.#now();
    const title = /** @type {HTMLElement} */ (this.summary.querySelector(".dgspay-title"));
    this.#drawTitle(null);
    const about = make("div", { class: "dgspay-about" });
    const isOpen = order.state === "open" || order.state === "paying";
    if (order.description) about.append(make("p", {}, order.description));
    about.append(make("p", {}, this.#say(texts.order, { order: order.id })));
    if (order.payer) about.append(make("p", {}, this.#say(texts.payerIs, { payer: order.payer })));
    if (isOpen && order.expires_at !== null) {
      about.append(make("p", {}, this.#say(texts.payUntil, { date: this.#date(order.expires_at) })));
    }
    this.summary.replaceChildren(title, about, ...(this.options.lang ? [] : [this.#languages()]));
  }

  /** @param {string | null} chosen The amount that the payer has entered so far. */
  #drawTitle(chosen) {
    const { texts } = this;
    const { merchant } = this.#now();
    const title = /** @type {HTMLElement} */ (this.summary.querySelector(".dgspay-title"));
    const amount = this.#amount(chosen);
    const template = amount === null ? (merchant ? texts.titleOpen : texts.titleOpenAlone)
      : merchant ? texts.title : texts.titleAlone;
    const [before, after] = template.split("{amount}").map((part) =>
      this.#say(part, { merchant: merchant ?? "" }));
    title.replaceChildren(before, ...(amount === null ? [] : [make("b", {}, amount), after ?? ""]));
  }

  #languages() {
    const select = make("select", { id: unique("language"), autocomplete: "off" });
    for (const [language, { name }] of Object.entries(CATALOGUES)) {
      const option = make("option", { value: language, lang: language }, name);
      option.selected = language === this.language;
      select.append(option);
    }
    select.addEventListener("change", () => {
      storage()?.setItem("dgspay language", select.value);
      this.#speak(/** @type {Language} */ (select.value));
      this.root.lang = select.value;
      this.root.dir = this.catalogue.dir;
      this.#dropForm();
      this.#key = "";
      this.#banner("");
      this.#drawSummary();
      if (this.#refusal === null) this.#draw();
      else this.#refuse(this.#refusal);
      this.summary.querySelector("select")?.focus();
    });
    const label = make("label", { for: select.id }, this.texts.language);
    return make("div", { class: "dgspay-languages" }, label, select);
  }

  /** Say something that no view shows. @param {string} words */
  #announce(words) {
    this.live.textContent = words;
  }

  /** @param {string} words */
  #banner(words) {
    if (this.connectionPlace.textContent !== words) this.connectionPlace.textContent = words;
  }

  /** Show what went wrong with what the payer did. @param {string} words */
  #problem(words) {
    const place = [this.formPlace, this.view]
      .find((part) => !part.hidden && part.querySelector(".dgspay-problem"))
      ?.querySelector(".dgspay-problem");
    if (this.#form && !this.formPlace.hidden) this.#form.problem = words;
    else if (place) place.textContent = words;
    else this.#announce(words);
  }

  // --- the views ---------------------------------------------------------------------------

  /** @returns {View} */
  #viewNow() {
    return viewOf(this.#now(), { now: this.connection.now(), isChoosing: this.#isChoosing });
  }

  #everySecond() {
    if (this.#shown === null || this.#refusal !== null) return;
    const { order } = this.#shown;
    const isDue = order.expires_at !== null && this.connection.now() >= order.expires_at;
    if (isDue && order.state === "open" && !this.#sent.isUnderWay) this.#lookAfterExpiry();
    this.#draw();
    this.#tick?.();
  }

  #hasLookedAfterExpiry = false;

  #lookAfterExpiry() {
    if (this.#hasLookedAfterExpiry) return;
    this.#hasLookedAfterExpiry = true;
    this.connection.look();
  }

  /** Draw the view, where it is another one than on the screen. */
  #draw() {
    const shown = this.#now();
    const view = this.#viewNow();
    const { attempt } = shown;
    const isLeft = view === "redirect" && this.#hasLeftFor(attempt);
    const key = [view, attempt?.number, attempt?.step, isLeft, this.language].join(" ");
    if (key === this.#key) return;
    const isFirst = this.#key === "";
    const hadFocus = this.root.contains(document.activeElement);
    this.#key = key;
    this.#leaveView();
    if (view === "paid" || view === "expired" || view === "cancelled") this.#dropForm();
    this.#drawSummary();
    const content = this.#content(view, shown, isLeft);
    // Out of sight, not out of the page: the card form empties itself when it is taken out.
    this.formPlace.hidden = !content.hasForm;
    this.view.className = content.isCentred ? "dgspay-view dgspay-centred" : "dgspay-view";
    this.view.replaceChildren(...content.nodes);
    this.#tick = content.tick ?? null;
    this.#tick?.();
    const heading = (content.hasForm ? this.formPlace : this.view).querySelector(".dgspay-heading");
    this.#nameState(view === "form" ? null : heading?.textContent ?? null);
    // The focus has a screen reader read the heading; a page that was just loaded keeps its own.
    if (!isFirst && (hadFocus || document.activeElement === document.body)) {
      const first = /** @type {HTMLElement | null} */ (this.view.querySelector("[data-first]") ?? heading);
      first?.focus();
    } else if (!isFirst) {
      this.#announce(heading?.textContent ?? "");
    }
    content.drawn?.();
  }

  /** Have the page's title say how the payment stands. @param {string | null} state */
  #nameState(state) {
    if (this.options.hasTitle === false) return;
    document.title = state === null ? this.#title : `${state} · ${this.#title}`;
  }

  #dropForm() {
    this.#form?.destroy();
    this.#form = null;
    this.formPlace.replaceChildren();
  }

  #leaveView() {
    this.#tick = null;
    this.#pinForm?.destroy();
    this.#pinForm = null;
  }

  /**
   * @typedef {{ nodes: Node[], isCentred?: boolean, tick?: () => void, drawn?: () => void,
   *   hasForm?: boolean }} Content
   * @param {View} view @param {Shown} shown @param {boolean} isLeft
   * @returns {Content}
   */
  #content(view, shown, isLeft) {
    const { texts } = this;
    switch (view) {
      case "form":
        return this.#formContent();
      case "approval":
        return this.#approval();
      case "prompt_over":
        return this.#promptOver();
      case "wait":
        return this.#message("waiting", texts.doubt, [texts.doubtWhat]);
      case "wait_over":
        return this.#message("clock", texts.doubt, [texts.doubtOverWhat], [this.#chooseButton(texts.tryAgain)]);
      case "pin":
        return this.#pin();
      case "otp":
        return this.#otp();
      case "address":
        return this.#address();
      case "redirect":
        return this.#redirect(isLeft);
      case "dial":
        return this.#dial();
      case "transfer":
        return this.#transfer();
      case "held":
        return this.#message("clock", texts.held, [texts.heldWhat, ...this.#reference()]);
      case "declined":
        return this.#declined();
      case "paid":
        return this.#receipt();
      case "expired":
        return this.#message("clock", texts.expired, [texts.expiredWhat], this.#shopLink());
      case "cancelled": {
        const isPending = shown.attempt?.is_under_way && shown.attempt.method === "mobile_money";
        const words = [texts.cancelledWhat, ...(isPending ? [texts.cancelledPending] : [])];
        return this.#message("cross", texts.cancelled, words, this.#shopLink());
      }
    }
  }

  /**
   * Show the end of a page that has no order.
   * @param {string} key @param {string} title @param {string} words @param {string} [mark]
   */
  #end(key, title, words, mark = "info") {
    if (this.#key === key) return;
    this.#key = key;
    this.#leaveView();
    if (this.#shown === null) {
      this.summary.hidden = true;
      const name = /** @type {HTMLElement} */ (this.summary.querySelector(".dgspay-title"));
      name.textContent = title;
    }
    const { nodes } = this.#message(mark, title, [words], this.#shopLink());
    if (this.#shown === null) nodes[1] = heading(title, "h2");
    this.formPlace.hidden = true;
    this.view.className = "dgspay-view dgspay-centred";
    this.view.replaceChildren(...nodes);
    this.#nameState(title);
    this.#announce(title);
  }

  /**
   * @param {string} mark @param {string} title @param {string[]} words @param {Node[]} [buttons]
   * @returns {Content}
   */
  #message(mark, title, words, buttons = []) {
    return {
      isCentred: true,
      nodes: [
        markOf(mark),
        heading(title),
        ...words.map((text) => make("p", { class: "dgspay-soft" }, text)),
        problemPlace(),
        ...(buttons.length > 0 ? [make("div", { class: "dgspay-buttons" }, ...buttons)] : []),
      ],
    };
  }

  #reference() {
    const reference = this.#now().attempt?.reference;
    return reference ? [this.#say(this.texts.referenceIs, { reference })] : [];
  }

  #shopLink() {
    const { shopUrl } = this.options;
    return shopUrl ? [make("a", { class: "dgspay-quiet", href: shopUrl }, this.texts.backToShop)] : [];
  }

  /** Shows the form again, as it was. @param {string} words */
  #chooseButton(words) {
    return button("dgspay-submit", words, () => this.#choose());
  }

  #choose() {
    this.#isChoosing = true;
    this.#draw();
  }

  #cancelLink() {
    const { texts } = this;
    if (this.#now().order.is_cancellable === false) return [];
    return [button("dgspay-link", texts.cancel, () => {
      const id = unique("cancel");
      const dialog = make("dialog", { class: "dgspay-dialog", "aria-labelledby": id });
      const close = () => dialog.close();
      const isPending = this.#viewNow() === "approval";
      dialog.append(make("div", {},
        make("h3", { class: "dgspay-heading", id }, texts.cancelAsk),
        make("p", {}, texts.cancelWhat),
        ...(isPending ? [make("p", {}, texts.cancelledPending)] : []),
        make("div", { class: "dgspay-buttons" },
          button("dgspay-quiet", texts.cancelNo, close),
          button("dgspay-submit", texts.cancelYes, () => {
            close();
            this.#cancel();
          }))));
      dialog.addEventListener("close", () => dialog.remove());
      this.root.append(dialog);
      dialog.showModal();
    })];
  }

  /** @returns {Content} */
  #formContent() {
    const { texts } = this;
    const { methods } = this.#now();
    if (methods.length === 0) {
      return this.#message("cross", texts.noMethod, [], this.#shopLink());
    }
    if (this.#form === null) {
      this.#form = this.#newForm();
      this.formPlace.replaceChildren(...this.#form.nodes);
    }
    this.#form.problem = "";
    return { nodes: this.#cancelLink(), hasForm: true };
  }

  #newForm() {
    const { order, asks, methods, encryption_key: key } = this.#now();
    /** @param {string} action @param {object} body */
    const pay = (action, body) => this.#send(action, { ...body, ...this.#insteadOf() });
    return new PaymentForm({
      texts: this.texts,
      say: (text, values) => this.#say(text, values),
      numbers: this.catalogue.numbers,
      order,
      asks: asks ?? [],
      methods,
      key,
      scheme: this.options.scheme ?? "auto",
      onAmount: (amount) => this.#drawTitle(amount),
      payByMobileMoney: (wallet) => pay("mobile-money", wallet),
      payByCard: async (card) => {
        await pay("card", card);
        this.#leaveForBank();
      },
      payOtherwise: (method, details) => pay(method.replace("_", "-"), details),
    });
  }

  /** @returns {Content} */
  #approval() {
    const { texts } = this;
    const { attempt, next_action: next } = this.#now();
    const began = attempt?.asked_at ?? 0;
    const until = next?.until ?? attempt?.stale_at ?? 0;
    const left = make("span", { class: "dgspay-left", role: "timer" });
    const bar = make("i", {});
    const silence = make("p", { class: "dgspay-soft dgspay-small", "aria-live": "polite" });
    const help = make("div", { class: "dgspay-help", "aria-live": "polite", hidden: "" });
    let helps = "";
    const show = (/** @type {string} */ name, /** @type {() => string} */ words) => {
      helps = helps === name ? "" : name;
      help.hidden = helps === "";
      help.textContent = helps === "" ? "" : words();
    };
    const elsewhere = next?.type === "redirect" && next.url
      ? [make("a", { class: "dgspay-link", href: next.url, rel: "noreferrer" }, texts.networkPage)]
      : [];
    const whenOver = () => this.#say(texts.otherNumberWhen,
      { left: this.#duration(until - this.connection.now()) });
    return {
      isCentred: true,
      nodes: [
        markOf("phone", "waiting"),
        heading(texts.wait),
        make("p", {}, this.#say(texts.waitWhat, {
          ...this.#amountOf(), network: attempt?.network ?? "", phone: attempt?.phone?.replace("…", "") ?? "",
        })),
        make("p", {}, make("span", { class: "dgspay-soft dgspay-small" }, texts.waitLeft), " ", left),
        make("div", { class: "dgspay-bar", "aria-hidden": "true" }, bar),
        silence,
        make("div", { class: "dgspay-buttons" },
          button("dgspay-quiet", texts.noPrompt, () => show("prompt", () => texts.noPromptHelp)),
          button("dgspay-quiet", texts.otherNumber, () => show("number", whenOver))),
        help,
        problemPlace(),
        ...elsewhere,
        ...this.#cancelLink(),
      ],
      tick: () => {
        const now = this.connection.now();
        const seconds = Math.max(0, Math.ceil(Math.min(until - began, until - now)));
        left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
        // By the object model: a style attribute would be refused by the page's policy.
        bar.style.transform = `scaleX(${Math.min(1, Math.max(0, (until - now) / (until - began)))})`;
        const silent = now - began;
        const words = silent > LONG_SILENCE_SECONDS ? texts.waitLong
          : silent > SILENCE_SECONDS ? texts.waitSilence : "";
        if (silence.textContent !== words) silence.textContent = words;
        if (helps === "number" && seconds % 15 === 0) help.textContent = whenOver();
      },
    };
  }

  /** @returns {Content} */
  #promptOver() {
    const { texts } = this;
    const again = button("dgspay-submit", texts.sendAgain, async () => {
      const isKept = this.#form?.hasWallet() === true;
      if (!isKept || isBusy(again)) return this.#choose();
      setBusy(again, true);
      try {
        await this.#form?.sendWallet();
      } catch (error) {
        this.#problem(error instanceof PaymentError ? error.message : texts.shopFault);
      } finally {
        setBusy(again, false);
      }
    });
    const content = this.#message("clock", texts.promptOver, [texts.promptOverWhat],
      [again, button("dgspay-quiet", texts.otherNumber, () => this.#choose())]);
    return { ...content, nodes: [...content.nodes, ...this.#cancelLink()] };
  }

  /** @returns {Content} */
  #declined() {
    const { texts } = this;
    const { attempt } = this.#now();
    const reason = texts.reasons[reasonOf(attempt?.reason ?? null)];
    const content = this.#message("cross", texts.declined, [texts.noMoney, ...this.#reference()],
      [this.#chooseButton(texts.tryAgain), ...this.#shopLink()]);
    content.nodes.splice(2, 0, make("p", { class: "dgspay-strong" }, reason));
    return { ...content, nodes: [...content.nodes, ...this.#cancelLink()] };
  }

  /** @returns {Content} */
  #pin() {
    const { texts } = this;
    const place = make("div", {});
    return {
      nodes: [
        heading(texts.pinTitle),
        make("p", { class: "dgspay-soft" }, texts.pinWhat),
        place, problemPlace(), this.#otherWay(), ...this.#cancelLink(),
      ],
      drawn: () => {
        this.#pinForm = mountPinForm(place, {
          key: this.#now().encryption_key ?? "",
          texts: texts.cardForm,
          scheme: this.options.scheme ?? "auto",
          onEncrypted: async (pin) => {
            await this.#send("pin", { ...pin, ...this.#step() });
            this.#leaveForBank();
          },
        });
        if (this.root.contains(document.activeElement)) this.#pinForm.focus();
      },
    };
  }

  #otherWay() {
    return button("dgspay-link", this.texts.otherWay, () => this.#choose());
  }

  /** @returns {Content} */
  #otp() {
    const { texts } = this;
    const otp = textField({
      label: texts.otp, autocomplete: "one-time-code", inputmode: "text",
      fault: (text) => (/^[0-9A-Za-z]{3,12}$/.test(text.replace(/[\s\p{Dash}]/gu, "")) ? null : texts.otpWrong),
    });
    otp.input.setAttribute("data-first", "");
    otp.input.setAttribute("autocapitalize", "off");
    return this.#stepForm(texts.otpTitle, texts.otpWhat, [otp], "otp",
      () => ({ otp: otp.input.value.replace(/[\s\p{Dash}]/gu, "") }));
  }

  /** @returns {Content} */
  #address() {
    const { texts } = this;
    const none = () => null;
    const line1 = textField({
      label: texts.line1, autocomplete: "billing address-line1",
      fault: (text) => (text.trim() ? null : texts.line1Missing),
    });
    const line2 = textField({ label: texts.line2, autocomplete: "billing address-line2", fault: none });
    const city = textField({ label: texts.city, autocomplete: "billing address-level2", fault: none });
    const state = textField({ label: texts.state, autocomplete: "billing address-level1", fault: none });
    const postal = textField({ label: texts.postalCode, autocomplete: "billing postal-code", fault: none });
    const country = countryField(texts, this.language);
    line1.input.setAttribute("data-first", "");
    const fields = { line1, line2, city, state, postal_code: postal, country };
    const entered = () => Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [name, field.input.value.trim()]),
    );
    const grouped = [line1, line2, [city, state], [postal, country]];
    return this.#stepForm(texts.addressTitle, texts.addressWhat,
      grouped, "address", entered);
  }

  /**
   * @param {string} title @param {string} words @param {(Field | Field[])[]} fields
   * @param {string} action @param {() => object} entered
   * @returns {Content}
   */
  #stepForm(title, words, fields, action, entered) {
    const { texts } = this;
    const confirm = button("dgspay-submit", texts.confirm, () => {});
    confirm.type = "submit";
    const rows = fields.map((field) => (Array.isArray(field)
      ? make("div", { class: "dgspay-pair" }, ...field.map(({ element }) => element))
      : field.element));
    const form = make("form", { class: "dgspay-pane", novalidate: "", "aria-label": title },
      ...rows, problemPlace(), confirm);
    const status = make("p", { class: "dgspay-status", role: "status" });
    form.append(status);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (isBusy(confirm)) return;
      this.#problem("");
      const wrong = fields.flat().filter((field) => !field.check());
      if (wrong.length > 0) return wrong[0].input.focus();
      setBusy(confirm, true);
      status.textContent = texts.checking;
      try {
        await this.#send(action, { ...entered(), ...this.#step() });
        this.#leaveForBank();
      } catch (error) {
        if (form.isConnected) this.#problem(error instanceof PaymentError ? error.message : texts.shopFault);
        if (!(error instanceof PaymentError)) throw error;
      } finally {
        setBusy(confirm, false);
        status.textContent = "";
      }
    });
    const intro = make("p", { class: "dgspay-soft" }, words);
    return { nodes: [heading(title), intro, form, this.#otherWay(), ...this.#cancelLink()] };
  }

  // --- a bank's own page -------------------------------------------------------------------

  /** @param {import("./dgspay-order.js").Attempt | null} attempt */
  #leftKey(attempt) {
    return `dgspay left ${this.options.order} ${attempt?.number} ${attempt?.step}`;
  }

  /** Whether this tab went to the bank's page for this step. @param {Shown["attempt"]} attempt */
  #hasLeftFor(attempt) {
    return storage()?.getItem(this.#leftKey(attempt)) === "yes";
  }

  /** Go to the bank's page where the answer to what was just submitted asks for it. */
  #leaveForBank() {
    const { next_action: next, attempt } = this.#now();
    const isCard = attempt?.method === "card";
    if (isCard && next?.type === "redirect" && next.url && !this.#hasLeftFor(attempt)) this.#leave(next.url);
  }

  /** @param {string} url */
  #leave(url) {
    storage()?.setItem(this.#leftKey(this.#now().attempt), "yes");
    this.#go(url);
  }

  /** @param {string} url */
  #go(url) {
    (this.options.navigate ?? ((to) => location.assign(to)))(url);
  }

  /** @param {boolean} isLeft @returns {Content} */
  #redirect(isLeft) {
    const { texts } = this;
    const { next_action: next } = this.#now();
    const go = make("a", {
      class: isLeft ? "dgspay-quiet" : "dgspay-submit", href: next?.url ?? "", rel: "noreferrer",
    }, texts.redirectGo);
    go.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#leave(next?.url ?? "");
    });
    const content = isLeft
      ? this.#message("waiting", texts.redirectBack, [texts.redirectBackWhat], [go])
      : this.#message("bank", texts.redirectTitle, [texts.redirectWhat], [go]);
    return { ...content, nodes: [...content.nodes, ...this.#cancelLink()] };
  }

  // --- what the payer pays elsewhere ----------------------------------------------------------

  /** @returns {Content} */
  #dial() {
    const { texts } = this;
    const code = this.#now().next_action?.code ?? "";
    const dial = make("a", { class: "dgspay-submit", href: `tel:${encodeURIComponent(code)}` }, texts.dialGo);
    return this.#instructions("dial", texts.dialTitle, texts.dialWhat, [[texts.dialCode, code]], [dial]);
  }

  /** @returns {Content} */
  #transfer() {
    const { texts } = this;
    const { account } = this.#now().next_action ?? {};
    return this.#instructions("bank", texts.transferTitle, texts.transferWhat, [
      [texts.receiptAmount, this.#amount() ?? ""],
      [texts.transferBank, account?.bank ?? ""],
      [texts.transferName, account?.name ?? ""],
      [texts.transferNumber, account?.number ?? ""],
      [texts.receiptReference, account?.reference ?? ""],
    ]);
  }

  /**
   * @param {string} icon @param {string} title @param {string} words
   * @param {[string, string][]} rows What to enter elsewhere, each with a button that copies it.
   * @param {Node[]} [buttons]
   * @returns {Content}
   */
  #instructions(icon, title, words, rows, buttons = []) {
    const { texts } = this;
    const list = make("dl", { class: "dgspay-receipt", "aria-label": title });
    for (const [name, value] of rows) {
      const copy = button("dgspay-copy", texts.copy, async () => {
        await navigator.clipboard.writeText(value.replaceAll("\u00a0", " "));
        copy.textContent = texts.copied;
        this.#announce(`${name}: ${texts.copied}`);
        setTimeout(() => { copy.textContent = texts.copy; }, COPIED_SECONDS * 1000);
      });
      copy.setAttribute("aria-label", `${texts.copy}: ${name}`);
      // A page that is not https has no clipboard.
      const buttons = navigator.clipboard ? [" ", copy] : [];
      list.append(make("div", {}, make("dt", {}, name), make("dd", {}, value, ...buttons)));
    }
    const isSimulated = this.#now().next_action?.is_simulated === true;
    return {
      isCentred: true,
      nodes: [
        markOf(icon, "waiting"),
        heading(title),
        make("p", { class: "dgspay-soft" }, this.#say(words, this.#amountOf())),
        ...(isSimulated ? [make("p", { class: "dgspay-notice-soft" }, texts.simulated)] : []),
        list, ...buttons, problemPlace(), this.#otherWay(), ...this.#cancelLink(),
      ],
    };
  }

  // --- the receipt -------------------------------------------------------------------------

  /** @returns {Content} */
  #receipt() {
    const { texts } = this;
    const { order, merchant, attempt } = this.#now();
    const network = NETWORKS.find(([name]) => name === attempt?.network)?.[1] ?? texts.mobileMoney;
    const methods = {
      card: texts.card,
      mobile_money: [network, attempt?.phone].filter(Boolean).join(" "),
      ussd: texts.ussd,
      bank_transfer: texts.bankTransfer,
    };
    const method = attempt ? methods[attempt.method] : null;
    const rows = [
      [texts.receiptAmount, this.#amount()],
      [texts.receiptMerchant, merchant],
      [texts.receiptDate, order.paid_at === null ? null : this.#date(order.paid_at)],
      [texts.receiptMethod, method],
      [texts.receiptReference, attempt?.reference],
      [texts.receiptOrder, order.id],
      [texts.receiptPayer, order.payer],
    ].filter(([, value]) => value);
    const list = make("dl", { class: "dgspay-receipt", "aria-label": texts.receipt });
    for (const [name, value] of rows) {
      list.append(make("div", {}, make("dt", {}, name ?? ""), make("dd", {}, value ?? "")));
    }
    const { leaving, tick } = this.#leaving();
    const print = button("dgspay-quiet", texts.print, () => {
      document.documentElement.setAttribute("data-dgspay-printing", "");
      window.print();
      document.documentElement.removeAttribute("data-dgspay-printing");
    });
    return {
      isCentred: true,
      nodes: [
        markOf("check", "good"),
        heading(texts.paid),
        make("p", { class: "dgspay-soft" }, this.#say(texts.paidWhat, this.#amountOf())),
        list,
        make("div", { class: "dgspay-buttons" }, print, ...this.#shopLink()),
        leaving,
      ],
      tick,
    };
  }

  /** Take a payer who has just paid back to the shop, who may stay. */
  #leaving() {
    const { texts } = this;
    const { shopUrl, returnSeconds } = this.options;
    const place = make("p", { class: "dgspay-leaving dgspay-soft dgspay-small" });
    if (!shopUrl || returnSeconds === undefined || !this.#hasSeenUnpaid) return { leaving: place };
    const at = performance.now() + returnSeconds * 1000;
    let isStaying = false;
    const words = make("span", {});
    const stay = button("dgspay-link", texts.stay, () => {
      isStaying = true;
      place.replaceChildren();
    });
    place.append(words, " ", stay);
    const tick = () => {
      if (isStaying) return;
      const left = (at - performance.now()) / 1000;
      words.textContent = this.#say(texts.backSoon, { left: this.#duration(left) });
      if (left > 0) return;
      isStaying = true;
      this.#go(shopUrl);
    };
    return { leaving: place, tick };
  }
}

// --- the element, where a page has no script of its own -----------------------------------------

if ("customElements" in globalThis && !customElements.get("dgspay-checkout")) {
  customElements.define("dgspay-checkout", class extends HTMLElement {
    /** @type {MountedCheckout | null} */
    #mounted = null;

    connectedCallback() {
      const given = (/** @type {string} */ name) => this.getAttribute(name) ?? undefined;
      const tell = (/** @type {string} */ name) => (/** @type {Shown} */ detail) =>
        this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
      this.#mounted = mountCheckout(this, {
        order: given("order") ?? "",
        token: given("token") ?? "",
        base: given("base"),
        lang: given("lang"),
        scheme: /** @type {"auto"} */ (given("scheme")),
        shopUrl: given("shop-url"),
        onPaid: tell("dgspay-paid"),
        onFailed: tell("dgspay-failed"),
        onClosed: tell("dgspay-closed"),
      });
    }

    disconnectedCallback() {
      this.#mounted?.destroy();
      this.#mounted = null;
    }
  });
}

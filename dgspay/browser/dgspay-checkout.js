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
import { adoptStyles, make, mountCardForm, mountPinForm, PaymentError } from "./dgspay-card.js";
import { CHECKOUT_STYLES } from "./dgspay-checkout-style.js";
import { CATALOGUES, languageOf, reasonOf, textsOf } from "./dgspay-checkout-texts.js";
import { COUNTRIES } from "./dgspay-countries.js";
import { ConnectionLostError, OrderConnection, RefusedError } from "./dgspay-order.js";

/**
 * @typedef {import("./dgspay-order.js").Shown} Shown
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
 * @property {boolean} [hasTitle] Whether the page's title says how the payment stands; true if
 *   left out.
 * @property {(shown: Shown) => void} [onPaid] Called once, when the order is seen to be paid.
 * @property {(shown: Shown) => void} [onFailed] Called for each attempt that is seen to fail.
 * @property {(shown: Shown) => void} [onClosed] Called once, when the order is seen to have
 *   expired or to be cancelled.
 * @property {(url: string) => void} [navigate] Leaves the page for a bank's; for tests.
 *
 * @typedef {object} MountedCheckout
 * @property {() => void} destroy Stop, and take it out of the page.
 *
 * @typedef {"form" | "approval" | "prompt_over" | "wait" | "wait_over" | "pin" | "otp" | "address"
 *   | "redirect" | "held" | "declined" | "paid" | "expired" | "cancelled"} View
 */

const TIME_ZONE = "Africa/Kigali";
const SILENCE_SECONDS = 20;
const LONG_SILENCE_SECONDS = 60;
const SENDING_LONG_SECONDS = 8;
const PREFIXES = { 72: "Airtel", 73: "Airtel", 78: "MTN", 79: "MTN" };
const NETWORKS = [["MTN", "MTN MoMo"], ["Airtel", "Airtel Money"]];

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
      return isChoosing ? "form" : /** @type {View} */ (kind);
    case "redirect":
      if (!isOver) return "redirect";
      return isChoosing ? "form" : "wait_over";
    default:
      if (!isOver) return "wait";
      return isChoosing ? "form" : "wait_over";
  }
}

/**
 * The nine digits of a Rwandan mobile number after the country code, or null.
 * @param {string} text In any usual form: `0788 123 456`, `+250 788…`, `00250788…`.
 */
export function localNumber(text) {
  const digits = text.replace(/[\s\u00a0().\p{Dash}]/gu, "").replace(/^(?:\+|00)?250|^0/, "").replace(/^0/, "");
  return /^7[2389][0-9]{7}$/.test(digits) ? digits : null;
}

/** The network that numbers of this prefix had at first, or null. @param {string} text */
export function networkOf(text) {
  const digits = text.replace(/[^0-9]/g, "").replace(/^(00)?250/, "").replace(/^0/, "");
  return /** @type {Record<string, string>} */ (PREFIXES)[digits.slice(0, 2)] ?? null;
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

  #amount() {
    const { amount, currency } = this.#now().order;
    return formatAmount(amount, currency, this.catalogue.numbers);
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
    if (before?.attempt?.number !== shown.attempt?.number || shown.attempt?.state === "paid") {
      this.#isChoosing = false;
    }
    this.#tellShop(shown);
    this.#draw();
  }

  /** @param {Shown} shown */
  #tellShop(shown) {
    const { order, attempt } = shown;
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
    if (error.code === "unknown_order") {
      this.#end("unknown_order", this.texts.unknownOrder, this.texts.unknownOrderWhat);
    } else {
      this.#end("fault", this.texts.declined, this.texts.shopFault);
    }
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
    const slow = setTimeout(() => this.#announce(texts.sendingLong), SENDING_LONG_SECONDS * 1000);
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
      case "unknown_order":
        return `${texts.unknownOrder}. ${texts.unknownOrderWhat}`;
      case "invalid":
        if (field === "phone") return texts.phoneWrong;
        if (field === "otp") return texts.otpWrong;
        if (field === "line1") return texts.line1Missing;
        return texts.invalid;
      default:
        return texts.shopFault;
    }
  }

  /** Number of the card attempt that the payer gives up by paying anew. */
  #insteadOf() {
    const { attempt, next_action: next } = this.#now();
    const isWithShop = ["pin", "otp", "address"].includes(next?.type ?? "");
    return attempt?.is_under_way && isWithShop ? { instead_of: attempt.number } : {};
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
    const { order, merchant } = this.#now();
    const title = /** @type {HTMLElement} */ (this.summary.querySelector(".dgspay-title"));
    const template = merchant ? texts.title : texts.titleAlone;
    const [before, after] = template.split("{amount}").map((part) =>
      this.#say(part, { merchant: merchant ?? "" }));
    title.replaceChildren(before, make("b", {}, this.#amount()), after ?? "");
    const about = make("div", { class: "dgspay-about" });
    const isOpen = order.state === "open" || order.state === "paying";
    if (order.description) about.append(make("p", {}, order.description));
    about.append(make("p", {}, this.#say(texts.order, { order: order.id })));
    about.append(make("p", {}, this.#say(texts.payerIs, { payer: order.payer })));
    if (isOpen && order.expires_at !== null) {
      about.append(make("p", {}, this.#say(texts.payUntil, { date: this.#date(order.expires_at) })));
    }
    this.summary.replaceChildren(title, about, ...(this.options.lang ? [] : [this.#languages()]));
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
      this.#draw();
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
    if (place) place.textContent = words;
    else this.#announce(words);
  }

  // --- the views ---------------------------------------------------------------------------

  /** @returns {View} */
  #viewNow() {
    return viewOf(this.#now(), { now: this.connection.now(), isChoosing: this.#isChoosing });
  }

  #everySecond() {
    if (this.#shown === null) return;
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
    if (this.options.hasTitle !== false) {
      document.title = view === "form" ? this.#title : `${heading?.textContent} · ${this.#title}`;
    }
    // The focus has a screen reader read the heading; a page that was just loaded keeps its own.
    if (!isFirst && (hadFocus || document.activeElement === document.body)) {
      const first = /** @type {HTMLElement | null} */ (this.view.querySelector("[data-first]") ?? heading);
      first?.focus();
    } else if (!isFirst) {
      this.#announce(heading?.textContent ?? "");
    }
    content.drawn?.();
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
   * @param {string} key @param {string} title @param {string} words
   */
  #end(key, title, words) {
    if (this.#key === key) return;
    this.#key = key;
    this.#leaveView();
    if (this.#shown === null) {
      this.summary.hidden = true;
      const name = /** @type {HTMLElement} */ (this.summary.querySelector(".dgspay-title"));
      name.textContent = title;
    }
    const { nodes } = this.#message("cross", title, [words], this.#shopLink());
    if (this.#shown === null) nodes[1] = heading(title, "h2");
    this.formPlace.hidden = true;
    this.view.className = "dgspay-view dgspay-centred";
    this.view.replaceChildren(...nodes);
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
    return reference ? [`${this.texts.receiptReference}: ${reference}`] : [];
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
    return button("dgspay-link", texts.cancel, () => {
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
    });
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
    this.#form.problem.textContent = "";
    return { nodes: [this.#cancelLink()], hasForm: true };
  }

  #newForm() {
    const { methods, encryption_key: key } = this.#now();
    return new PaymentForm({
      texts: this.texts,
      say: (text, values) => this.#say(text, values),
      amount: this.#amount(),
      methods,
      key,
      scheme: this.options.scheme ?? "auto",
      payByMobileMoney: async (wallet) => {
        await this.#send("mobile-money", { ...wallet, ...this.#insteadOf() });
      },
      payByCard: async (card) => {
        await this.#send("card", { ...card, ...this.#insteadOf() });
        this.#leaveForBank();
      },
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
          amount: this.#amount(), network: attempt?.network ?? "", phone: attempt?.phone?.replace("…", "") ?? "",
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
        this.#cancelLink(),
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
    return { ...content, nodes: [...content.nodes, this.#cancelLink()] };
  }

  /** @returns {Content} */
  #declined() {
    const { texts } = this;
    const { attempt } = this.#now();
    const reason = texts.reasons[reasonOf(attempt?.reason ?? null)];
    const content = this.#message("cross", texts.declined, [texts.noMoney, ...this.#reference()],
      [this.#chooseButton(texts.tryAgain), ...this.#shopLink()]);
    content.nodes.splice(2, 0, make("p", { class: "dgspay-strong" }, reason));
    return { ...content, nodes: [...content.nodes, this.#cancelLink()] };
  }

  /** @returns {Content} */
  #pin() {
    const { texts } = this;
    const place = make("div", {});
    return {
      nodes: [
        heading(texts.pinTitle),
        make("p", { class: "dgspay-soft" }, texts.pinWhat),
        place, problemPlace(), this.#otherWay(), this.#cancelLink(),
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
    return { nodes: [heading(title), intro, form, this.#otherWay(), this.#cancelLink()] };
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
    return { ...content, nodes: [...content.nodes, this.#cancelLink()] };
  }

  // --- the receipt -------------------------------------------------------------------------

  /** @returns {Content} */
  #receipt() {
    const { texts } = this;
    const { order, merchant, attempt } = this.#now();
    const network = NETWORKS.find(([name]) => name === attempt?.network)?.[1];
    const method = attempt?.method === "card" ? texts.card
      : [network ?? texts.mobileMoney, attempt?.phone].filter(Boolean).join(" ");
    const rows = [
      [texts.receiptAmount, this.#amount()],
      [texts.receiptMerchant, merchant],
      [texts.receiptDate, order.paid_at === null ? null : this.#date(order.paid_at)],
      [texts.receiptMethod, attempt ? method : null],
      [texts.receiptReference, attempt?.reference],
      [texts.receiptOrder, order.id],
      [texts.receiptPayer, order.payer],
    ].filter(([, value]) => value);
    const list = make("dl", { class: "dgspay-receipt", "aria-label": texts.receipt });
    for (const [name, value] of rows) {
      list.append(make("div", {}, make("dt", {}, name ?? ""), make("dd", {}, value ?? "")));
    }
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
        make("p", { class: "dgspay-soft" }, this.#say(texts.paidWhat, { amount: this.#amount() })),
        list,
        make("div", { class: "dgspay-buttons" }, print, ...this.#shopLink()),
      ],
    };
  }
}

// --- the form of an order that is open --------------------------------------------------------

/**
 * @typedef {object} FormDesign
 * @property {import("./dgspay-checkout-texts.js").CheckoutTexts} texts
 * @property {(text: string, values?: Record<string, string>) => string} say
 * @property {string} amount
 * @property {("mobile_money" | "card")[]} methods
 * @property {string | null} key
 * @property {"auto" | "light" | "dark"} scheme
 * @property {(wallet: { phone: string, network: string }) => Promise<void>} payByMobileMoney
 * @property {(card: import("./dgspay-card.js").EncryptedCard) => Promise<void>} payByCard
 */

class PaymentForm {
  #hasChosenNetwork = false;
  /** @type {import("./dgspay-card.js").MountedForm | null} */
  #cardForm = null;

  /** @param {FormDesign} design */
  constructor(design) {
    this.design = design;
    const { texts, say, amount } = design;
    this.heading = heading(texts.methods);
    this.wallet = make("form", { class: "dgspay-pane", novalidate: "", "aria-label": texts.mobileMoney });
    this.cardPlace = make("div", { class: "dgspay-pane" });
    this.phone = textField({
      label: texts.phone, autocomplete: "tel", inputmode: "tel", type: "tel",
      placeholder: texts.phonePlaceholder, hint: texts.phoneHint,
      fault: (text) => (localNumber(text) ? null : texts.phoneWrong),
    });
    this.networks = choices(texts.network, unique("network"),
      NETWORKS.map(([value, words]) => ({ value, words })));
    this.warning = make("p", { class: "dgspay-notice-soft", "aria-live": "polite", hidden: "" });
    this.networkFault = make("p", { class: "dgspay-error", "aria-live": "polite" });
    this.problem = problemPlace();
    this.submit = button("dgspay-submit", say(texts.pay, { amount }), () => {});
    this.submit.type = "submit";
    this.status = make("p", { class: "dgspay-status", role: "status" });
    this.wallet.append(this.phone.element, make("div", {}, this.networks, this.networkFault),
      this.warning, this.problem, this.submit, this.status);
    this.methods = choices(texts.methods, unique("method"), design.methods.map((method) => ({
      value: method,
      words: method === "card" ? texts.card : texts.mobileMoney,
      icon: method === "card" ? "card" : "phone",
    })), true);
    check(this.methods, design.methods[0]);
    this.methods.addEventListener("change", () => this.#arrange());
    this.phone.input.addEventListener("input", () => this.#guess());
    this.networks.addEventListener("change", () => {
      this.#hasChosenNetwork = true;
      this.networkFault.textContent = "";
      this.#warn();
    });
    this.wallet.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.nodes = [this.heading, ...(design.methods.length > 1 ? [this.methods] : []), this.wallet, this.cardPlace];
    this.#arrange();
  }

  destroy() {
    this.#cardForm?.destroy();
  }

  /** Whether a number that was entered here can be asked again. */
  hasWallet() {
    return this.phone.check() && checked(this.networks) !== null;
  }

  /** Ask the number that was entered here. */
  sendWallet() {
    const phone = `0${localNumber(this.phone.input.value)}`;
    return this.design.payByMobileMoney({ phone, network: checked(this.networks) ?? "" });
  }

  #arrange() {
    const { texts, say, amount, key, scheme } = this.design;
    const isCard = checked(this.methods) === "card";
    this.wallet.hidden = isCard;
    this.cardPlace.hidden = !isCard;
    if (isCard && this.#cardForm === null && key !== null) {
      this.#cardForm = mountCardForm(this.cardPlace, {
        key,
        scheme,
        keepsFields: true,
        texts: { ...texts.cardForm, pay: say(texts.pay, { amount }) },
        onEncrypted: (card) => this.design.payByCard(card),
      });
    }
  }

  /** The network follows the number, until the payer has chosen another. */
  #guess() {
    const likely = networkOf(this.phone.input.value);
    if (likely && !this.#hasChosenNetwork) {
      check(this.networks, likely);
      this.networkFault.textContent = "";
    }
    this.#warn();
  }

  #warn() {
    const { texts, say } = this.design;
    const [likely, chosen] = [networkOf(this.phone.input.value), checked(this.networks)];
    const local = this.phone.input.value.replace(/[^0-9]/g, "").replace(/^(00)?250/, "").replace(/^0/, "");
    const words = likely && chosen && likely !== chosen
      ? say(texts.networkUnlike, { prefix: `0${local.slice(0, 2)}`, network: likely }) : "";
    this.warning.hidden = words === "";
    if (this.warning.textContent !== words) this.warning.textContent = words;
  }

  async #submit() {
    const { texts } = this.design;
    if (isBusy(this.submit)) return;
    this.problem.textContent = "";
    const isPhoneRight = this.phone.check();
    const hasNetwork = checked(this.networks) !== null;
    this.networkFault.textContent = hasNetwork ? "" : texts.networkMissing;
    if (!isPhoneRight) return this.phone.input.focus();
    if (!hasNetwork) return this.networks.querySelector("input")?.focus();
    setBusy(this.submit, true);
    this.status.textContent = texts.sending;
    try {
      await this.sendWallet();
    } catch (error) {
      this.problem.textContent = error instanceof PaymentError ? error.message : texts.shopFault;
      if (!(error instanceof PaymentError)) throw error;
    } finally {
      setBusy(this.submit, false);
      this.status.textContent = "";
    }
  }
}

// --- small parts ----------------------------------------------------------------------------

let parts = 0;

/** @param {string} name */
function unique(name) {
  parts += 1;
  return `dgspay-${name}-${parts}`;
}

/** What outlives a reload of this tab; null where the browser is set to keep nothing. */
function storage() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

/** @param {string} words @param {"h2" | "h3"} [level] */
function heading(words, level = "h3") {
  return make(level, { class: "dgspay-heading", tabindex: "-1" }, words);
}

function problemPlace() {
  return make("p", { class: "dgspay-problem", role: "alert" });
}

/** @param {string} kind @param {string} words @param {() => void} onClick */
function button(kind, words, onClick) {
  const element = make("button", { class: kind, type: "button" }, words);
  element.addEventListener("click", onClick);
  return element;
}

/** @param {HTMLElement} element */
const isBusy = (element) => element.getAttribute("aria-disabled") === "true";

/** Not `disabled`: it would lose the focus. @param {HTMLElement} element @param {boolean} busy */
function setBusy(element, busy) {
  element.setAttribute("aria-disabled", String(busy));
}

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
function textField({ label, autocomplete, fault, inputmode = "text", type = "text", placeholder = "", hint = "" }) {
  const input = make("input", { id: unique("field"), type, inputmode, autocomplete, placeholder, spellcheck: "false" });
  return fieldOf(label, input, fault, hint);
}

/**
 * @param {string} label @param {HTMLInputElement | HTMLSelectElement} input
 * @param {(text: string) => string | null} fault @param {string} hint
 * @returns {Field}
 */
function fieldOf(label, input, fault, hint = "") {
  const error = make("p", { id: `${input.id}-error`, class: "dgspay-error", "aria-live": "polite" });
  const about = make("p", { id: `${input.id}-hint`, class: "dgspay-hint" }, hint);
  input.setAttribute("aria-describedby", hint ? `${error.id} ${about.id}` : error.id);
  if (fault("") !== null) input.setAttribute("aria-required", "true");
  const element = make("div", { class: "dgspay-field" },
    make("label", { for: input.id }, label), input, error, ...(hint ? [about] : []));
  const checkNow = () => {
    const words = fault(input.value) ?? "";
    input.setAttribute("aria-invalid", String(words !== ""));
    if (error.textContent !== words) error.textContent = words;
    return words === "";
  };
  input.addEventListener("input", () => error.textContent && checkNow());
  input.addEventListener("change", () => input.value && checkNow());
  return { element, input, check: checkNow };
}

/**
 * @param {import("./dgspay-checkout-texts.js").CheckoutTexts} texts @param {string} language
 * @returns {Field}
 */
function countryField(texts, language) {
  const select = make("select", { id: unique("country"), autocomplete: "billing country" },
    make("option", { value: "" }, texts.countryMissing));
  const names = new Intl.DisplayNames([language, "en"], { type: "region" });
  const sorted = COUNTRIES.map((code) => [code, names.of(code) ?? code])
    .sort(([, a], [, b]) => a.localeCompare(b, language));
  for (const [code, name] of sorted) select.append(make("option", { value: code }, name));
  return fieldOf(texts.country, select, (code) => (code ? null : texts.countryMissing));
}

/**
 * @param {string} legend @param {string} name
 * @param {{ value: string, words: string, icon?: string }[]} options @param {boolean} [isUnseen]
 *   Whether a heading beside it says the same.
 */
function choices(legend, name, options, isUnseen = false) {
  const boxes = options.map(({ value, words, icon }) => make("label", { class: "dgspay-choice" },
    make("input", { type: "radio", name, value, autocomplete: "off" }),
    icon ? iconOf(icon) : make("span", { class: "dgspay-dot", "aria-hidden": "true" }),
    make("span", {}, words)));
  return make("fieldset", {},
    make("legend", isUnseen ? { class: "dgspay-unseen" } : {}, legend),
    make("div", { class: "dgspay-choices" }, ...boxes));
}

/** @param {HTMLElement} set @returns {string | null} */
function checked(set) {
  const input = /** @type {HTMLInputElement | null} */ (set.querySelector("input:checked"));
  return input?.value ?? null;
}

/** @param {HTMLElement} set @param {string} value */
function check(set, value) {
  for (const input of set.querySelectorAll("input")) input.checked = input.value === value;
}

/** @type {Record<string, string>} */
const ICONS = {
  phone: "M8 3h8a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H8a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM11 18h2",
  card: "M4 5h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2zM2 10h20M6 15h4",
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M7 7l10 10M17 7L7 17",
  clock: "M12 3a9 9 0 1 1 0 18a9 9 0 0 1 0-18zM12 7.5V12l3 2",
  bank: "M3 10l9-6l9 6M5 10v8M10 10v8M14 10v8M19 10v8M3 20h18",
  waiting: "M12 3a9 9 0 1 1 0 18a9 9 0 0 1 0-18zM12 7.5V12l3 2",
};

/** @param {string} name */
function iconOf(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** @param {string} icon @param {string} [kind] */
function markOf(icon, kind = { cross: "bad", waiting: "waiting" }[icon] ?? "plain") {
  return make("div", { class: `dgspay-mark dgspay-mark-${kind}` }, iconOf(icon));
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

/**
 * The form of an order that is open: what the payer has yet to say, the ways to pay, their fields.
 */

import { formatAmount, parseAmount } from "./dgspay-amounts.js";
import { make, mountCardForm, PaymentError } from "./dgspay-card.js";
import {
  button, check, checked, choices, heading, isBusy, problemPlace, setBusy, textField, unique,
} from "./dgspay-fields.js";

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
export const NETWORKS = [["MTN", "MTN MoMo"], ["Airtel", "Airtel Money"]];

const PREFIXES = { 72: "Airtel", 73: "Airtel", 78: "MTN", 79: "MTN" };

/** @type {Record<Method, "phone" | "card" | "dial" | "bank">} */
const ICONS = { mobile_money: "phone", card: "card", ussd: "dial", bank_transfer: "bank" };

/** Text without the spaces, brackets and dashes that people put between digits. @param {string} text */
const closed = (text) => text.replace(/[\s\u00a0().\p{Dash}]/gu, "");

/**
 * The nine digits of a Rwandan mobile number after the country code, or null.
 * @param {string} text In any usual form: `0788 123 456`, `+250 788…`, `00250788…`.
 */
export function localNumber(text) {
  const digits = closed(text).replace(/^(?:\+|00)?250|^0/, "").replace(/^0/, "");
  return /^7[2389][0-9]{7}$/.test(digits) ? digits : null;
}

/** How a Rwandan number begins, such as `078`. @param {string} text */
function prefixOf(text) {
  const digits = text.replace(/[^0-9]/g, "").replace(/^(00)?250/, "").replace(/^0/, "");
  return `0${digits.slice(0, 2)}`;
}

/** The network that numbers of this prefix had at first, or null. @param {string} text */
export function networkOf(text) {
  return /** @type {Record<string, string>} */ (PREFIXES)[prefixOf(text).slice(1)] ?? null;
}

/**
 * Whether this can be a phone number: a Rwandan one, or one from abroad with its country code.
 * @param {string} text
 */
export function isPhoneNumber(text) {
  return localNumber(text) !== null || /^(\+|00)[1-9][0-9]{6,14}$/.test(closed(text));
}

export class PaymentForm {
  #hasChosenNetwork = false;
  /** @type {import("./dgspay-card.js").MountedForm | null} */
  #cardForm = null;
  /** @type {Partial<Record<keyof Details, Field>>} */
  #details = {};

  /** @param {FormDesign} design */
  constructor(design) {
    this.design = design;
    const { texts } = design;
    this.details = make("div", { class: "dgspay-pane" });
    this.#drawDetails();
    const hasDetails = this.details.childElementCount > 0;
    this.heading = heading(hasDetails ? texts.details : texts.methods);
    this.cardPlace = make("div", { class: "dgspay-pane" });
    this.wallet = this.#pane(texts.mobileMoney, () => this.sendWallet());
    this.phone = textField({
      label: texts.phone, autocomplete: "tel", inputmode: "tel", type: "tel",
      placeholder: texts.phonePlaceholder, hint: texts.phoneHint,
      fault: (text) => (localNumber(text) ? null : texts.phoneWrong),
    });
    this.networks = choices(texts.network, unique("network"),
      NETWORKS.map(([value, words]) => ({ value, words })));
    this.warning = make("p", { class: "dgspay-notice-soft", "aria-live": "polite", hidden: "" });
    this.networkFault = make("p", { class: "dgspay-error", "aria-live": "polite" });
    this.wallet.prepend(this.phone.element, make("div", {}, this.networks, this.networkFault), this.warning);
    this.other = this.#pane(texts.otherWays, () => {
      const method = /** @type {Method} */ (this.#method());
      return design.payOtherwise(method, this.#entered());
    });
    this.otherHint = make("p", { class: "dgspay-soft" });
    this.other.prepend(this.otherHint);
    const words = {
      mobile_money: texts.mobileMoney, card: texts.card, ussd: texts.ussd, bank_transfer: texts.bankTransfer,
    };
    this.methods = choices(texts.methods, unique("method"), design.methods.map((method) => ({
      value: method, words: words[method], icon: ICONS[method],
    })), hasDetails ? "dgspay-heading" : "dgspay-unseen");
    check(this.methods, design.methods[0]);
    this.methods.addEventListener("change", () => this.#arrange());
    this.phone.input.addEventListener("input", () => this.#guess());
    this.networks.addEventListener("change", () => {
      this.#hasChosenNetwork = true;
      this.networkFault.textContent = "";
      this.#warn();
    });
    this.nodes = [
      this.heading, ...(hasDetails ? [this.details] : []),
      ...(design.methods.length > 1 ? [this.methods] : []), this.wallet, this.cardPlace, this.other,
    ];
    this.#arrange();
  }

  destroy() {
    this.#cardForm?.destroy();
  }

  /** Show what went wrong with the way that is chosen. @param {string} words */
  set problem(words) {
    for (const pane of [this.wallet, this.other]) {
      const place = pane.querySelector(".dgspay-problem");
      if (place) place.textContent = pane.hidden ? "" : words;
    }
  }

  /** Whether a number that was entered here can be asked again. */
  hasWallet() {
    return this.#areDetailsRight(false) && this.phone.check() && checked(this.networks) !== null;
  }

  /** Ask the number that was entered here. */
  sendWallet() {
    const phone = `0${localNumber(this.phone.input.value)}`;
    const network = checked(this.networks) ?? "";
    return this.design.payByMobileMoney({ ...this.#entered(), phone, network });
  }

  #method() {
    return checked(this.methods);
  }

  // --- what the payer says beside the way to pay -------------------------------------------

  #drawDetails() {
    const { texts, say, order, asks } = this.design;
    /** @param {string} text @param {string} words */
    const unlessBlank = (text, words) => (text.trim() ? null : words);
    if (order.amount === null) {
      this.#details.amount = textField({
        label: say(texts.amount, { currency: order.currency }),
        autocomplete: "transaction-amount", inputmode: "decimal", hint: this.#amountHint(),
        fault: (text) => this.#amountFault(text),
      });
      this.#details.amount.input.addEventListener("input", () => this.#nameAmount());
    }
    if (asks.includes("name")) {
      this.#details.name = textField({
        label: texts.name, autocomplete: "name", fault: (text) => unlessBlank(text, texts.nameMissing),
      });
    }
    if (asks.includes("phone")) {
      this.#details.phone = textField({
        label: texts.contactPhone, autocomplete: "tel", inputmode: "tel", type: "tel",
        hint: texts.contactPhoneHint, fault: (text) => (isPhoneNumber(text) ? null : texts.contactPhoneWrong),
      });
    }
    if (asks.includes("address")) {
      this.#details.address = textField({
        label: texts.line1, autocomplete: "street-address",
        fault: (text) => unlessBlank(text, texts.line1Missing),
      });
    }
    this.details.append(...Object.values(this.#details).map(({ element }) => element));
    this.details.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      const forms = [this.wallet, this.other, this.cardPlace.querySelector("form")];
      forms.find((form) => form?.closest("[hidden]") === null)?.requestSubmit();
    });
  }

  #amountHint() {
    const { texts, say, order } = this.design;
    const least = order.min_amount ? this.#written(order.min_amount) : "";
    const most = order.max_amount ? this.#written(order.max_amount) : "";
    if (least && most) return say(texts.amountRange, { least, most });
    if (least) return say(texts.amountLeast, { least });
    return most ? say(texts.amountMost, { most }) : "";
  }

  /** @param {string} text */
  #amountFault(text) {
    const { texts, say, order } = this.design;
    const { amount, fault, readings } = parseAmount(text, order.currency);
    switch (fault) {
      case "ambiguous": {
        const [more, less] = readings.map((each) => this.#written(each));
        return say(texts.amountAmbiguous, { more, less });
      }
      case "too_fine":
        return say(texts.amountTooFine, { currency: order.currency });
      case "missing":
      case "not_a_number":
        return texts.amountMissing;
    }
    if (Number(amount) <= 0) return texts.amountMissing;
    if (order.min_amount && Number(amount) < Number(order.min_amount)) {
      return say(texts.amountLeast, { least: this.#written(order.min_amount) });
    }
    if (order.max_amount && Number(amount) > Number(order.max_amount)) {
      return say(texts.amountMost, { most: this.#written(order.max_amount) });
    }
    return null;
  }

  /** @param {string} amount */
  #written(amount) {
    return formatAmount(amount, this.design.order.currency, this.design.numbers);
  }

  /** The amount that the buttons name; null while the payer has chosen none that can be paid. */
  #amount() {
    const { order } = this.design;
    if (order.amount !== null) return order.amount;
    const text = this.#details.amount?.input.value ?? "";
    return this.#amountFault(text) === null ? parseAmount(text, order.currency).amount : null;
  }

  #payWords() {
    const { texts, say } = this.design;
    const amount = this.#amount();
    return amount === null ? texts.payOpen : say(texts.pay, { amount: this.#written(amount) });
  }

  /** Have every button name what will be charged. */
  #nameAmount() {
    for (const place of [this.wallet, this.cardPlace]) {
      const submit = place.querySelector(".dgspay-submit");
      if (submit) submit.textContent = this.#payWords();
    }
    this.design.onAmount(this.#amount());
  }

  /** The fields that are in sight: the number of the wallet is the payer's, too. */
  #detailsInSight() {
    return Object.values(this.#details).filter(({ element }) => !element.hidden);
  }

  /** @param {boolean} isFocused Whether the first that is wrong gets the focus. */
  #areDetailsRight(isFocused) {
    const wrong = this.#detailsInSight().filter((field) => !field.check());
    if (isFocused) wrong[0]?.input.focus();
    return wrong.length === 0;
  }

  /** @returns {Details} */
  #entered() {
    const sight = new Set(this.#detailsInSight());
    const given = Object.entries(this.#details).filter(([, field]) => sight.has(field));
    const texts = Object.fromEntries(given.map(([name, field]) => [name, field.input.value.trim()]));
    const amount = "amount" in texts ? this.#amount() : null;
    return amount === null ? texts : { ...texts, amount };
  }

  // --- the ways to pay ---------------------------------------------------------------------

  /**
   * A form with a button of its own.
   * @param {string} label @param {() => Promise<void>} send
   */
  #pane(label, send) {
    const { texts } = this.design;
    const submit = button("dgspay-submit", this.#payWords(), () => {});
    submit.type = "submit";
    const status = make("p", { class: "dgspay-status", role: "status" });
    const pane = make("form", { class: "dgspay-pane", novalidate: "", "aria-label": label },
      problemPlace(), submit, status);
    pane.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (isBusy(submit)) return;
      this.problem = "";
      if (!this.#isRight()) return;
      setBusy(submit, true);
      status.textContent = texts.sending;
      try {
        await send();
      } catch (error) {
        this.problem = error instanceof PaymentError ? error.message : texts.shopFault;
        if (!(error instanceof PaymentError)) throw error;
      } finally {
        setBusy(submit, false);
        status.textContent = "";
      }
    });
    return pane;
  }

  /** Check everything in sight in one round; the first that is wrong gets the focus. */
  #isRight() {
    const { texts } = this.design;
    const areDetailsRight = this.#areDetailsRight(true);
    if (this.#method() !== "mobile_money") return areDetailsRight;
    const isPhoneRight = this.phone.check();
    const hasNetwork = checked(this.networks) !== null;
    this.networkFault.textContent = hasNetwork ? "" : texts.networkMissing;
    if (!areDetailsRight) return false;
    if (!isPhoneRight) this.phone.input.focus();
    else if (!hasNetwork) this.networks.querySelector("input")?.focus();
    return isPhoneRight && hasNetwork;
  }

  #arrange() {
    const { texts, key, scheme } = this.design;
    const method = this.#method();
    const isCard = method === "card";
    this.wallet.hidden = method !== "mobile_money";
    this.cardPlace.hidden = !isCard;
    this.other.hidden = isCard || method === "mobile_money";
    this.otherHint.textContent = method === "ussd" ? texts.ussdHint : texts.transferHint;
    const submit = this.other.querySelector(".dgspay-submit");
    if (submit) submit.textContent = method === "ussd" ? texts.ussdGo : texts.transferGo;
    this.#details.phone?.element.toggleAttribute("hidden", method === "mobile_money");
    if (isCard && this.#cardForm === null && key !== null) {
      this.#cardForm = mountCardForm(this.cardPlace, {
        key,
        scheme,
        keepsFields: true,
        alsoCheck: () => this.#areDetailsRight(true),
        texts: { ...texts.cardForm, pay: this.#payWords() },
        onEncrypted: (card) => this.design.payByCard({ ...this.#entered(), ...card }),
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
    const words = likely && chosen && likely !== chosen
      ? say(texts.networkUnlike, { prefix: prefixOf(this.phone.input.value), network: likely }) : "";
    this.warning.hidden = words === "";
    if (this.warning.textContent !== words) this.warning.textContent = words;
  }
}

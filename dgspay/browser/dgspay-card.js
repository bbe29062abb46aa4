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
export class FieldError extends Error {
  /** @param {string} field @param {string} message */
  constructor(field, message) {
    super(`${field} ${message}`);
    this.name = "FieldError";
    this.field = field;
  }
}

/**
 * Throw it from `onEncrypted` to show its message to the payer. Any other error is shown as an
 * outcome that is not known, because a request that failed may have moved money.
 */
export class PaymentError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "PaymentError";
  }
}

/** The page was not loaded over HTTPS, so the browser offers no encryption. */
export class InsecureContextError extends Error {
  constructor() {
    super("card data can only be encrypted on a page loaded over https:// (or from localhost)");
    this.name = "InsecureContextError";
  }
}

// --- encryption ---------------------------------------------------------------------------

const NONCE_CHARACTERS = 12;
const ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Nonces this page has used. @type {Set<string>} */
const usedNonces = new Set();
/** Imported keys; they cannot be exported again. @type {Map<string, Promise<CryptoKey>>} */
const importedKeys = new Map();

/**
 * Encrypt a card's four fields under one fresh nonce.
 * @param {CardFields} card
 * @param {EncryptOptions} options
 * @returns {Promise<EncryptedCard>} The fields of `POST /charges`, and nothing else.
 * @throws {FieldError} naming the field that is wrong, never what it holds.
 * @throws {InsecureContextError} when the page was not loaded over HTTPS.
 */
export async function encryptCard(card, options) {
  const key = await importKey(options.key);
  const number = separatorsRemoved(card.number);
  if (!isDigits(number, 12, 19)) throw new FieldError("number", "must be text of 12 to 19 digits");
  if (!luhnHolds(number)) throw new FieldError("number", "is mistyped: its check digit does not fit");
  const month = String(card.expiryMonth);
  if (!/^(0?[1-9]|1[0-2])$/.test(month)) throw new FieldError("expiry_month", "must be 1 to 12");
  const year = String(card.expiryYear).padStart(2, "0");
  if (!/^(20)?[0-9]{2}$/.test(year)) throw new FieldError("expiry_year", "must be 2000 to 2099");
  if (!isDigits(card.cvv, 3, 4)) throw new FieldError("cvv", "must be text of 3 or 4 digits");
  const nonce = claimNonce(options);
  const [sealedNumber, sealedMonth, sealedYear, sealedCvv] = await Promise.all([
    seal(key, nonce, number),
    seal(key, nonce, month.padStart(2, "0")),
    seal(key, nonce, year.padStart(4, "20")),
    seal(key, nonce, card.cvv),
  ]);
  return {
    card_encrypted_number: sealedNumber,
    card_encrypted_expiry_month: sealedMonth,
    card_encrypted_expiry_year: sealedYear,
    card_encrypted_cvv: sealedCvv,
    card_nonce: nonce,
  };
}

/**
 * Encrypt a card's PIN under a fresh nonce of its own.
 * @param {string} pin 4 to 6 digits.
 * @param {EncryptOptions} options
 * @returns {Promise<EncryptedPin>}
 * @throws {FieldError} naming what is wrong, never what it holds.
 * @throws {InsecureContextError} when the page was not loaded over HTTPS.
 */
export async function encryptPin(pin, options) {
  const key = await importKey(options.key);
  if (!isDigits(pin, 4, 6)) throw new FieldError("pin", "must be text of 4 to 6 digits");
  const nonce = claimNonce(options);
  return { auth_pin_encrypted: await seal(key, nonce, pin), auth_pin_nonce: nonce };
}

/**
 * Encrypt one field as the wire format has it, without looking at what it says or whether the
 * nonce is fresh: for known-answer tests.
 * @param {string} plaintext
 * @param {{ key: string, nonce: string }} options
 * @returns {Promise<string>}
 */
export async function encryptField(plaintext, { key, nonce }) {
  checkNonce(nonce);
  return seal(await importKey(key), nonce, plaintext);
}

/** @returns {boolean} Whether this page may encrypt at all. */
export function isSecurePage() {
  return globalThis.crypto?.subtle !== undefined;
}

/** @param {string} text @returns {Promise<CryptoKey>} */
function importKey(text) {
  if (!isSecurePage()) throw new InsecureContextError();
  const compact = typeof text === "string" ? text.replace(/\s/g, "") : "";
  // 32 bytes are 43 base64 characters, whether or not the padding was copied with them.
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(compact)) {
    throw new FieldError("key", "is not the base64 text of 32 bytes (44 characters)");
  }
  let imported = importedKeys.get(compact);
  if (imported === undefined) {
    const bytes = Uint8Array.from(atob(compact.slice(0, 43) + "="), (char) => char.charCodeAt(0));
    imported = crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt"]);
    importedKeys.set(compact, imported);
  }
  return imported;
}

/** Take a nonce for one use: the caller's, or a fresh one. @param {EncryptOptions} options */
function claimNonce({ nonce, alphabet = "hex" }) {
  if (nonce === undefined) {
    do nonce = freshNonce(alphabet);
    while (usedNonces.has(nonce));
  } else {
    checkNonce(nonce);
    if (usedNonces.has(nonce)) {
      throw new FieldError("nonce", "was used before: a nonce is used once, a PIN needs its own");
    }
  }
  usedNonces.add(nonce);
  return nonce;
}

/** @param {string} nonce */
function checkNonce(nonce) {
  if (typeof nonce === "string" && /^[!-~]{12}$/.test(nonce)) return;
  const reason = nonce?.length === 2 * NONCE_CHARACTERS
    ? "has 24 characters and must have 12: the vendor's code makes 12, and they are the IV"
    : "is not exactly 12 printable ASCII characters";
  throw new FieldError("nonce", reason);
}

/** @param {"hex" | "alphanumeric"} alphabet */
function freshNonce(alphabet) {
  if (alphabet === "hex") {
    const bytes = crypto.getRandomValues(new Uint8Array(NONCE_CHARACTERS / 2));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  if (alphabet !== "alphanumeric") throw new FieldError("alphabet", "must be hex or alphanumeric");
  let nonce = "";
  while (nonce.length < NONCE_CHARACTERS) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    // 248 is 4 times 62: beyond it the first letters would come up more often.
    if (byte < 248) nonce += ALPHANUMERIC[byte % 62];
  }
  return nonce;
}

/** @param {CryptoKey} key @param {string} nonce @param {string} plaintext */
async function seal(key, nonce, plaintext) {
  const encoder = new TextEncoder();
  const algorithm = { name: "AES-GCM", iv: encoder.encode(nonce), tagLength: 128 };
  const sealed = await crypto.subtle.encrypt(algorithm, key, encoder.encode(plaintext));
  return btoa(String.fromCharCode(...new Uint8Array(sealed)));
}

// --- what a card may say ------------------------------------------------------------------

/** @param {unknown} value @param {number} least @param {number} most */
function isDigits(value, least, most) {
  return typeof value === "string" && /^[0-9]+$/.test(value)
    && value.length >= least && value.length <= most;
}

/** @param {unknown} number @returns {string} */
function separatorsRemoved(number) {
  return typeof number === "string" ? number.replace(/[ -]/g, "") : "";
}

/** @param {string} digits */
function luhnHolds(digits) {
  let total = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place]) * (place % 2 === 0 ? 1 : 2);
    total += digit > 9 ? digit - 9 : digit;
  }
  return total % 10 === 0;
}

/**
 * The card's brand by its first digits, with how its number is grouped and how long its parts
 * are. Unknown brands are taken as they come.
 */
const BRANDS = [
  {
    name: "Visa",
    starts: /^4/,
    groups: [4, 4, 4, 4, 3],
    lengths: [13, 16, 19],
    usual: 16,
    cvv: [3],
  },
  {
    name: "Mastercard",
    starts: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/,
    groups: [4, 4, 4, 4],
    lengths: [16],
    usual: 16,
    cvv: [3],
  },
  {
    name: "American Express",
    starts: /^3[47]/,
    groups: [4, 6, 5],
    lengths: [15],
    usual: 15,
    cvv: [4],
  },
];
const UNKNOWN_BRAND = {
  name: "",
  starts: /^/,
  groups: [4, 4, 4, 4, 3],
  lengths: [12, 13, 14, 15, 16, 17, 18, 19],
  usual: 19,
  cvv: [3, 4],
};

/** @param {string} number */
function brandOf(number) {
  return BRANDS.find((brand) => brand.starts.test(digitsIn(number))) ?? UNKNOWN_BRAND;
}

/** @param {string} text */
const digitsIn = (text) => text.replace(/[^0-9]/g, "");

/** @param {string} text As typed, or as the browser fills it in. */
function formatNumber(text) {
  const brand = brandOf(text);
  let rest = digitsIn(text).slice(0, brand.lengths.at(-1));
  const groups = [];
  for (const size of brand.groups) {
    if (rest) groups.push(rest.slice(0, size));
    rest = rest.slice(size);
  }
  return groups.join(" ");
}

/**
 * @param {string} text As typed, or as it is filled in: `12/28`, `12/2028`, `1228`, `2028-12`.
 * @param {boolean} isDeleting Then the separator goes with the last digit of the year.
 */
function formatExpiry(text, isDeleting) {
  const yearFirst = YEAR_FIRST.exec(text);
  if (yearFirst) return `${(yearFirst[2] ?? yearFirst[3]).padStart(2, "0")} / ${yearFirst[1]}`;
  const parts = MONTH_FIRST.exec(text);
  let digits = parts ? parts[1].padStart(2, "0") + parts[2] : digitsIn(text);
  if (/^[2-9]/.test(digits)) digits = `0${digits}`;
  const year = digits.slice(2, /^..20/.test(digits) ? 6 : 4);
  if (year || (parts && !isDeleting)) return `${digits.slice(0, 2)} / ${year}`;
  return digits.slice(0, 2);
}

const MONTH_FIRST = /^\s*([0-9]{1,2})\s*[/.\s\p{Dash}]\s*([0-9]*)\s*$/u;
// As autofill, password managers and date fields write it, with a day too. No month begins as a
// year does: what is typed key by key never comes to look like this, as a 2 becomes 02 at once.
const YEAR_FIRST =
  /^\s*(20[0-9]{2}|1[3-9]|[2-9][0-9])(?:[/.\s\p{Dash}](0?[1-9]|1[0-2])|(0[1-9]|1[0-2]))(?:[/.\p{Dash}][0-9]{1,2})?\s*$/u;

/** @param {string} text @returns {{ month: number, year: number } | null} */
function parseExpiry(text) {
  const parts = /^(0[1-9]|1[0-2]) \/ (?:20)?([0-9]{2})$/.exec(text);
  return parts ? { month: Number(parts[1]), year: 2000 + Number(parts[2]) } : null;
}

// --- the forms ----------------------------------------------------------------------------

const TEXTS = {
  cardForm: "Card details",
  number: "Card number",
  expiry: "Expiry date",
  expiryHint: "MM / YY",
  cvv: "Security code",
  pay: "Pay",
  pinForm: "Card PIN",
  pin: "Card PIN",
  confirm: "Confirm",
  privacy: "Encrypted on this device before it is sent.",
  busy: "Encrypting and sending…",
  numberMissing: "Enter your card number.",
  numberShort: "This card number is not complete.",
  numberMistyped: "Check the card number: one of its digits looks mistyped.",
  expiryMissing: "Enter the date as month and year, such as 08 / 29.",
  expiryPast: "This card has expired.",
  cvvMissing: "Enter the 3 digits on the back of the card.",
  cvvMissingAmex: "Enter the 4 digits on the front of the card.",
  pinMissing: "Enter the 4 to 6 digits of your PIN.",
  notSent: "The card could not be encrypted, so nothing was sent. Please try again.",
  unknown:
    "Something went wrong, and it is not known yet whether the payment went through. "
    + "Please check with the shop before you try again.",
  insecure:
    "Card payments are switched off: this page was not loaded over a secure connection (https).",
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
export function mountCardForm(element, options) {
  const texts = { ...TEXTS, ...options.texts };
  const now = options.now ?? (() => new Date());
  /** @type {HTMLInputElement | undefined} */
  let numberInput;
  const brand = () => brandOf(numberInput?.value ?? "");
  /** @type {Field[]} */
  const fields = [
    {
      name: "number",
      label: texts.number,
      autocomplete: "cc-number",
      placeholder: "1234 1234 1234 1234",
      format: formatNumber,
      full: (text) => digitsIn(text).length >= brandOf(text).usual,
      fault: (text) => {
        if (!text) return texts.numberMissing;
        if (!brandOf(text).lengths.includes(digitsIn(text).length)) return texts.numberShort;
        return luhnHolds(digitsIn(text)) ? null : texts.numberMistyped;
      },
    },
    {
      name: "expiry",
      label: texts.expiry,
      autocomplete: "cc-exp",
      placeholder: texts.expiryHint,
      format: formatExpiry,
      full: (text) => text.length === 7 && !text.endsWith("20"),
      fault: (text) => {
        const expiry = parseExpiry(text);
        if (!expiry) return texts.expiryMissing;
        const today = now();
        const months = (expiry.year - today.getFullYear()) * 12 + expiry.month - 1 - today.getMonth();
        return months < 0 ? texts.expiryPast : null;
      },
    },
    {
      name: "cvv",
      label: texts.cvv,
      autocomplete: "cc-csc",
      placeholder: "123",
      secret: true,
      format: (text) => digitsIn(text).slice(0, brand().cvv.at(-1)),
      full: (text) => text.length === brand().cvv.at(-1),
      fault: (text) => {
        if (brand().cvv.includes(text.length)) return null;
        return brand().cvv[0] === 4 ? texts.cvvMissingAmex : texts.cvvMissing;
      },
    },
  ];
  const form = mountForm(element, { ...options, texts }, {
    title: texts.cardForm,
    submit: texts.pay,
    fields,
    encrypt: ({ number, expiry, cvv }) => {
      const date = parseExpiry(expiry);
      return encryptCard(
        { number, expiryMonth: date?.month ?? "", expiryYear: date?.year ?? "", cvv },
        options,
      );
    },
  });
  numberInput = form.inputs.number;
  if (numberInput) {
    showBrand(numberInput, brand);
    const { cvv } = form.inputs;
    followBrand(numberInput, () => {
      cvv.placeholder = brand().cvv[0] === 4 ? "1234" : "123";
    });
  }
  return form.mounted;
}

/**
 * Draw a form for the card's PIN into an element of the page.
 * @param {HTMLElement} element An empty element outside any `<form>`.
 * @param {FormOptions & { onEncrypted: (pin: EncryptedPin) => unknown }} options
 * @returns {MountedForm}
 */
export function mountPinForm(element, options) {
  const texts = { ...TEXTS, ...options.texts };
  /** @type {Field} */
  const pin = {
    name: "pin",
    label: texts.pin,
    autocomplete: "off",
    placeholder: "••••",
    secret: true,
    format: (text) => digitsIn(text).slice(0, 6),
    full: (text) => text.length === 6,
    fault: (text) => (text.length < 4 ? texts.pinMissing : null),
  };
  return mountForm(element, { ...options, texts }, {
    title: texts.pinForm,
    submit: texts.confirm,
    fields: [pin],
    encrypt: (values) => encryptPin(values.pin, options),
  }).mounted;
}

let mountedForms = 0;

/**
 * @param {HTMLElement} element
 * @param {FormOptions & { texts: Texts, onEncrypted: (value: any) => unknown }} options
 * @param {{ title: string, submit: string, fields: Field[],
 *   encrypt: (values: Record<string, string>) => Promise<object> }} design
 */
function mountForm(element, options, design) {
  if (element.closest("form")) {
    throw new TypeError("the card form needs an element outside any <form>: a form around it "
      + "could be submitted with the card in it");
  }
  adoptStyles(element.ownerDocument);
  const { texts } = options;
  const scheme = options.scheme ?? "auto";
  if (!isSecurePage()) {
    const notice = make("p", { class: "dgspay-notice", role: "alert" }, texts.insecure);
    element.replaceChildren(make("div", { class: "dgspay", "data-scheme": scheme }, notice));
    const nothing = () => {};
    const destroy = () => element.replaceChildren();
    return { inputs: {}, mounted: { check: () => false, focus: nothing, clear: nothing, destroy } };
  }

  // At once, because a wrong key is for the page's developer to see and not for a payer.
  importKey(options.key);
  mountedForms += 1;
  const prefix = `dgspay-${mountedForms}`;
  const rows = design.fields.map((field) => drawField(field, `${prefix}-${field.name}`));
  const button = make("button", { type: "submit", class: "dgspay-submit" }, design.submit);
  const status = make("p", { class: "dgspay-status", role: "status" });
  const alert = make("p", { class: "dgspay-alert", role: "alert" });
  const form = make(
    "form",
    { class: "dgspay", "data-scheme": scheme, novalidate: "", "aria-label": design.title },
    make("div", { class: "dgspay-fields" }, ...rows.map((row) => row.element)),
    alert,
    button,
    status,
    make("p", { class: "dgspay-privacy" }, texts.privacy),
  );

  const clear = () => {
    for (const row of rows) row.clear();
    alert.textContent = "";
  };
  const check = () => rows.map((row) => row.check()).every(Boolean);
  let busy = false;
  const setBusy = (/** @type {boolean} */ now) => {
    busy = now;
    form.toggleAttribute("data-busy", now);
    // Not `disabled`: the button would lose the focus of who pressed it.
    button.setAttribute("aria-disabled", String(now));
    for (const row of rows) row.input.readOnly = now;
    status.textContent = now ? texts.busy : "";
  };
  const submit = async () => {
    if (busy) return;
    alert.textContent = "";
    const isRight = check();
    // All at once: a payer who mends one thing is not told of the next one afterwards.
    const isPageRight = options.alsoCheck?.() ?? true;
    if (!isRight || !isPageRight) {
      if (isPageRight) rows.find((row) => !row.check())?.input.focus();
      return;
    }
    const values = Object.fromEntries(rows.map((row) => [row.field.name, row.input.value]));
    setBusy(true);
    let isHandedOver = false;
    try {
      const encrypted = await design.encrypt(values);
      isHandedOver = true;
      await options.onEncrypted(encrypted);
      if (!options.keepsFields) clear();
    } catch (error) {
      // Once the fields were handed over, the money may have moved: never say that it did not.
      const words = isHandedOver ? texts.unknown : texts.notSent;
      alert.textContent = error instanceof PaymentError ? error.message : words;
      // A wrong key or a fault of the page is its developer's to see, and has no card in it.
      if (!(error instanceof PaymentError)) reportError(error);
    } finally {
      setBusy(false);
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  // The page that is left may be kept in memory, to be shown again by the back button.
  window.addEventListener("pagehide", clear);
  const leave = () => {
    window.removeEventListener("pagehide", clear);
    clear();
  };
  form.append(presence(leave));
  element.replaceChildren(form);
  return {
    inputs: Object.fromEntries(rows.map((row) => [row.field.name, row.input])),
    mounted: {
      check,
      focus: () => rows[0].input.focus(),
      clear,
      destroy: () => {
        leave();
        form.remove();
      },
    },
  };
}

/**
 * Return an element that notes when it leaves the page: whoever removes a form, by `innerHTML` or a
 * framework, may know nothing of `destroy()`, and the card must not stay in memory.
 * @param {() => void} onLeft
 */
function presence(onLeft) {
  const name = "dgspay-presence";
  if (!customElements.get(name)) {
    customElements.define(name, class extends HTMLElement {
      /** @type {() => void} */
      onLeft = () => {};

      disconnectedCallback() {
        // A form that is only moved is in the page again by then.
        queueMicrotask(() => this.isConnected || this.onLeft());
      }
    });
  }
  const element = /** @type {HTMLElement & { onLeft: () => void }} */ (document.createElement(name));
  element.onLeft = onLeft;
  element.hidden = true;
  return element;
}

/** @param {Field} field @param {string} id */
function drawField(field, id) {
  const input = make("input", {
    id,
    // No `name`: even if the form were sent the old way, it would carry no card.
    type: field.secret ? "password" : "text",
    inputmode: "numeric",
    autocomplete: field.autocomplete,
    placeholder: field.placeholder,
    spellcheck: "false",
    "aria-required": "true",
    "aria-describedby": `${id}-error`,
  });
  const error = make("p", { id: `${id}-error`, class: "dgspay-error", "aria-live": "polite" });
  const element = make(
    "div",
    { class: `dgspay-field dgspay-field-${field.name}` },
    make("label", { for: id }, field.label),
    make("div", { class: "dgspay-input" }, input),
    error,
  );
  const show = (/** @type {string | null} */ fault) => {
    input.setAttribute("aria-invalid", String(fault !== null));
    // Written only when it changes, because each writing is read aloud again.
    if (error.textContent !== (fault ?? "")) error.textContent = fault ?? "";
    return fault === null;
  };
  const check = () => show(field.fault(input.value));
  let shown = "";
  input.addEventListener("input", (event) => {
    const change = event instanceof InputEvent ? event.inputType : "";
    if (change === "deleteContentForward") deleteThroughSeparator(input, shown);
    reformat(input, (text) => field.format(text, change.startsWith("delete")));
    shown = input.value;
    const isRight = field.fault(input.value) === null;
    if (isRight) show(null);
    else if (field.full(input.value) || error.textContent) check();
  });
  // An empty field that is only passed through is not an error yet.
  input.addEventListener("blur", () => input.value && check());
  const clear = () => {
    input.value = "";
    shown = "";
    input.dispatchEvent(new Event("change"));
    show(null);
    input.removeAttribute("aria-invalid");
  };
  return { field, input, element, check, clear };
}

/** Take the next digit where Delete took a separator only, which would come back at once. */
function deleteThroughSeparator(/** @type {HTMLInputElement} */ input, /** @type {string} */ before) {
  const left = input.value;
  if (left.length >= before.length || digitsIn(left) !== digitsIn(before)) return;
  const caret = input.selectionStart ?? left.length;
  input.value = left.slice(0, caret) + left.slice(caret).replace(/[0-9]/, "");
  input.setSelectionRange(caret, caret);
}

/** Format what was typed, keeping the caret behind the same digit. */
function reformat(/** @type {HTMLInputElement} */ input, /** @type {(text: string) => string} */ format) {
  const typed = input.value;
  const formatted = format(typed);
  if (formatted === typed) return;
  const caret = input.selectionStart ?? typed.length;
  const isAtEnd = caret === typed.length;
  const digitsBefore = digitsIn(typed.slice(0, caret)).length;
  input.value = formatted;
  let place = 0;
  for (let passed = 0; passed < digitsBefore && place < formatted.length; place += 1) {
    if (/[0-9]/.test(formatted[place])) passed += 1;
  }
  if (isAtEnd) place = formatted.length;
  input.setSelectionRange(place, place);
}

/** Show the brand beside the number. The brand says nothing about the card's digits. */
function showBrand(/** @type {HTMLInputElement} */ input, /** @type {() => { name: string }} */ brand) {
  const badge = make("span", { class: "dgspay-brand", id: `${input.id}-brand`, "aria-live": "polite" });
  input.after(badge);
  input.setAttribute("aria-describedby", `${badge.id} ${input.id}-error`);
  followBrand(input, () => {
    const { name } = brand();
    if (badge.textContent === name) return;
    badge.textContent = name;
    badge.dataset.brand = name.split(" ")[0].toLowerCase();
  });
}

/** Do something whenever the brand may be another one. */
function followBrand(/** @type {HTMLInputElement} */ input, /** @type {() => void} */ show) {
  input.addEventListener("input", show);
  input.addEventListener("change", show);
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Record<string, string>} attributes @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// --- how it looks -------------------------------------------------------------------------
// A sheet made by script is allowed where inline styles are not. Pages may set the variables
// that begin with --dgspay- on the element they mount into.

const STYLES = `
.dgspay {
  --_accent: var(--dgspay-accent, #0b63ce); --_on-accent: var(--dgspay-on-accent, #fff);
  --_text: #17202e; --_soft: #56627a; --_line: #7b88a0; --_paper: #fff; --_error: #b3211e;
  --_error-paper: #fdf0ef;
  color-scheme: light; color: var(--_text); container-type: inline-size; inline-size: 100%;
  text-align: start;
  font: 400 1rem/1.4 var(--dgspay-font, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif);
}
.dgspay[data-scheme="dark"] {
  --_accent: var(--dgspay-accent, #79b4ff); --_on-accent: var(--dgspay-on-accent, #06203f);
  --_text: #edf1f8; --_soft: #aab6ca; --_line: #6f7e98; --_paper: #161d29; --_error: #ff9c94;
  --_error-paper: #33191b;
  color-scheme: dark;
}
@media (prefers-color-scheme: dark) {
  .dgspay[data-scheme="auto"] {
    --_accent: var(--dgspay-accent, #79b4ff); --_on-accent: var(--dgspay-on-accent, #06203f);
    --_text: #edf1f8; --_soft: #aab6ca; --_line: #6f7e98; --_paper: #161d29; --_error: #ff9c94;
    --_error-paper: #33191b;
    color-scheme: dark;
  }
}
.dgspay, .dgspay * { box-sizing: border-box; }
.dgspay p { margin: 0; }
.dgspay-fields { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem .875rem; align-items: start; }
.dgspay-field-number, .dgspay-field-pin { grid-column: 1 / -1; }
@container (max-width: 15rem) { .dgspay-field { grid-column: 1 / -1; } }
.dgspay label { display: block; margin-block-end: .375rem; font-size: .875rem; font-weight: 600; }
.dgspay-input { position: relative; }
.dgspay input {
  inline-size: 100%; min-block-size: 3rem; padding: .625rem .875rem; margin: 0;
  color: inherit; background: var(--_paper); font: inherit; font-variant-numeric: tabular-nums;
  letter-spacing: .015em; border: 1px solid var(--_line); border-radius: .625rem; outline: none;
  transition: border-color .12s, box-shadow .12s;
}
.dgspay input::placeholder { color: var(--_soft); opacity: 1; }
.dgspay-field-number input { padding-inline-end: 6.75rem; }
@container (max-width: 20rem) { .dgspay-field-number input { padding-inline-end: .875rem; } }
.dgspay input:hover { border-color: var(--_soft); }
.dgspay input:focus-visible {
  outline: 2px solid var(--_accent); outline-offset: -1px;
  border-color: var(--_accent); box-shadow: 0 0 0 4px color-mix(in srgb, var(--_accent) 24%, transparent);
}
.dgspay input[aria-invalid="true"] { border-color: var(--_error); box-shadow: 0 0 0 1px var(--_error); }
.dgspay input[aria-invalid="true"]:focus-visible {
  box-shadow: 0 0 0 1px var(--_error), 0 0 0 4px color-mix(in srgb, var(--_error) 24%, transparent);
}
.dgspay-brand {
  position: absolute; inset-block: 0; inset-inline-end: .75rem; margin-block: auto; block-size: 1.625rem;
  padding-inline: .5rem; border-radius: .375rem; font: 700 .75rem/1.625rem system-ui, sans-serif;
  color: #fff; background: #44516a; pointer-events: none; white-space: nowrap;
}
.dgspay-brand:empty { display: none; }
.dgspay-brand[data-brand="visa"] { background: #1a3fa8; font-style: italic; letter-spacing: .06em; text-transform: uppercase; }
.dgspay-brand[data-brand="mastercard"] { background: #9c2a10; }
.dgspay-brand[data-brand="american"] { background: #0a6a9c; }
@container (max-width: 20rem) {
  .dgspay-brand { inset-block: auto 100%; margin-block: 0 .3rem; inset-inline-end: 0; block-size: 1.375rem; line-height: 1.375rem; }
}
.dgspay-error { color: var(--_error); font-size: .875rem; }
.dgspay-error:not(:empty) { margin-block-start: .375rem; }
.dgspay-alert:not(:empty), .dgspay-notice {
  padding: .75rem .875rem; border: 1px solid var(--_error); border-radius: .625rem;
  color: var(--_error); background: var(--_error-paper);
}
.dgspay-alert:not(:empty) { margin-block-start: 1rem; }
.dgspay-submit {
  inline-size: 100%; min-block-size: 3.125rem; margin-block-start: 1.25rem; padding: .625rem 1rem;
  color: var(--_on-accent); background: var(--_accent); font: inherit; font-weight: 650;
  border: 1px solid transparent; border-radius: .625rem; cursor: pointer; transition: filter .12s;
}
.dgspay-submit:hover { filter: brightness(1.07); }
.dgspay-submit:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
.dgspay[data-busy] .dgspay-privacy { display: none; }
.dgspay .dgspay-status:not(:empty) { margin-block-start: .75rem; }
.dgspay[data-busy] .dgspay-submit { cursor: progress; opacity: .65; }
.dgspay .dgspay-privacy { margin-block-start: .75rem; color: var(--_soft); font-size: .8125rem; text-align: center; }
.dgspay-status { color: var(--_soft); font-size: .8125rem; text-align: center; }
@media (prefers-reduced-motion: reduce) { .dgspay * { transition: none !important; } }
@media (forced-colors: active) { .dgspay-brand, .dgspay-submit { border: 1px solid; } }
`;

/** The sheets that a document has. @type {WeakMap<Document, Set<string>>} */
const adopted = new WeakMap();

/**
 * Give a document a sheet, once: the forms' own if none is named.
 * @param {Document} document @param {string} [styles]
 */
export function adoptStyles(document, styles = STYLES) {
  const sheets = adopted.get(document) ?? new Set();
  if (sheets.has(styles) || !("adoptedStyleSheets" in document)) return;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  adopted.set(document, sheets.add(styles));
}

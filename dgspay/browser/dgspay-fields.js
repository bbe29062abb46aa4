/**
 * The small parts of the checkout: fields with what is wrong with them, choices, buttons, marks.
 */

import { make } from "./dgspay-card.js";
import { COUNTRIES } from "./dgspay-countries.js";

let parts = 0;

/** @param {string} name */
export function unique(name) {
  parts += 1;
  return `dgspay-${name}-${parts}`;
}

/** What outlives a reload of this tab; null where the browser is set to keep nothing. */
export function storage() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

/** @param {string} words @param {"h2" | "h3"} [level] */
export function heading(words, level = "h3") {
  return make(level, { class: "dgspay-heading", tabindex: "-1" }, words);
}

export function problemPlace() {
  return make("p", { class: "dgspay-problem", role: "alert" });
}

/** @param {string} kind @param {string} words @param {() => void} onClick */
export function button(kind, words, onClick) {
  const element = make("button", { class: kind, type: "button" }, words);
  element.addEventListener("click", onClick);
  return element;
}

/** @param {HTMLElement} element */
export const isBusy = (element) => element.getAttribute("aria-disabled") === "true";

/** Not `disabled`: it would lose the focus. @param {HTMLElement} element @param {boolean} busy */
export function setBusy(element, busy) {
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
export function textField({ label, autocomplete, fault, inputmode = "text", type = "text", placeholder = "", hint = "" }) {
  const input = make("input", { id: unique("field"), type, inputmode, autocomplete, placeholder, spellcheck: "false" });
  return fieldOf(label, input, fault, hint);
}

/**
 * @param {string} label @param {HTMLInputElement | HTMLSelectElement} input
 * @param {(text: string) => string | null} fault @param {string} hint
 * @returns {Field}
 */
export function fieldOf(label, input, fault, hint = "") {
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
export function countryField(texts, language) {
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
 * @param {{ value: string, words: string, icon?: string }[]} options
 * @param {string} [kind] Class of the legend: that of a heading, or unseen beside one.
 */
export function choices(legend, name, options, kind = "dgspay-legend") {
  const boxes = options.map(({ value, words, icon }) => make("label", { class: "dgspay-choice" },
    make("input", { type: "radio", name, value, autocomplete: "off" }),
    icon ? iconOf(icon) : make("span", { class: "dgspay-dot", "aria-hidden": "true" }),
    make("span", {}, words)));
  return make("fieldset", {},
    make("legend", { class: kind }, legend),
    make("div", { class: "dgspay-choices" }, ...boxes));
}

/** @param {HTMLElement} set @returns {string | null} */
export function checked(set) {
  const input = /** @type {HTMLInputElement | null} */ (set.querySelector("input:checked"));
  return input?.value ?? null;
}

/** @param {HTMLElement} set @param {string} value */
export function check(set, value) {
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
  dial: "M9 4L7 20M17 4l-2 16M4 9h16M3 15h16",
  info: "M12 3a9 9 0 1 1 0 18a9 9 0 0 1 0-18zM12 7.5v.5M12 11v5.5",
  waiting: "M12 3a9 9 0 1 1 0 18a9 9 0 0 1 0-18zM12 7.5V12l3 2",
};

/** @param {string} name */
export function iconOf(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** @param {string} icon @param {string} [kind] */
export function markOf(icon, kind = { cross: "bad", waiting: "waiting" }[icon] ?? "plain") {
  return make("div", { class: `dgspay-mark dgspay-mark-${kind}` }, iconOf(icon));
}

/** What every tab of the console uses: its page, the emulator's answers, dialogs and toasts. */

import { h } from "../dom.js";

export const $ = (selector) => document.querySelector(selector);

const TOAST_MILLISECONDS = 5000;

const shown = new Map();
let account = new URLSearchParams(location.search).get("account");
let refresh = async () => {};

/** What was asked for does not exist, or does no more. */
export class NotThere extends Error {}
/** What was asked for would overwrite something. */
export class Conflict extends Error {}

const ERRORS = { 404: NotThere, 409: Conflict };

/** Send a request to the emulator and return its answer. */
export async function ask(method, path, body) {
  const url = new URL(`/_emulator${path}`, location.origin);
  if (account) url.searchParams.set("account", account);
  const response = await fetch(url, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new (ERRORS[response.status] ?? Error)(answer.message);
  return answer;
}

/** Have `act` bring the page up to date by this function. */
export function refreshBy(update) {
  refresh = update;
}

/** Do something and say in a form, or else in a toast, why it did not work. */
export async function act(method, path, body, form) {
  const problem = form?.querySelector("[data-problem]");
  if (problem) problem.textContent = "";
  try {
    const answer = await ask(method, path, body);
    await refresh();
    return answer;
  } catch (error) {
    if (problem) problem.textContent = error.message;
    else toast(error.message);
    return null;
  }
}

/** The merchant whose state is shown; null for the first one. */
export const currentAccount = () => account;
export function chooseAccount(number) {
  account = number;
}

/** Approve or decline what waits for a person. */
export const decide = (reference, outcome, reason) => act(
  "POST", "/settle", { reference, outcome, ...(reason ? { reason } : {}) });

// --- showing it -----------------------------------------------------------------------------

/** Draw a part of the page when what it shows has changed, and keep the focus where it was. */
export function part(selector, value, draw) {
  if (!isNew(selector, JSON.stringify(value))) return;
  const element = $(selector);
  const focused = element.contains(document.activeElement) && document.activeElement.dataset.key;
  element.replaceChildren(...draw(value));
  if (!focused) return;
  const again = element.querySelector(`[data-key="${CSS.escape(focused)}"]`);
  // What had the focus is done with: the keyboard goes on from here, and presses nothing else.
  if (!again) element.tabIndex = -1;
  (again ?? element).focus();
}

/** Whether a value differs from the one last shown under this name; it counts as shown now. */
export function isNew(name, value) {
  if (shown.get(name) === value) return false;
  shown.set(name, value);
  return true;
}

/** Show a number on a tab. */
export function badge(tabId, count) {
  const tab = $(`#tabs a[href="#${tabId}"]`);
  const shownCount = tab.querySelector(".badge")?.textContent ?? "";
  if (shownCount === String(count || "")) return;
  tab.querySelector(".badge")?.remove();
  if (count > 0) tab.append(h("span", { class: "badge" }, String(count)));
  centreTab();
}

/** On a phone the tabs are wider than the screen: have the current one in sight. */
export function centreTab() {
  const tab = $("#tabs [aria-current]");
  if (tab) $("#tabs").scrollLeft = tab.offsetLeft - (innerWidth - tab.offsetWidth) / 2;
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch {
    toast("The browser does not allow copying here: select the text instead");
  }
}

let toastTimer;

/** Say something for a moment: in the dialog that is open, as nothing outside is read aloud then. */
export function toast(words) {
  const place = $("dialog[open] .toast") ?? $("#toast");
  place.textContent = words;
  place.classList.add("shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    place.classList.remove("shown");
    place.textContent = "";
  }, TOAST_MILLISECONDS);
}

/** Do something with a form when it is submitted. @param {(form: HTMLFormElement) => any} handle */
export function onSubmit(selector, handle) {
  $(selector).addEventListener("submit", (event) => {
    event.preventDefault();
    handle(event.currentTarget);
  });
}

/** The fields of a form that were filled in, by the names the API has for them. */
export function fieldsOf(form, kind = "field") {
  const inputs = [...form.querySelectorAll(`[data-${kind}]`)]
    .filter((input) => input.value.trim() !== "" && !input.closest("[hidden]"));
  return Object.fromEntries(inputs.map((input) => [input.dataset[kind], input.value.trim()]));
}

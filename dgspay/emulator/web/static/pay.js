/** The page of a payment link: reads what the payer enters, starts the payment, follows it. */

import { amountText, number } from "./amounts.js";
import { parseAmount } from "./dgspay-amounts.js";
import { PaymentError, mountCardForm } from "./dgspay-card.js";
import { Refused, call, follow } from "./payment.js";

const page = document.querySelector("#pay");
const details = document.querySelector("#details");
const phone = document.querySelector("#phone");
const phoneField = document.querySelector("#phone-field");
const submit = document.querySelector("#submit");
const problem = document.querySelector("#problem");
const checkout = document.querySelector("#checkout");
const progress = document.querySelector("#progress");
const cardPlace = document.querySelector("#card");
const { key, slug, currency } = page.dataset;

// Sent with every try of one payment, so that a tap that is sent twice pays once. It is kept until
// an answer has come: a page that is loaded anew after a lost one goes on with it.
const attemptKept = `dgspay attempt ${slug}`;
const storage = storageOfTab();
const attempt = storage?.getItem(attemptKept)
  ?? crypto.randomUUID?.() ?? String(Math.random()).slice(2).padEnd(12, "0");
let cardForm;

/** What outlives a reload; null where the browser is set to keep nothing. */
function storageOfTab() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

const method = () => details.elements.payment_type.value
  || details.querySelector("[name=payment_type]:checked").value;

/** The part of a Rwandan number after the country code, or null. */
function localPart(text) {
  const digits = text.replace(/[\s()-]/g, "").replace(/^(\+?250|0)/, "");
  return /^7[2389][0-9]{7}$/.test(digits) ? digits : null;
}

/** What is wrong with a field, in words; null when nothing is. */
const faults = {
  amount: (input) => {
    const { amount, fault, readings } = parseAmount(input.value, currency);
    if (fault === "ambiguous") {
      const [more, less] = readings.map((each) => amountText(Number(each), currency));
      return `Do you mean ${more} or ${less}? Write it without a comma, and with two decimals.`;
    }
    if (fault === "too_fine" && "whole" in input.dataset) {
      return `Enter a whole amount: ${currency} has no smaller coin.`;
    }
    if (amount === null || Number(amount) <= 0) return "Enter an amount.";
    if (input.dataset.min && Number(amount) < Number(input.dataset.min)) {
      return `The least is ${amountText(Number(input.dataset.min), currency)}.`;
    }
    if (input.dataset.max && Number(amount) > Number(input.dataset.max)) {
      return `The most is ${amountText(Number(input.dataset.max), currency)}.`;
    }
    return null;
  },
  name: (input) => (input.value.trim() ? null : "Enter your name."),
  address: (input) => (input.value.trim() ? null : "Enter your address."),
  phone: (input) => {
    if (phoneField.hidden || localPart(input.value)) return null;
    return "Enter a Rwandan mobile number, such as 0789 654 321.";
  },
};

function check(input) {
  const fault = faults[input.id]?.(input) ?? null;
  input.setAttribute("aria-invalid", String(fault !== null));
  const error = input.closest(".field").querySelector(".error");
  if (error.textContent !== (fault ?? "")) error.textContent = fault ?? "";
  return fault;
}

/** Check every field; the first that is wrong gets the focus. */
function checkAll() {
  const wrong = textFields().filter((input) => check(input));
  wrong[0]?.focus();
  return wrong.length === 0;
}

const textFields = () => [...details.querySelectorAll(".field input")];

function body() {
  const sent = { payment_type: method() };
  for (const input of textFields()) {
    if (input.id === "amount") sent.amount = number(input.value, currency);
    else if (!phoneField.hidden || input.id !== "phone") sent[input.id] = input.value.trim();
  }
  if (method() === "mobile_money") {
    sent.mobile_money_phone = localPart(phone.value);
    sent.mobile_money_network = details.querySelector("[name=network]:checked").value;
  }
  return sent;
}

async function start(extra = {}) {
  const path = `/generation/pay/${encodeURIComponent(slug)}/payments`;
  storage?.setItem(attemptKept, attempt);
  const state = await call(path, { ...body(), ...extra }, { "Idempotency-Key": attempt });
  storage?.removeItem(attemptKept);
  history.replaceState(null, "", `?payment=${encodeURIComponent(state.reference)}`);
  show(state);
}

/** `leaves`: a payer who has come back from the shop is not sent there again. */
function show(state, leaves = true) {
  checkout.hidden = true;
  cardForm?.destroy();
  follow(state, {
    element: progress,
    key,
    leaves,
    onAgain: () => location.assign(location.pathname),
  });
}

/** Say why it did not work; when the link itself has ended, its page says so. */
function explain(error) {
  if (error.linkStatus && error.linkStatus !== "active") {
    location.assign(location.pathname);
    return "";
  }
  if (error instanceof Refused) return error.message;
  return "The connection failed, and it is not known whether the payment was started. "
    + "Try again: you will not pay twice.";
}

details.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (submit.getAttribute("aria-disabled") === "true" || method() === "card") return;
  problem.textContent = "";
  if (!checkAll()) return;
  submit.setAttribute("aria-disabled", "true");
  try {
    await start();
  } catch (error) {
    problem.textContent = explain(error);
  } finally {
    submit.setAttribute("aria-disabled", "false");
  }
});

async function payByCard(card) {
  if (!checkAll()) throw new PaymentError("Complete the fields above first.");
  try {
    await start(card);
  } catch (error) {
    throw error instanceof Refused ? new PaymentError(explain(error)) : error;
  }
}

function payText() {
  const chosen = document.querySelector("#amount");
  const amount = chosen ? Number(parseAmount(chosen.value, currency).amount ?? 0) : 0;
  if (page.dataset.amount) return `Pay ${page.dataset.amount} ${currency}`;
  return amount > 0 ? `Pay ${amountText(amount, currency)}` : "Pay";
}

/** Show the fields of the chosen way to pay. */
function arrange() {
  const chosen = method();
  const isMobile = chosen === "mobile_money";
  phoneField.hidden = !isMobile && phoneField.dataset.collect === "no";
  phoneField.querySelector("label").textContent = isMobile ? "Mobile Money number" : "Phone number";
  document.querySelector("#network-field").hidden = !isMobile;
  document.querySelector("#privacy").hidden = !isMobile;
  submit.hidden = chosen === "card";
  cardPlace.hidden = chosen !== "card";
  document.querySelector("#test-cards").hidden = chosen !== "card";
  if (chosen === "card" && !cardForm) {
    cardForm = mountCardForm(cardPlace, { key, onEncrypted: payByCard, texts: { pay: payText() } });
  }
  nameSum();
}

/** Have both buttons name what will be charged. */
function nameSum() {
  for (const button of [submit, cardPlace.querySelector(".dgspay-submit")]) {
    if (button) button.textContent = payText();
  }
}

details.addEventListener("change", arrange);
details.addEventListener("input", (event) => {
  const input = event.target;
  if (input.getAttribute("aria-invalid") === "true") check(input);
  if (input.id === "amount") nameSum();
  if (input === phone) {
    // The prefix gives the network; the payer may still choose another.
    const network = { 78: "MTN", 79: "MTN", 72: "Airtel", 73: "Airtel" }[
      input.value.replace(/[\s()-]/g, "").replace(/^(\+?250|0)/, "").slice(0, 2)];
    if (network) details.querySelector(`[name=network][value=${network}]`).checked = true;
  }
});
details.addEventListener("focusout", (event) => {
  if (event.target.matches(".field input") && event.target.value) check(event.target);
});

arrange();
const earlier = new URLSearchParams(location.search).get("payment");
if (earlier) {
  call(`/generation/authorize/${encodeURIComponent(earlier)}/state`).then((state) => {
    show(state, state.status === "pending");
  }, () => {
    history.replaceState(null, "", location.pathname);
  });
}

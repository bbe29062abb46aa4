// What the checkout decides without a page: amounts, reasons, languages, what to show.

import assert from "node:assert/strict";
import { test } from "node:test";

import { formatAmount, parseAmount } from "../../dgspay/browser/dgspay-amounts.js";
import { CATALOGUES, languageOf, reasonOf, textsOf } from "../../dgspay/browser/dgspay-checkout-texts.js";
import { viewOf } from "../../dgspay/browser/dgspay-checkout.js";
import { LINK_TEXTS } from "../../dgspay/emulator/web/static/link_texts.js";
import { isPhoneNumber, localNumber, networkOf } from "../../dgspay/browser/dgspay-payment-form.js";

const plain = (text) => text.replace(/[\u00a0\u202f]/g, " ");

for (const [text, currency, amount] of [
  ["10,50", "USD", "10.5"], ["10.50", "USD", "10.5"], ["0,500", "USD", "0.5"],
  ["1050,500", "USD", "1050.5"], ["1,050.25", "USD", "1050.25"], ["1.050,25", "USD", "1050.25"],
  ["1 050,25", "USD", "1050.25"], ["1,050,000", "RWF", "1050000"], ["15 000", "RWF", "15000"],
  ["1,050", "RWF", "1050"], ["0012", "RWF", "12"], [",5", "USD", "0.5"],
  ["9999999999999999.99", "USD", "9999999999999999.99"],
]) {
  test(`amount: ${text} ${currency}`, () => assert.equal(parseAmount(text, currency).amount, amount));
}

for (const [text, currency, fault] of [
  ["1,050", "USD", "ambiguous"], ["1.050", "USD", "ambiguous"], ["10,50", "RWF", "too_fine"],
  ["10.505", "USD", "ambiguous"], ["1.0505", "USD", "too_fine"], ["", "USD", "missing"],
  ["-5", "USD", "not_a_number"], ["1e5", "USD", "not_a_number"], ["1,05,0", "USD", "not_a_number"],
  ["1,2.3,4", "USD", "not_a_number"], ["١٢", "USD", "not_a_number"],
]) {
  test(`no amount: ${text} ${currency}`, () => {
    const read = parseAmount(text, currency);
    assert.deepEqual([read.amount, read.fault], [null, fault]);
  });
}

test("an amount that may be two is asked about", () => {
  assert.deepEqual(parseAmount("1,050", "USD").readings, ["1050", "1.050"]);
});

test("amounts are written with the decimals of their currency", () => {
  assert.equal(plain(formatAmount("15000", "RWF", "en")), "15,000 RWF");
  assert.equal(plain(formatAmount("15000", "RWF", "fr")), "15 000 RWF");
  assert.equal(plain(formatAmount("10.5", "USD", "en")), "10.50 USD");
  assert.equal(plain(formatAmount("38.5", "RWF", "en")), "38.5 RWF");
});

for (const [code, reason] of [
  ["05", "declined"], ["51", "funds"], ["54", "cardExpired"], ["55", "pin"], ["57", "notPermitted"],
  ["61", "limit"], ["N7", "cvv"], ["3", "shop"], ["not_sent", "notSent"], ["rejected:90", "shop"], ["cancelled", "cancelled"],
  ["Insufficient funds", "funds"], ["Customer rejected the request", "refused"],
  ["Request timed out", "timedOut"], ["Subscriber not found", "noWallet"], ["Expired card", "cardExpired"],
  ["something new", "declined"], [null, "declined"],
]) {
  test(`reason: ${code}`, () => assert.equal(reasonOf(code), reason));
}

test("every language has every text, with the same places to fill in", () => {
  const shape = (texts) => Object.entries(texts).map(([name, text]) => (typeof text === "object"
    ? [name, shape(text)] : [name, (text.match(/\{\w+\}/g) ?? []).sort()])).sort();
  for (const { texts } of Object.values(CATALOGUES)) {
    assert.deepEqual(shape(texts), shape(CATALOGUES.en.texts));
  }
});

test("languages but English are marked as to be reviewed", () => {
  const reviewed = Object.entries(CATALOGUES).filter(([, each]) => each.isReviewed).map(([name]) => name);
  assert.deepEqual(reviewed, ["en"]);
});

test("the language is the payer's first that there is", () => {
  assert.equal(languageOf(["de-DE", "fr-CA", "en"]), "fr");
  assert.equal(languageOf(["constructor", ""]), "en");
});

test("one text can be replaced, also a reason", () => {
  const texts = textsOf("fr", { wait: "Hé", reasons: { funds: "Non" } });
  assert.deepEqual([texts.wait, texts.reasons.funds], ["Hé", "Non"]);
  assert.equal(texts.reasons.pin, CATALOGUES.fr.texts.reasons.pin);
});

for (const text of ["0788123456", "+250 788 123 456", "00250788123456", "250-788-123-456", "788123456"]) {
  test(`number: ${text}`, () => {
    assert.equal(localNumber(text), "788123456");
    assert.equal(networkOf(text), "MTN");
  });
}

for (const [text, expected] of [
  ["0788123456", true], ["+254 712 345 678", true], ["0033 6 12 34 56 78", true], ["+1 (415) 555-0132", true],
  ["712345678", false], ["+250 788", false], ["12", false], ["", false],
]) {
  test(`a payer's number, perhaps from abroad: ${text}`, () => assert.equal(isPhoneNumber(text), expected));
}

const ORDER = { id: "A", amount: "1", currency: "RWF", state: "paying", expires_at: null, paid_at: null };
const ATTEMPT = { number: 1, method: "mobile_money", state: "pending", is_under_way: true, stale_at: 100 };
const view = (attempt, next, { now = 0, isChoosing = false, state = "paying" } = {}) =>
  viewOf({ order: { ...ORDER, state }, attempt, next_action: next && { type: next } }, { now, isChoosing });

for (const [name, shown, expected] of [
  ["an order that is open", view(null, null, { state: "open" }), "form"],
  ["a prompt", view(ATTEMPT, "approval"), "approval"],
  ["a prompt with a page of the network's", view(ATTEMPT, "redirect"), "approval"],
  ["a prompt that is over", view(ATTEMPT, "approval", { now: 100 }), "prompt_over"],
  ["another number while the prompt is out", view(ATTEMPT, "approval", { isChoosing: true }), "approval"],
  ["another number afterwards", view(ATTEMPT, "approval", { now: 100, isChoosing: true }), "form"],
  ["a card's page", view({ ...ATTEMPT, method: "card" }, "redirect"), "redirect"],
  ["another way instead of a PIN", view({ ...ATTEMPT, method: "card" }, "pin", { isChoosing: true }), "form"],
  ["a code to dial", view({ ...ATTEMPT, method: "ussd" }, "dial", { now: 100 }), "dial"],
  ["another way instead of a transfer", view({ ...ATTEMPT, method: "bank_transfer" }, "transfer", { isChoosing: true }), "form"],
  ["a step that is unknown", view(ATTEMPT, "wait", { isChoosing: true }), "wait"],
  ["a step that this page does not know", view(ATTEMPT, "unknown"), "wait"],
  ["a payment that is held", view({ ...ATTEMPT, state: "held" }, null), "held"],
  ["a decline", view({ ...ATTEMPT, state: "failed", is_under_way: false }, null), "declined"],
  ["paid, whatever else", view(ATTEMPT, "approval", { state: "paid", isChoosing: true }), "paid"],
]) {
  test(`shows ${name}`, () => assert.equal(shown, expected));
}

test("a payment link's words replace texts that there are, in every language alike", () => {
  const shape = (texts) => Object.entries(texts).map(([name, text]) => (typeof text === "object"
    ? [name, shape(text)] : [name, (text.match(/\{\w+\}/g) ?? []).sort()])).sort();
  assert.deepEqual(Object.keys(LINK_TEXTS), Object.keys(CATALOGUES));
  for (const texts of Object.values(LINK_TEXTS)) {
    assert.deepEqual(shape(texts), shape(LINK_TEXTS.en));
    for (const name of Object.keys(texts)) assert.ok(name in CATALOGUES.en.texts, name);
  }
});

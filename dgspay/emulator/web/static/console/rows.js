/** The rows of the console, one function for each kind. */

import { amountText } from "../amounts.js";
import { button, h } from "../dom.js";

const METHODS = { mobile_money: "Mobile Money", card: "Card", ussd: "USSD", bank_transfer: "Bank" };

const AWAITED = { pin: "PIN", otp: "code", avs: "address" };

/** A status as a coloured word. */
function tag(status) {
  const kind = { successful: "good", active: "good", failed: "bad", pending: "wait",
    processing: "wait" }[status] ?? "idle";
  return h("span", { class: `tag ${kind}` }, status);
}

/** A row: what it is, facts about it in small print, figures and a state, and what can be done. */
function row(main, under, ...side) {
  const [figures, actions] = [false, true].map((isAction) => side.filter(
    (child) => child && child.classList.contains("small") === isAction));
  return h("li", {}, h("div", { class: "row-main" },
    h("p", { class: "strong" }, ...[main].flat()),
    under && h("p", { class: "soft small-text" }, ...inPieces(under))),
  h("div", { class: "row-side" },
    figures.length > 0 ? h("div", { class: "row-figures" }, ...figures) : null,
    actions.length > 0 ? h("div", { class: "row-actions" }, ...actions) : null));
}

/** Text whose moments are not broken in two at the end of a line. */
function inPieces(text) {
  return text.split(/(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)/).map((piece, place) => (
    place % 2 === 1 ? h("span", { class: "moment" }, piece) : piece));
}

const money = (amount, currency) => h("span", { class: "money" }, amountText(amount, currency));
const facts = (...parts) => parts.filter(Boolean).join(" · ");

export function balance({ currency, available, pending }) {
  return h("div", { class: "tile" }, h("p", {}, `${currency} available`),
    h("p", { class: "big" }, amountText(available, "").trim()),
    h("p", {}, pending ? `${amountText(pending, currency)} pending` : "nothing pending"));
}

export function handset(payment, decide) {
  const { reference, awaits } = payment;
  const page = `/generation/authorize/${encodeURIComponent(reference)}`;
  // Who was asked for a PIN may also walk away: the use of the link that is held is free again.
  const choices = [
    awaits
      ? h("a", { class: "small primary", href: page, target: "_blank", rel: "noopener" },
        `Enter ${AWAITED[awaits]}`)
      : button("Approve", `approve ${reference}`, () => decide(reference, "approve"), "primary"),
    button("Decline", `decline ${reference}`,
      () => decide(reference, "decline", "Customer rejected the request")),
  ];
  return h("article", { class: "phone", "aria-label": `Handset for ${reference}` },
    h("p", { class: "carrier" }, h("span", {}, payment.network ?? METHODS[payment.method]),
      h("span", {}, payment.phone ? `0${payment.phone}` : payment.card ? `•••• ${payment.card}` : "")),
    h("div", { class: "phone-body" },
      h("p", { class: "soft small-text" }, payment.payer),
      h("p", { class: "big" }, amountText(payment.amount, payment.currency)),
      h("p", { class: "soft small-text" }, payment.narration ?? reference)),
    h("div", { class: "pair-buttons" }, ...choices));
}

export function news({ at, what, status, money: sum }) {
  return row(what, at, h("span", { class: "money" }, sum), tag(status));
}

export function request(one, show) {
  const status = one.status ?? "lost";
  const kind = one.status === null || one.status >= 500 ? "bad" : one.status >= 400 ? "wait" : "good";
  return row([h("span", { class: "method" }, one.method), one.path + (one.query && `?${one.query}`)],
    facts(one.at, one.fault && `fault: ${one.fault}`),
    h("span", { class: `tag ${kind}` }, String(status)),
    button("Show", `request ${one.id}`, () => show(one.id)));
}

export function key({ key: text, answered }) {
  return row(h("code", {}, text), null,
    h("span", { class: `tag ${answered ? "good" : "wait"}` }, answered ? "answered" : "in flight"));
}

export function transaction(payment) {
  const by = payment.card ? `Card •••• ${payment.card}`
    : facts(METHODS[payment.method], payment.phone && `0${payment.phone}`);
  return row(payment.payer, facts(payment.reference, by, payment.at, payment.reason),
    money(payment.amount, payment.currency), tag(payment.status));
}

export function conversion(one, decide) {
  const sums = `${amountText(one.from_amount, one.from_currency)} → ${
    amountText(one.to_amount, one.to_currency)}`;
  return row(sums, facts(one.reference, one.at), tag(one.status), ...choices(one, decide));
}

/** What the payer of a flexible link may choose. */
function limits({ min_amount: least, max_amount: most, currency }) {
  if (least && most) return `${amountText(least, "").trim()} to ${amountText(most, currency)}`;
  if (least) return `from ${amountText(least, currency)}`;
  return most ? `up to ${amountText(most, currency)}` : "Flexible";
}

export function link(one, { archive, copy }) {
  const sum = h("span", { class: "money" }, one.amount ? amountText(one.amount, one.currency) : limits(one));
  const isActive = one.status === "active";
  return row(one.title, facts(`/${one.slug}`, `paid ${one.use_count}${
    one.max_uses ? ` of ${one.max_uses}` : ""}`, one.payment_types.length < Object.keys(METHODS).length
    && one.payment_types.map((type) => METHODS[type]).join(", "), one.created_at,
  one.expires_at && `expires ${one.expires_at}`), sum, tag(one.status),
  isActive ? h("a", { class: "small primary", href: new URL(one.url).pathname, target: "_blank",
    rel: "noopener", "data-key": `open ${one.id}` }, "Open") : null,
  button("Copy URL", `copy ${one.id}`, () => copy(one.url)),
  isActive ? button("Archive", `archive ${one.id}`, () => archive(one.id)) : null);
}

export function payout(transfer, decide) {
  return row(transfer.name ?? transfer.to, facts(transfer.reference,
    `${transfer.at_provider} ${transfer.to}`,
    `gets ${amountText(transfer.recipient_gets, transfer.currency)}`, transfer.at, transfer.reason),
  money(transfer.amount, transfer.currency), tag(transfer.status), ...choices(transfer, decide));
}

function choices({ is_open: isOpen, reference }, decide) {
  return isOpen ? [
    button("Settle", `settle ${reference}`, () => decide(reference, "approve"), "primary"),
    button("Fail", `fail ${reference}`, () => decide(reference, "decline", "Failed by hand")),
  ] : [];
}

export function delivery(one, { resend, showDelivery }) {
  const words = one.delivered ? "delivered" : one.url === null && !one.tried ? "recorded"
    : one.next_at ? "waiting" : one.tried ? "given up" : "not sent";
  const kind = { delivered: "good", waiting: "wait", "given up": "bad" }[words] ?? "idle";
  const answer = one.tried ? `${one.tried} × , last ${one.status ?? one.error}`.replace(" × ,", "×,") : null;
  return row(one.event, facts(one.reference, one.url ?? "no receiver", answer,
    one.next_at && `again at ${one.next_at}`, ...one.treatment),
  one.warning ? h("span", { class: "tag wait", title: one.warning }, "doubtful 2xx") : null,
  h("span", { class: `tag ${kind}` }, words),
  button("Show", `delivery ${one.id}`, () => showDelivery(one.id)),
  one.url ? button("Resend", `resend ${one.id}`, () => resend(one.id)) : null);
}

const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1);
const next = (count, what) => (
  count === 1 ? `for the next ${what}` : `for the next ${count} ${what}s`);

export function mode({ words, remaining, seconds }) {
  return row(words, facts(next(remaining, "webhook"), seconds && `${seconds} s`),
    h("span", { class: "tag wait" }, "waiting"));
}

export function snapshot({ name, taken_at: at, size }, { restore, forget }) {
  return row(name, facts(at, `${size.toLocaleString("en")} records`),
    button("Restore", `restore ${name}`, () => restore(name), "primary"),
    button("Delete", `forget ${name}`, () => forget(name)));
}

export function fault(one, cancel) {
  const often = facts(one.remaining && next(one.remaining, "request"),
    one.probability && `for ${Math.round(one.probability * 100)} % of requests`);
  return row(sentence(one.words), facts(one.route === "*" ? "every route" : one.route, often),
    button("Remove", `fault ${one.id}`, () => cancel(one.id)));
}

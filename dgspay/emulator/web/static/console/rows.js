/** The rows of the console, one function for each kind. */

import { formatAmount } from "../dgspay-amounts.js";
import { button, h } from "../dom.js";
import { addressOf } from "./view.js";

const METHODS = { mobile_money: "Mobile Money", card: "Card", ussd: "USSD", bank_transfer: "Bank" };

const AWAITED = { pin: "PIN", otp: "code", avs: "address" };

const KINDS = {
  successful: "good", active: "good", delivered: "good", failed: "bad", "given up": "bad",
  pending: "wait", processing: "wait", waiting: "wait",
};

/** An amount, with two decimals where its currency has them. */
export const amountText = (amount, currency) => formatAmount(amount, currency, "en");

/** A status as a coloured word. */
export const tag = (status, kind = KINDS[status] ?? "idle") => h(
  "span", { class: `tag ${kind}` }, status);

/** A row: what it is, facts about it in small print, figures and a state, and what can be done. */
export function row(main, under, ...side) {
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

const facts = (...parts) => parts.filter(Boolean).join(" · ");

/** An amount in a column: figures stand under figures, currencies under currencies. */
function money(amount, currency) {
  const [figures, code] = amountText(amount, currency).split("\u00a0");
  return h("span", { class: "money" }, figures, " ", h("span", { class: "currency" }, code));
}

const cell = (kind, ...content) => h("td", kind ? { class: kind } : {}, ...content);

/** A cell with what a row is about; on a phone it also holds what has no column there. */
const aboutCell = (main, reason, narrow) => cell("about", h("p", { class: "strong" }, main),
  reason && h("p", { class: "soft small-text" }, reason),
  h("p", { class: "soft small-text narrow-only" }, ...inPieces(narrow)));

const momentCell = (at) => cell("wide-only", h("span", { class: "moment" }, at));
const codeCell = (reference) => cell("wide-only", h("code", {}, reference));

/** A link to the drawer of a payment, which opens beside the list as it is. */
function paymentLink(reference, words) {
  const query = new URLSearchParams({ payment: reference });
  const link = h("a", {
    href: `#transactions?${query}`, "data-key": `payment ${reference}`,
    "aria-label": `${words}, ${reference}` }, words);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    location.hash = addressOf({ payment: reference });
  });
  return link;
}

export const byWhom = ({ card, method, phone }) => (
  card ? `Card •••• ${card}` : facts(METHODS[method], phone && `0${phone}`));

export function balance({ currency, available, arriving, pending, pending_payments: payments }) {
  const [figures, code] = amountText(available, currency).split("\u00a0");
  return h("div", { class: "tile" }, h("p", {}, `${code} available`),
    h("p", { class: "big" }, figures),
    h("p", {}, payments
      ? `${amountText(pending, currency)} pending in ${payments.toLocaleString("en")} payment${
        payments === 1 ? "" : "s"}` : "No payment pending"),
    arriving ? h("p", {}, `${amountText(arriving, currency)} on the way from conversions`) : null);
}

/** The buttons that decide a pending payment. */
export function decisions(payment, decide) {
  const { reference, awaits } = payment;
  const page = `/generation/authorize/${encodeURIComponent(reference)}`;
  const about = `${amountText(payment.amount, payment.currency)}, ${reference}`;
  // Who was asked for a PIN may also walk away: the use of the link that is held is free again.
  return [
    awaits
      ? h("a", { class: "small primary", href: page, target: "_blank", rel: "noopener",
        "aria-label": `Enter ${AWAITED[awaits]} for ${about}` }, `Enter ${AWAITED[awaits]}`)
      : button("Approve", about, () => decide(reference, "approve"), "primary"),
    button("Decline", about, () => decide(reference, "decline", "Customer rejected the request")),
  ];
}

export function handset(payment, decide) {
  const { reference, network, method, phone, card, narration, payer } = payment;
  return h("article", { class: "phone", "aria-label": `Handset for ${reference}` },
    h("p", { class: "carrier" }, h("span", {}, network ?? METHODS[method]),
      h("span", {}, phone ? `0${phone}` : card ? `•••• ${card}` : "")),
    h("div", { class: "phone-body" },
      h("p", { class: "soft small-text" }, payer),
      h("p", { class: "big" }, amountText(payment.amount, payment.currency)),
      h("p", { class: "soft small-text" }, narration ?? reference)),
    h("div", { class: "pair-buttons" }, ...decisions(payment, decide)));
}

export function news({ at, what, status, money: sum }) {
  return row(what, at, h("span", { class: "money" }, sum), tag(status));
}

export function request(one, show) {
  const status = one.status ?? "lost";
  const kind = one.status === null || one.status >= 500 ? "bad" : one.status >= 400 ? "wait" : "good";
  return row([h("span", { class: "method" }, one.method), one.path + (one.query && `?${one.query}`)],
    facts(one.at, one.fault && `fault: ${one.fault}`),
    tag(String(status), kind),
    button("Show", `request ${one.id}`, () => show(one.id)));
}

export function key({ key: text, answered }) {
  return row(h("code", {}, text), null,
    answered ? tag("answered", "good") : tag("in flight", "wait"));
}

export function transaction(payment) {
  const { reference, at, reason } = payment;
  return h("tr", {},
    cell("number", money(payment.amount, payment.currency)),
    cell("", tag(payment.status)),
    aboutCell(paymentLink(reference, payment.payer || reference), reason,
      facts(byWhom(payment), reference, at)),
    cell("wide-only", byWhom(payment)), codeCell(reference), momentCell(at));
}

export function payout(transfer, decide) {
  const { reference, at, reason, currency, name, to } = transfer;
  const arrives = amountText(transfer.recipient_gets, currency);
  return h("tr", {},
    cell("number", money(transfer.amount, currency)),
    cell("", h("div", { class: "state" }, tag(transfer.status), ...choices(transfer, decide))),
    aboutCell(name ?? to, facts(`${transfer.at_provider} ${to}`, reason),
      facts(`${arrives} arrives`, reference, at)),
    cell("number wide-only", money(transfer.recipient_gets, currency)),
    codeCell(reference), momentCell(at));
}

export function conversion(one, decide) {
  const { reference, at, rate } = one;
  return h("tr", {},
    cell("number", money(one.from_amount, one.from_currency)),
    cell("number", money(one.to_amount, one.to_currency)),
    cell("", h("div", { class: "state" }, tag(one.status), ...choices(one, decide)),
      h("p", { class: "soft small-text narrow-only" }, ...inPieces(facts(rate, at)))),
    cell("wide-only", rate), codeCell(reference), momentCell(at));
}

/** The buttons that settle a payout or a conversion. */
function choices({ is_open: isOpen, reference }, decide) {
  return isOpen ? [
    button("Settle", reference, () => decide(reference, "approve"), "primary"),
    button("Fail", reference, () => decide(reference, "decline", "Failed by hand")),
  ] : [];
}

/** What the payer of a flexible link may choose. */
function limits({ min_amount: least, max_amount: most, currency }) {
  if (least && most) {
    return `${amountText(least, currency).split("\u00a0")[0]} to ${amountText(most, currency)}`;
  }
  if (least) return `from ${amountText(least, currency)}`;
  return most ? `up to ${amountText(most, currency)}` : "Payer chooses";
}

export function link(one, { archive, copy, edit, showQr }) {
  const sum = h("span", { class: "money" }, one.amount ? amountText(one.amount, one.currency) : limits(one));
  const isActive = one.status === "active";
  const about = `${one.title}, /${one.slug}`;
  return row(one.title, facts(`/${one.slug}`, `paid ${one.use_count}${
    one.max_uses ? ` of ${one.max_uses}` : ""}`, one.payment_types.length < Object.keys(METHODS).length
    && one.payment_types.map((type) => METHODS[type]).join(", "), one.created_at,
  one.expires_at && `expires ${one.expires_at}`), sum, tag(one.status),
  isActive ? h("a", { class: "small primary", href: new URL(one.url).pathname, target: "_blank",
    rel: "noopener", "data-key": `Open ${about}`, "aria-label": `Open ${about}` }, "Open") : null,
  button("Copy URL", about, () => copy(one.url)),
  isActive ? button("QR code", about, () => showQr(one)) : null,
  one.status === "archived" ? null : button("Edit", about, () => edit(one)),
  isActive ? button("Archive", about, () => archive(one)) : null);
}

export function delivery(one, { resend, showDelivery }) {
  const answer = one.tried ? `${one.tried} ×, last ${one.status ?? one.error}` : null;
  const about = `${one.event} ${one.id}`;
  return row(one.event, facts(one.reference, one.url ?? "no receiver", answer, one.at,
    one.next_at && `again at ${one.next_at}`, ...one.treatment),
  one.warning ? h("span", { class: "tag wait", title: one.warning }, "doubtful 2xx") : null,
  tag(one.state),
  button("Show", about, () => showDelivery(one.id)),
  one.url && resend ? button("Resend", about, () => resend(one.id)) : null);
}

const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1);
const next = (count, what) => (
  count === 1 ? `for the next ${what}` : `for the next ${count} ${what}s`);

export function mode({ words, remaining, seconds }) {
  return row(words, facts(next(remaining, "webhook"), seconds && `${seconds} s`), tag("waiting"));
}

export function snapshot({ name, taken_at: at, size }, { restore, forget }) {
  return row(name, facts(at, `${size.toLocaleString("en")} records`),
    button("Restore", name, () => restore(name), "primary"),
    button("Delete", name, () => forget(name)));
}

export function fault(one, cancel) {
  const often = facts(one.remaining && next(one.remaining, "request"),
    one.probability && `for ${Math.round(one.probability * 100)} % of requests`);
  return row(sentence(one.words), facts(one.route === "*" ? "every route" : one.route, often),
    button("Remove", `fault ${one.id}`, () => cancel(one.id)));
}

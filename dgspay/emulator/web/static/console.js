/** The console: shows the state of the emulator as it changes, and sends what a person decides. */

import { amountText, number } from "./amounts.js";
import { linkFields } from "./console-link.js";
import * as rows from "./console-rows.js";
import { h, list } from "./dom.js";

const $ = (selector) => document.querySelector(selector);
const AGAIN_MILLISECONDS = 2000;
const shown = new Map();
let state;
let account = new URLSearchParams(location.search).get("account");

// --- talking to the emulator ----------------------------------------------------------------

/** What was asked for does not exist, or does no more. */
class NotThere extends Error {}

async function ask(method, path, body) {
  const url = new URL(`/_emulator${path}`, location.origin);
  if (account) url.searchParams.set("account", account);
  const response = await fetch(url, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new (response.status === 404 ? NotThere : Error)(answer.message);
  return answer;
}

/** Do something and say in `problem`, or else in a toast, why it did not work. */
async function act(method, path, body, problem) {
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

let refreshing = null;
let isStale = false;

/** Fetch the state; a change meanwhile fetches it once more. */
async function refresh() {
  isStale = true;
  refreshing ??= (async () => {
    while (isStale) {
      isStale = false;
      const [search, find] = ["#search", "#find"].map((box) => $(box).value.trim());
      const wanted = new URLSearchParams({ search, find });
      state = await ask("GET", `/state?${wanted}`).catch(orOfTheFirstMerchant);
      if (state) render();
    }
  })().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

/** A merchant of an earlier run may be there no more: then show the first one instead. */
function orOfTheFirstMerchant(error) {
  if (!account || !(error instanceof NotThere)) throw error;
  account = null;
  isStale = true;
}

function say(isLive) {
  $("#live").classList.toggle("on", isLive);
  $("#live-words").textContent = isLive ? "Live" : "Not connected";
}

const look = () => refresh().catch(() => say(false));

function listen() {
  const events = new EventSource("/_emulator/events");
  events.addEventListener("changed", () => {
    say(true);
    look();
  });
  events.addEventListener("error", () => {
    say(false);
    // It tries again by itself unless it was answered with anything but a stream, as by a proxy.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MILLISECONDS);
  });
}

// --- showing it -----------------------------------------------------------------------------

/** Draw a part of the page when what it shows has changed, and keep the focus where it was. */
function part(selector, value, draw) {
  const text = JSON.stringify(value);
  if (shown.get(selector) === text) return;
  shown.set(selector, text);
  const element = $(selector);
  const focused = element.contains(document.activeElement) && document.activeElement.dataset.key;
  element.replaceChildren(...draw(value));
  if (!focused) return;
  const again = element.querySelector(`[data-key="${CSS.escape(focused)}"]`);
  // What had the focus is done with: the keyboard goes on from here, and presses nothing else.
  if (!again) element.tabIndex = -1;
  (again ?? element).focus();
}

function render() {
  // Rwandan francs first: payouts come out of them.
  const balances = [...state.balances].sort((one, other) => (
    Number(other.currency === "RWF") - Number(one.currency === "RWF")));
  part("#balances", balances, (all) => all.map(rows.balance));
  part("#handsets", state.pending, (all) => (all.length > 0
    ? all.map((payment) => rows.handset(payment, decide))
    : [h("p", { class: "empty" }, "Nobody is asked for anything. Start a charge, or pay a link.")]));
  part("#latest", latest(), (all) => list(all, rows.news, "Nothing has happened yet."));
  part("#request-rows", state.requests, (all) => list(
    all, (request) => rows.request(request, showRequest),
    $("#search").value ? "No request is like that." : "No request has arrived."));
  part("#key-rows", state.keys, (all) => list(all, rows.key, "No request came with a key."));
  part("#transaction-rows", state.transactions, (all) => list(
    all, rows.transaction, $("#find").value ? "No payment is like that." : "No one has paid yet."));
  part("#conversion-rows", state.conversions, (all) => list(
    all, (conversion) => rows.conversion(conversion, decide), "Nothing was converted."));
  part("#link-rows", state.links, (all) => list(
    all, (link) => rows.link(link, { archive, copy }), "Make your first link above."));
  part("#payout-rows", state.disbursements, (all) => list(
    all, (transfer) => rows.payout(transfer, decide), "No money has left the wallet."));
  part("#delivery-rows", state.deliveries, (all) => list(
    all, (delivery) => rows.delivery(delivery, { resend, showDelivery }), "No event has arisen."));
  part("#mode-rows", state.modes, (all) => all.map(rows.mode));
  part("#fault-rows", state.faults, (all) => list(
    all, (fault) => rows.fault(fault, cancelFault), "Everything works."));
  part("#snapshot-rows", state.snapshots, (all) => list(
    all, (snapshot) => rows.snapshot(snapshot, { restore, forget }), "No snapshot was taken."));
  const trouble = state.state_trouble ? `${state.state_trouble}. What happens now is not kept.` : "";
  if ($("#trouble").textContent !== trouble) $("#trouble").textContent = trouble;
  $("#kept").textContent = state.state_file
    ? `Everything is kept in ${state.state_file} and is there again in the next run.`
    : "Nothing is kept: the end of this process is the end of it all. "
      + "Start it with dgspay emulator --state FILE to have it remember.";
  part("#env", [state.api, state.account], () => [environment()]);
  part("#account", state.accounts, (all) => all.map((number) => h(
    "option", { value: number }, number)));
  $("#account").value = state.account;
  $("#account-tool").hidden = state.accounts.length < 2;
  showSettle();
  showTarget();
  $("#now").textContent = state.now;
  $("#pending-count").textContent = state.pending_total > state.pending.length
    ? countText(state.pending.length, state.pending_total) : state.pending_total || "";
  $("#requests-count").textContent = countText(state.requests.length, state.requests_total);
  $("#transactions-count").textContent = countText(
    state.transactions.length, state.transactions_total);
  $("#links-count").textContent = countText(state.links.length, state.links_total);
  $("#payouts-count").textContent = countText(
    state.disbursements.length, state.disbursements_total);
  $("#clear-modes").hidden = state.modes.length === 0;
  $("#deliveries-count").textContent = countText(state.deliveries.length, state.deliveries_total);
  badge("overview", state.pending_total);
  badge("faults", state.faults.length);
}

/** How many there are, and that not all are shown where there are too many. */
function countText(count, total) {
  const all = total.toLocaleString("en");
  return count < total ? `${count} shown of ${all}` : `${all} in all`;
}

/** Events of all kinds, the newest first. */
function latest() {
  const paid = state.latest.map((payment) => ({
    at: payment.at, what: `${payment.payer} · ${payment.reference}`, status: payment.status,
    money: amountText(payment.amount, payment.currency) }));
  const sent = state.disbursements.map((transfer) => ({
    at: transfer.at, what: `To ${transfer.name ?? transfer.to} · ${transfer.reference}`,
    status: transfer.status, money: `−${amountText(transfer.amount, transfer.currency)}` }));
  return [...paid, ...sent].sort((one, other) => other.at.localeCompare(one.at)).slice(0, 8);
}

function environment() {
  return [
    "export DGSPAY_ENVIRONMENT=emulator",
    `export DGSPAY_BASE_URL=${state.api}`,
    `export DGSPAY_API_KEY=${state.api_key}`,
    `export DGSPAY_ACCOUNT_NUMBER=${state.account}`,
    `export DGSPAY_WEBHOOK_SECRET=${state.webhook_secret}`,
  ].join("\n");
}

function showSettle() {
  const select = $("#settle");
  const value = state.settle_after === null ? "" : String(state.settle_after);
  if (![...select.options].some((option) => option.value === value)) {
    select.append(h("option", { value }, `after ${value} s`));
  }
  if (document.activeElement !== select) select.value = value;
}

/** Show where the events go when that has changed: what is being entered is not overwritten. */
function showTarget() {
  const url = state.webhook_url ?? "";
  if (url === (shown.get("#target") ?? "")) return;
  shown.set("#target", url);
  if (document.activeElement !== $("#target")) $("#target").value = url;
}

function badge(section, count) {
  const tab = $(`#tabs a[href="#${section}"]`);
  const shownCount = tab.querySelector(".badge")?.textContent ?? "";
  if (shownCount === String(count || "")) return;
  tab.querySelector(".badge")?.remove();
  if (count > 0) tab.append(h("span", { class: "badge" }, String(count)));
  centreTab();
}

/** On a phone the tabs are wider than the screen: have the current one in sight. */
function centreTab() {
  const tab = $("#tabs [aria-current]");
  if (tab) $("#tabs").scrollLeft = tab.offsetLeft - (innerWidth - tab.offsetWidth) / 2;
}

function showSection() {
  const sections = [...document.querySelectorAll(".board > section")];
  const named = location.hash.slice(1);
  const wanted = sections.some((section) => section.id === named) ? named : "overview";
  for (const section of sections) {
    section.hidden = section.id !== wanted;
  }
  for (const tab of document.querySelectorAll("#tabs a")) {
    if (tab.hash === `#${wanted}`) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  centreTab();
  window.scrollTo(0, 0);
}

// --- details --------------------------------------------------------------------------------

function showDialog(title, ...content) {
  $("#details-title").textContent = title;
  $("#details-body").replaceChildren(...content);
  $("#details").showModal();
}

function block(title, text) {
  if (!text) return [];
  const button = h("button", { class: "small", type: "button" }, "Copy");
  button.addEventListener("click", () => copy(text));
  return [h("h3", {}, title, button), h("pre", { tabindex: "0" }, text)];
}

/** Open a dialog; only the latest are kept, so it may be too late for it. */
const shower = (path, show) => async (id) => {
  try {
    show(await ask("GET", `/${path}/${id}`));
  } catch (error) {
    toast(error.message);
  }
};

const showRequest = shower("requests", (request) => {
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
  showDialog(
    `${request.method} ${request.path}`,
    ...(request.fault ? [h("p", { class: "warning" }, `Fault: ${request.fault}`)] : []),
    ...block("dgspay", request.program),
    ...block("curl", request.curl),
    ...block("Body", request.body),
    ...block(`Answer ${request.status ?? "lost"}`, request.answer),
    ...block("Headers", headers.join("\n")),
  );
});

const showDelivery = shower("deliveries", (delivery) => {
  const tries = delivery.attempts.flatMap((attempt) => [
    h("p", {}, `${attempt.at}  ${attempt.status ?? attempt.error}`),
    ...(attempt.warning ? [h("p", { class: "warning" }, attempt.warning)] : []),
    ...(attempt.answer ? [h("pre", {}, attempt.answer)] : []),
  ]);
  showDialog(
    `${delivery.event} ${delivery.reference}`,
    h("h3", {}, "Attempts"),
    ...(tries.length > 0 ? tries : [h("p", { class: "soft" }, "None yet.")]),
    ...block("Body", delivery.body),
    ...block("Headers", Object.entries(delivery.headers).map((pair) => pair.join(": ")).join("\n")),
  );
});

// --- what a person decides ------------------------------------------------------------------

const decide = (reference, outcome, reason) => act(
  "POST", "/settle", { reference, outcome, ...(reason ? { reason } : {}) });
const archive = (id) => act("POST", `/links/${id}/archive`);
const resend = (id) => act("POST", `/deliveries/${id}/resend`);
const cancelFault = (id) => act("DELETE", `/faults/${id}`);

async function restore(name) {
  if (await act("POST", "/snapshots/restore", { name })) toast(`Everything is as it was in “${name}”`);
}
const forget = (name) => act("DELETE", `/snapshots/${encodeURIComponent(name)}`);

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch {
    toast("The browser does not allow copying here: select the text instead");
  }
}

let toastTimer;
function toast(words) {
  $("#toast").textContent = words;
  $("#toast").classList.add("shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => $("#toast").classList.remove("shown"), 2500);
}

function onSubmit(form, handle) {
  $(form).addEventListener("submit", (event) => {
    event.preventDefault();
    handle();
  });
}

onSubmit("#link-form", async () => {
  const fields = linkFields($("#link-form"));
  if (await act("POST", "/links", fields, $("#link-problem"))) $("#link-form").reset();
});

onSubmit("#target-form", () => act(
  "POST", "/options", { webhook_url: $("#target").value.trim() }, $("#target-problem")));

onSubmit("#mode-form", () => act("POST", "/webhooks", {
  mode: $("#mode").value,
  times: number($("#mode-times").value),
  ...($("#mode").value === "delay" && { seconds: number($("#mode-seconds").value) }),
}, $("#mode-problem")));

onSubmit("#fault-form", () => {
  const kind = $("#fault-kind").value;
  const howOften = $("#fault-times").value;
  const settings = {};
  for (const input of document.querySelectorAll(`[data-for="${kind}"] [data-setting]`)) {
    const { setting } = input.dataset;
    settings[setting] = setting.startsWith("seconds") ? number(input.value) : input.value;
  }
  return act("POST", "/faults", {
    route: $("#fault-route").value,
    fault: kind,
    ...(howOften.startsWith("p")
      ? { probability: Number(howOften.slice(1)) } : { times: Number(howOften) }),
    ...settings,
  }, $("#fault-problem"));
});

onSubmit("#snapshot-form", async () => {
  const name = $("#snapshot-name").value.trim();
  if (await act("POST", "/snapshots", { name }, $("#snapshot-problem"))) $("#snapshot-form").reset();
});

onSubmit("#history-form", async () => {
  const transactions = number($("#history-count").value);
  const seed = $("#history-seed").value.trim() || "0";
  if (await act("POST", "/generate", { transactions, seed }, $("#history-problem"))) {
    toast(`${transactions.toLocaleString("en")} payments were added`);
  }
});

function arrangeForms() {
  for (const label of document.querySelectorAll("[data-for]")) {
    label.hidden = label.dataset.for !== $("#fault-kind").value;
  }
  $("#mode-seconds").closest("label").hidden = $("#mode").value !== "delay";
  if ($("#mode").value === "reorder" && $("#mode-times").value === "1") $("#mode-times").value = "2";
}

$("#fault-kind").addEventListener("change", arrangeForms);
$("#mode").addEventListener("change", arrangeForms);
$("#clear-faults").addEventListener("click", () => act("DELETE", "/faults"));
$("#clear-modes").addEventListener("click", () => act("DELETE", "/webhooks"));
$("#copy-env").addEventListener("click", () => copy($("#env").textContent));
$("#details-close").addEventListener("click", () => $("#details").close());
for (const box of ["#search", "#find"]) $(box).addEventListener("input", look);
$("#settle").addEventListener("change", () => act("POST", "/options", {
  settle_after: $("#settle").value === "" ? null : Number($("#settle").value) }));
$("#skip").addEventListener("change", async () => {
  await act("POST", "/clock", { advance: Number($("#skip").value) });
  $("#skip").value = "";
});
$("#account").addEventListener("change", () => {
  account = $("#account").value;
  history.replaceState(null, "", `?account=${encodeURIComponent(account)}${location.hash}`);
  look();
});
$("#reset").addEventListener("click", () => {
  const sure = h("button", { class: "small danger", type: "button" }, "Forget everything");
  sure.addEventListener("click", () => {
    $("#details").close();
    act("POST", "/reset");
  });
  showDialog("Reset the emulator?", h("p", { class: "soft" },
    "All payments, links, payouts and webhooks are forgotten. Keys and settings stay."), sure);
});
window.addEventListener("hashchange", showSection);

arrangeForms();
showSection();
listen();

/** The shell of the console: fetches the state as it changes, and has each tab show its part. */

import { bindClock, renderClock } from "./console/clock.js";
import * as conversions from "./console/conversions.js";
import { confirm } from "./console/details.js";
import { bindDialogs, closeDialog } from "./console/dialogs.js";
import * as faults from "./console/faults.js";
import * as links from "./console/links.js";
import { bindList, renderList, showSearch } from "./console/list_view.js";
import * as overview from "./console/overview.js";
import {
  $, act, ask, centreTab, chooseAccount, currentAccount, NotThere, onSubmit, part, refreshBy,
} from "./console/page.js";
import { bindPayment, renderPayment } from "./console/payment.js";
import * as payouts from "./console/payouts.js";
import * as requests from "./console/requests.js";
import * as kept from "./console/state.js";
import { listen } from "./console/stream.js";
import * as transactions from "./console/transactions.js";
import { currentView } from "./console/view.js";
import * as webhooks from "./console/webhooks.js";
import { h } from "./dom.js";

const TABS = [
  overview, requests, transactions, links, payouts, conversions, webhooks, faults, kept];

const currentTab = () => TABS.find((tab) => tab.id === currentView().tab) ?? overview;

// --- the state ------------------------------------------------------------------------------

let refreshing = null;
let isStale = false;

/** Fetch the state; a change meanwhile fetches it once more. */
async function refresh() {
  isStale = true;
  refreshing ??= (async () => {
    while (isStale) {
      isStale = false;
      const state = await ask("GET", `/state?${wanted()}`).catch(orOfTheFirstMerchant);
      if (state) render(state);
      await renderPayment();
    }
  })().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

/** What is asked for of the list of the current tab. */
function wanted() {
  const { search, status, count } = currentView();
  const tab = currentTab();
  return new URLSearchParams(tab.list ? { list: tab.id, search, status, count } : {});
}

/** A merchant of an earlier run may be there no more: then show the first one instead. */
function orOfTheFirstMerchant(error) {
  if (!currentAccount() || !(error instanceof NotThere)) throw error;
  chooseAccount(null);
  isStale = true;
}

function say(isLive) {
  $("#live").classList.toggle("on", isLive);
  const words = isLive ? "Live" : "Not connected";
  if ($("#live-words").textContent !== words) $("#live-words").textContent = words;
}

const look = () => refresh().catch(() => say(false));

// --- what stands around the tabs ------------------------------------------------------------

let pending = 0;

function render(state) {
  for (const tab of TABS) tab.render(state);
  const tab = currentTab();
  // The answer may be that of the tab that was left meanwhile.
  if (state.list?.name === tab.id) renderList(state.list, tab.list);
  const trouble = state.state_trouble ? `${state.state_trouble}. Changes are not being saved.` : "";
  if ($("#trouble").textContent !== trouble) $("#trouble").textContent = trouble;
  part("#account", state.accounts, (all) => all.map((number) => h(
    "option", { value: number }, number)));
  if (!$("#merchants").open) $("#account").value = state.account;
  $("#merchant-tool").hidden = state.accounts.length < 2;
  $("#merchant-tool").textContent = state.account;
  renderClock(state);
  pending = state.pending_total;
  nameThePage();
}

function nameThePage() {
  const { payment } = currentView();
  const title = payment ? `Payment ${payment}` : currentTab().title;
  const count = pending > 0 ? `(${pending.toLocaleString("en")}) ` : "";
  document.title = `${count}${title} · DGS-Pay emulator`;
}

let shownTab = null;

function showSection() {
  const wantedTab = currentTab();
  nameThePage();
  if (wantedTab.list) showSearch(wantedTab.id);
  if (shownTab === wantedTab) return;
  shownTab = wantedTab;
  for (const tab of TABS) $(`#${tab.id}`).hidden = tab !== wantedTab;
  for (const tab of document.querySelectorAll("#tabs a")) {
    if (tab.hash === `#${wantedTab.id}`) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  centreTab();
  window.scrollTo(0, 0);
}

function bind() {
  bindDialogs();
  bindClock();
  bindPayment(look);
  onSubmit("#merchant-form", () => {
    const number = $("#account").value;
    chooseAccount(number);
    history.replaceState(null, "", `?account=${encodeURIComponent(number)}${location.hash}`);
    closeDialog("merchants");
    look();
  });
  $("#reset").addEventListener("click", () => confirm("Reset the emulator?",
    "All payments, links, payouts and webhooks are forgotten. Keys and settings stay.",
    "Forget everything", () => act("POST", "/reset")));
  window.addEventListener("hashchange", () => {
    showSection();
    look();
  });
}

refreshBy(refresh);
bind();
for (const tab of TABS) {
  tab.bind();
  if (tab.list) bindList(tab.id, look);
}
showSection();
// Not only when the stream is there, which takes another journey to the emulator and back.
look();
listen(look, say);

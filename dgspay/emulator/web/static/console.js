/** The shell of the console: fetches the state as it changes, and has each tab show its part. */

import { closeDialog, showDialog } from "./console/details.js";
import * as faults from "./console/faults.js";
import * as links from "./console/links.js";
import * as overview from "./console/overview.js";
import {
  $, act, ask, centreTab, chooseAccount, currentAccount, NotThere, part, refreshBy,
} from "./console/page.js";
import * as payouts from "./console/payouts.js";
import * as requests from "./console/requests.js";
import * as kept from "./console/state.js";
import { listen } from "./console/stream.js";
import * as transactions from "./console/transactions.js";
import * as webhooks from "./console/webhooks.js";
import { h } from "./dom.js";

const TABS = [overview, requests, transactions, links, payouts, webhooks, faults, kept];

// --- the state ------------------------------------------------------------------------------

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
      const state = await ask("GET", `/state?${wanted}`).catch(orOfTheFirstMerchant);
      if (state) render(state);
    }
  })().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

/** A merchant of an earlier run may be there no more: then show the first one instead. */
function orOfTheFirstMerchant(error) {
  if (!currentAccount() || !(error instanceof NotThere)) throw error;
  chooseAccount(null);
  isStale = true;
}

function say(isLive) {
  $("#live").classList.toggle("on", isLive);
  $("#live-words").textContent = isLive ? "Live" : "Not connected";
}

const look = () => refresh().catch(() => say(false));

// --- what stands around the tabs ------------------------------------------------------------

function render(state) {
  for (const tab of TABS) tab.render(state);
  const trouble = state.state_trouble ? `${state.state_trouble}. Changes are not being saved.` : "";
  if ($("#trouble").textContent !== trouble) $("#trouble").textContent = trouble;
  part("#account", state.accounts, (all) => all.map((number) => h(
    "option", { value: number }, number)));
  $("#account").value = state.account;
  $("#account-tool").hidden = state.accounts.length < 2;
  showSettle(state.settle_after);
  $("#now").textContent = state.now;
}

function showSettle(seconds) {
  const select = $("#settle");
  const value = seconds === null ? "" : String(seconds);
  if (![...select.options].some((option) => option.value === value)) {
    select.append(h("option", { value }, `after ${value} s`));
  }
  if (document.activeElement !== select) select.value = value;
}

function showSection() {
  const named = location.hash.slice(1);
  const wanted = TABS.some((tab) => tab.id === named) ? named : overview.id;
  for (const tab of TABS) $(`#${tab.id}`).hidden = tab.id !== wanted;
  for (const tab of document.querySelectorAll("#tabs a")) {
    if (tab.hash === `#${wanted}`) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  centreTab();
  window.scrollTo(0, 0);
}

function bind() {
  $("#details-close").addEventListener("click", closeDialog);
  $("#settle").addEventListener("change", () => act("POST", "/options", {
    settle_after: $("#settle").value === "" ? null : Number($("#settle").value) }));
  $("#skip").addEventListener("change", async () => {
    await act("POST", "/clock", { advance: Number($("#skip").value) });
    $("#skip").value = "";
  });
  $("#account").addEventListener("change", () => {
    const number = $("#account").value;
    chooseAccount(number);
    history.replaceState(null, "", `?account=${encodeURIComponent(number)}${location.hash}`);
    look();
  });
  $("#reset").addEventListener("click", () => {
    const sure = h("button", { class: "small danger", type: "button" }, "Forget everything");
    sure.addEventListener("click", () => {
      closeDialog();
      act("POST", "/reset");
    });
    showDialog("Reset the emulator?", h("p", { class: "soft" },
      "All payments, links, payouts and webhooks are forgotten. Keys and settings stay."), sure);
  });
  window.addEventListener("hashchange", showSection);
}

refreshBy(refresh);
bind();
for (const tab of TABS) tab.bind(look);
showSection();
listen(look, say);

/** The page of a payment link: mounts the checkout, and names the emulator's helpers beside it. */

import { mountCheckout } from "./dgspay-checkout.js";
import { LINK_TEXTS } from "./link_texts.js";

const RETURN_SECONDS = 5;

const page = document.querySelector("#pay");
// By its id, which a link keeps when its address is changed.
const { link, shop } = page.dataset;

// Names what this payer does on the link. It is kept until the payer has paid, so that a page that
// is loaded anew and a second tab show the payment that is under way; then the address has it, for
// the receipt, and the link can be paid once more.
const kept = `dgspay payer ${link}`;
const inAddress = new URLSearchParams(location.hash.slice(1)).get("payer");
const token = inAddress ?? memory()?.getItem(kept) ?? freshToken();
if (inAddress === null) memory()?.setItem(kept, token);
// Where the browser is set to keep nothing, the address alone remembers.
if (memory() === null) keepInAddress();

/** What all tabs share and outlives them; null where the browser is set to keep nothing. */
function memory() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

function freshToken() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function keepInAddress() {
  history.replaceState(null, "", `#payer=${encodeURIComponent(token)}`);
}

/** It is paid: another payment on this link is another order. */
function end() {
  keepInAddress();
  if (memory()?.getItem(kept) === token) memory()?.removeItem(kept);
}

/** Name what helps to go on here, where there is neither a handset nor a bank. */
function help({ order, attempt, next_action: next }) {
  const isOpen = order.state === "open";
  const step = next?.type ?? (isOpen ? "form" : "");
  for (const part of document.querySelectorAll("[data-helps]")) {
    part.hidden = !part.dataset.helps.split(" ").includes(step);
  }
  for (const anchor of document.querySelectorAll("[data-handset]")) {
    anchor.href = `/generation/authorize/${encodeURIComponent(attempt?.reference ?? "")}`;
  }
}

const logo = document.querySelector("img.logo");
if (logo) {
  const showInitial = () => logo.replaceWith(document.querySelector("#initial").content);
  if (logo.complete && logo.naturalWidth === 0) showInitial();
  else logo.addEventListener("error", showInitial);
}

mountCheckout(document.querySelector("#checkout"), {
  order: link,
  token,
  base: `/generation/pay/${encodeURIComponent(link)}/`,
  texts: LINK_TEXTS,
  shopUrl: shop,
  returnSeconds: RETURN_SECONDS,
  onShown: help,
  onPaid: end,
});

/** Follows one payment to its end: what the payer must do next, and how it came out. */

import { amountText } from "./amounts.js";
import { PaymentError, mountPinForm } from "./dgspay-card.js";

const POLL_MILLISECONDS = 700;
const REDIRECT_MILLISECONDS = 3000;

/** A refusal of the emulator, in words for the payer. */
export class Refused extends Error {}

/** Send JSON to the emulator and return what it answers. */
export async function call(path, body, headers = {}) {
  const { response, answer } = await answerOf(path, body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  if (!response.ok) {
    const refused = new Refused(answer.message);
    refused.linkStatus = answer.link_status;
    throw refused;
  }
  return answer;
}

async function answerOf(path, options) {
  try {
    const response = await fetch(path, options);
    return { response, answer: await response.json() };
  } catch {
    // The browser's own words for it are for programmers.
    throw new Error("The connection failed. Please try again.");
  }
}

/**
 * Show a payment in an element and keep it up to date until it has ended.
 * @param {object} state What the emulator says about it.
 * @param {{ element: HTMLElement, key: string, onAgain?: () => void, leaves?: boolean }} options
 *   `leaves` takes the payer back to the shop once the payment is complete.
 */
export function follow(state, options) {
  const base = `/generation/authorize/${encodeURIComponent(state.reference)}`;
  let shown = "";
  let timer;
  const stop = () => clearTimeout(timer);

  const update = (next) => {
    stop();
    const view = viewOf(next);
    if (view !== shown) {
      shown = view;
      draw(view, next);
    }
    if (next.status === "pending") timer = setTimeout(look, POLL_MILLISECONDS);
  };

  const look = async () => {
    let next = state;
    try {
      next = await call(`${base}/state`);
    } catch (error) {
      // It was reset: what there is instead is for the page itself to say.
      if (error instanceof Refused) location.replace(location.pathname);
      // Otherwise it is restarting or busy: the next look will tell.
    }
    state = next;
    update(next);
  };

  const draw = (view, current) => {
    const content = document.querySelector(`#view-${view}`).content.cloneNode(true);
    fill(content, current, { leaves: options.leaves });
    options.element.replaceChildren(content);
    options.element.hidden = false;
    // The focus has the heading read aloud.
    options.element.querySelector("h2").focus();
    bind(view, current);
  };

  const bind = (view, current) => {
    const { element } = options;
    element.querySelector("[data-again]")?.addEventListener("click", () => options.onAgain?.());
    if (!options.onAgain) element.querySelector("[data-again]")?.remove();
    const form = element.querySelector("form[data-step]");
    form?.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form);
    });
    form?.querySelector("input").focus();
    if (view === "pin") {
      mountPinForm(element.querySelector("[data-mount=pin]"), {
        key: options.key,
        onEncrypted: async (pin) => {
          stop();
          update(await stepped({ auth_type: "pin", ...pin }));
        },
      }).focus();
    }
    if (view === "successful" && options.leaves && current.redirect_url) {
      setTimeout(() => location.assign(current.redirect_url), REDIRECT_MILLISECONDS);
    }
  };

  const send = async (form) => {
    const alert = form.querySelector(".alert");
    const entered = Object.fromEntries(
      [...form.querySelectorAll("input")].map((input) => [input.id, input.value.trim()]),
    );
    const fields = form.dataset.step === "otp" ? { auth_otp: entered.otp } : entered;
    alert.textContent = "";
    stop();
    try {
      update(await stepped({ auth_type: form.dataset.step, ...fields }));
    } catch (error) {
      alert.textContent = error.message;
      look();
    }
  };

  const stepped = async (body) => {
    try {
      return await call(`${base}/steps`, body);
    } catch (error) {
      throw error instanceof Refused ? new PaymentError(error.message) : error;
    }
  };

  update(state);
  return { update, stop };
}

function viewOf(state) {
  if (state.status !== "pending") return state.status;
  if (state.awaits) return state.awaits;
  return state.payment_type === "mobile_money" ? "push" : "other";
}

function fill(content, state, { leaves }) {
  const texts = {
    amount: amountText(state.amount, state.currency),
    phone: state.phone ? `0${state.phone} (${state.network})` : "",
    reference: state.reference,
    reason: state.reason ?? "The payment was declined",
  };
  for (const element of content.querySelectorAll("[data-fill]")) {
    const name = element.dataset.fill;
    if (name === "handset") element.href = `/generation/authorize/${state.reference}`;
    else if (name === "redirect") element.href = state.redirect_url ?? "";
    else element.textContent = texts[name];
  }
  const isLeaving = leaves && state.redirect_url;
  for (const element of content.querySelectorAll("[data-show]")) {
    const isShown = element.dataset.show === "leaving" ? isLeaving : state.redirect_url;
    if (!isShown) element.remove();
  }
}

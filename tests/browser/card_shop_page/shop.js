// The shop's page: it draws the card form, sends on what it encrypts, and asks for the PIN.

import { mountCardForm, mountPinForm, PaymentError } from "/dgspay/dgspay-card.js";

const place = document.querySelector("#payment");
const outcome = document.querySelector("#outcome");
const key = place.dataset.key;

async function post(path, fields) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(fields) });
  if (answer.status === 400) throw new PaymentError("The card was not accepted. Please check it.");
  // Any other failure may have moved money: the form then says that the outcome is not known.
  if (!answer.ok) throw new Error(`the shop answered ${answer.status}`);
  return answer.json();
}

async function settle(reference) {
  place.replaceChildren();
  outcome.textContent = "Waiting for your bank…";
  for (;;) {
    const { settled } = await (await fetch(`/orders/${reference}`)).json();
    if (settled) {
      outcome.textContent = settled.startsWith("paid") ? "Thank you: " + settled : "Not paid.";
      return;
    }
    await new Promise((go) => setTimeout(go, 50));
  }
}

function proceed({ reference, step }) {
  if (step === "wait") return settle(reference);
  if (step !== "pin") throw new PaymentError("This card needs a step this shop does not know.");
  const onEncrypted = async (pin) => proceed(await post(`/pin/${reference}`, pin));
  mountPinForm(place, { key, onEncrypted }).focus();
}

mountCardForm(place, {
  key,
  texts: { pay: "Pay 5,000 RWF" },
  onEncrypted: async (card) => proceed(await post("/pay", card)),
}).focus();

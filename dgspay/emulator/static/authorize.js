/** The simulated handset or bank: approves or declines one pending payment. */

import { call, follow } from "./payment.js";

const page = document.querySelector("#authorize");
const prompt = document.querySelector("#prompt");
const progress = document.querySelector("#progress");
const problem = document.querySelector("#problem");
const base = `/generation/authorize/${encodeURIComponent(page.dataset.reference)}`;

function show(state) {
  prompt.hidden = true;
  follow(state, {
    element: progress,
    key: page.dataset.key,
    leaves: state.payment_type === "card",
  });
}

function arrange(state) {
  const isToDecide = state.status === "pending" && !state.awaits;
  prompt.hidden = !isToDecide;
  if (!isToDecide) show(state);
}

for (const button of document.querySelectorAll("[data-decision]")) {
  button.addEventListener("click", async () => {
    try {
      show(await call(`${base}/decision`, { decision: button.dataset.decision }));
    } catch (error) {
      problem.textContent = error.message;
      call(`${base}/state`).then(arrange);
    }
  });
}

call(`${base}/state`).then(arrange);

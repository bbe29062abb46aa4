/** The simulated handset or bank: approves or declines one pending payment. */

import { call, follow } from "./payment.js";

const page = document.querySelector("#authorize");
const prompt = document.querySelector("#prompt");
const progress = document.querySelector("#progress");
const problem = document.querySelector("#problem");
const base = `/generation/authorize/${encodeURIComponent(page.dataset.reference)}`;

function show(state, isNews = true) {
  prompt.hidden = true;
  follow(state, {
    element: progress,
    key: page.dataset.key,
    leaves: isNews && state.payment_type === "card",
  });
}

function arrange(state) {
  const isToDecide = state.status === "pending" && !state.awaits;
  prompt.hidden = !isToDecide;
  if (!isToDecide) show(state, state.status === "pending");
}

/** Without an answer the page stays as it is. */
const look = () => call(`${base}/state`).then(arrange, (error) => {
  problem.textContent = error.message;
});

for (const button of document.querySelectorAll("[data-decision]")) {
  button.addEventListener("click", async () => {
    try {
      show(await call(`${base}/decision`, { decision: button.dataset.decision }));
    } catch (error) {
      problem.textContent = error.message;
      look();
    }
  });
}

look();

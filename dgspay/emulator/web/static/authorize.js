/** The simulated handset or bank: approves or declines one pending payment. */

const page = document.querySelector("#authorize");
const problem = document.querySelector("#problem");
const base = `/generation/authorize/${encodeURIComponent(page.dataset.reference)}`;
const LOST = "The connection failed. Please try again.";

/** Ask the emulator, and return what it says of the payment. */
async function ask(path, options) {
  let response, answer;
  try {
    response = await fetch(base + path, options);
    answer = await response.json();
  } catch {
    // The browser's own words for it are for programmers.
    throw new Error(LOST);
  }
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

/** Show the question, or how it was answered: there is one part for each state. */
function show({ status, awaits, reason, redirect_url: url }) {
  const state = status === "pending" && awaits ? "elsewhere" : status;
  const isNew = page.dataset.state !== undefined && page.dataset.state !== state;
  page.dataset.state = state;
  for (const part of page.querySelectorAll("[data-part]")) part.hidden = part.dataset.part !== state;
  const part = page.querySelector(`[data-part=${state}]`);
  const heading = part.querySelector("h1");
  document.title = heading.textContent;
  for (const place of part.querySelectorAll("[data-reason]")) place.textContent = reason ?? "";
  const back = page.querySelector("#back");
  back.hidden = state === "pending" || state === "elsewhere" || !url;
  if (url) back.href = url;
  if (isNew) heading.focus();
}

const look = () => ask("/state").then(show, (error) => { problem.textContent = error.message; });

for (const button of document.querySelectorAll("[data-decision]")) {
  button.addEventListener("click", async () => {
    problem.textContent = "";
    try {
      show(await ask("/decision", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ decision: button.dataset.decision }),
      }));
    } catch (error) {
      problem.textContent = error.message;
      // It may have been decided elsewhere; without an answer the page stays as it is.
      if (error.message !== LOST) look();
    }
  });
}

look();

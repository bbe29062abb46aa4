/** Dialogs: one is open at a time, and what it has to say is said within it. */

import { $ } from "./page.js";

/** Open a dialog. @param {string} id @param {string} [title] */
export function openDialog(id, title) {
  const dialog = $(`#${id}`);
  if (title) $(`#${id}-title`).textContent = title;
  dialog.querySelector(".toast").textContent = "";
  const problem = dialog.querySelector("[data-problem]");
  if (problem) problem.textContent = "";
  if (!dialog.open) dialog.showModal();
}

export const closeDialog = (id) => $(`#${id}`).close();

/** Have the buttons of the page open and close its dialogs, and a click beside one close it. */
export function bindDialogs() {
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.addEventListener("click", () => openDialog(button.dataset.opens));
  }
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("pointerdown", (event) => {
      if (event.target === dialog && isBeside(dialog, event)) dialog.close();
    });
  }
}

function isBeside(dialog, { clientX: x, clientY: y }) {
  const box = dialog.getBoundingClientRect();
  return x < box.left || x > box.right || y < box.top || y > box.bottom;
}

/** The dialog that shows one request or one webhook whole. */

import { button, h } from "../dom.js";
import { closeDialog, openDialog } from "./dialogs.js";
import { $, ask, copy, toast } from "./page.js";

export function showDetails(title, ...content) {
  $("#details-body").replaceChildren(...content);
  openDialog("details", title);
}

/** Ask before something is done that cannot be taken back. */
export function confirm(title, words, choice, act) {
  const sure = button(choice, "", () => {
    closeDialog("details");
    act();
  }, "danger");
  sure.setAttribute("aria-label", choice);
  showDetails(title, h("p", { class: "soft" }, words), sure);
}

/** A heading and a text that can be copied; nothing where there is no text. */
export function block(title, text) {
  if (!text) return [];
  return [
    h("h3", {}, title, button("Copy", title, () => copy(text))),
    h("pre", { tabindex: "0", role: "region", "aria-label": title }, text),
  ];
}

/** Make a function that opens the dialog for an id; only the latest are kept by the emulator. */
export const shower = (path, show) => async (id) => {
  try {
    show(await ask("GET", `/${path}/${id}`));
  } catch (error) {
    toast(error.message);
  }
};

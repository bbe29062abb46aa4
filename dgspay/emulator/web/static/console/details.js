/** The dialog that shows one request or one webhook whole. */

import { h } from "../dom.js";
import { $, ask, copy, toast } from "./page.js";

export function showDialog(title, ...content) {
  $("#details-title").textContent = title;
  $("#details-body").replaceChildren(...content);
  $("#details").showModal();
}

export const closeDialog = () => $("#details").close();

/** A heading and a text that can be copied; nothing where there is no text. */
export function block(title, text) {
  if (!text) return [];
  const button = h("button", { class: "small", type: "button" }, "Copy");
  button.addEventListener("click", () => copy(text));
  return [h("h3", {}, title, button), h("pre", { tabindex: "0" }, text)];
}

/** Make a function that opens the dialog for an id; only the latest are kept by the emulator. */
export const shower = (path, show) => async (id) => {
  try {
    show(await ask("GET", `/${path}/${id}`));
  } catch (error) {
    toast(error.message);
  }
};

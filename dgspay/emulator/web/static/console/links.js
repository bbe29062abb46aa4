/** The tab "Links": payment links, and the form for a new one. */

import { linkFields } from "./link_form.js";
import * as rows from "./rows.js";
import { list } from "../dom.js";
import { $, act, copy, countText, onSubmit, part } from "./page.js";

export const id = "links";

const archive = (link) => act("POST", `/links/${link}/archive`);

export function render(state) {
  part("#link-rows", state.links, (all) => list(
    all, (link) => rows.link(link, { archive, copy }), "Make your first link above."));
  $("#links-count").textContent = countText(state.links.length, state.links_total);
}

export function bind() {
  onSubmit("#link-form", async () => {
    const fields = linkFields($("#link-form"));
    if (await act("POST", "/links", fields, $("#link-problem"))) $("#link-form").reset();
  });
}

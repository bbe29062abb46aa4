/** The tab "Links": payment links, and the form that makes and changes them. */

import { confirm } from "./details.js";
import { closeDialog, openDialog } from "./dialogs.js";
import { changedFields, fillForm, linkFields } from "./link_form.js";
import { $, act, copy, currentAccount, onSubmit, toast } from "./page.js";
import * as rows from "./rows.js";

export const id = "links";
export const title = "Links";

export const list = {
  key: (link) => link.id,
  draw: (link) => rows.link(link, { archive, copy, edit, showQr }),
  nothing: "Make your first link: a page where a payer pays, with no code.",
  notFound: "No link is like that.",
};

export function render() {}

// The link that the form changes; null while it makes a new one.
let edited = null;

export function bind() {
  const form = $("#link-form");
  $("#new-link").addEventListener("click", () => open("New payment link", "Create link", null));
  onSubmit("#link-form", async () => {
    const isNew = edited === null;
    const answer = isNew
      ? await act("POST", "/links", linkFields(form), form)
      : await act("PATCH", `/links/${edited.id}`, changedFields(form, edited), form);
    if (!answer) return;
    closeDialog("link");
    toast(isNew ? "The link was made" : "The link was changed");
  });
}

function open(heading, words, link) {
  edited = link;
  fillForm($("#link-form"), link);
  $("#link-form [type=submit]").textContent = words;
  openDialog("link", heading);
}

const edit = (link) => open(`Edit ${link.title}`, "Save changes", link);

const archive = (link) => confirm(`Archive ${link.title}?`,
  "Nobody can pay it any more, and it cannot be brought back.", "Archive it",
  () => act("POST", `/links/${link.id}/archive`));

function showQr(link) {
  const account = currentAccount();
  const query = account ? `?${new URLSearchParams({ account })}` : "";
  $("#qr-image").src = `/_emulator/links/${link.id}/qr.svg${query}`;
  $("#qr-image").alt = `QR code of ${link.url}`;
  $("#qr-url").textContent = link.url;
  openDialog("qr", `QR code of ${link.title}`);
}

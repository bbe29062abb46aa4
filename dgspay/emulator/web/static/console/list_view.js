/** The list of a tab: its search, its status chips, how many there are, and "Show more". */

import { h } from "../dom.js";
import { liveRows } from "./live_rows.js";
import { $, currentAccount, part } from "./page.js";
import { changeView, currentView, MORE, MOST_SHOWN } from "./view.js";

const SEARCH_MILLISECONDS = 120;

/**
 * @typedef {object} List
 * @property {(row: object) => string} key
 * @property {(row: object) => Element} draw
 * @property {string} nothing What is said where there is nothing at all.
 * @property {string} [notFound] What is said where a search finds nothing.
 */

/** Show what the emulator has found. @param {object} found @param {List} list */
export function renderList(found, list) {
  const { name, rows, statuses } = found;
  const { search, status, count } = currentView();
  const view = JSON.stringify([currentAccount(), search, status, count]);
  const shown = (waiting) => {
    const words = countText(found, search || status) + (waiting ? ` · ${waiting} new` : "");
    if ($(`#${name}-count`).textContent !== words) $(`#${name}-count`).textContent = words;
  };
  liveRows($(`#${name}-rows`), { rows, key: list.key, draw: list.draw, view, shown });
  $(`#${name}-empty`).hidden = rows.length > 0;
  $(`#${name}-empty`).textContent = search || status ? list.notFound : list.nothing;
  const isCut = rows.length < found.found;
  $(`#${name}-more`).hidden = !isCut || rows.length >= MOST_SHOWN;
  $(`#${name}-end`).hidden = !isCut || rows.length < MOST_SHOWN;
  $(`#${name}-end`).textContent = `These are the newest ${MOST_SHOWN.toLocaleString("en")}. `
    + "A search leads further back.";
  $(`#${name}-rows`).closest("table")?.toggleAttribute("hidden", rows.length === 0);
  part(`#${name}-chips`, [statuses, status], () => chips(name, statuses, status));
  const file = $(`#${name}-csv`);
  if (file) file.href = `/_emulator/lists/${name}.csv?${fileQuery(search, status)}`;
}

/** Have a list asked for anew as its search or its filter changes. */
export function bindList(name, look) {
  let typing;
  const box = $(`#${name}-search`);
  box.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      changeView({ search: box.value.trim(), count: 0 });
      look();
    }, SEARCH_MILLISECONDS);
  });
  $(`#${name}-chips`).addEventListener("click", ({ target }) => {
    const chip = target.closest("button");
    if (!chip) return;
    changeView({ status: chip.dataset.status, count: 0 });
    look();
  });
  $(`#${name}-more`).addEventListener("click", () => {
    changeView({ count: currentView().count + MORE });
    look();
  });
}

/** What is searched for stands in its box, as after a link or a step back. */
export function showSearch(name) {
  const box = $(`#${name}-search`);
  if (document.activeElement !== box) box.value = currentView().search;
}

function countText({ rows, found, total }, isFiltered) {
  const [shown, all, every] = [rows.length, found, total].map((n) => n.toLocaleString("en"));
  const of = isFiltered ? `${all} found of ${every}` : `${every} in all`;
  return rows.length < found ? `${shown} shown, ${of}` : of;
}

function chips(name, statuses, chosen) {
  const all = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  // The one that is chosen stays, though nothing has it any more: it can be left again.
  const there = { ...(chosen ? { [chosen]: 0 } : {}), ...statuses };
  return [["", all], ...Object.entries(there).sort()].map(([status, count]) => h(
    "button", {
      class: "chip", type: "button", "data-status": status, "data-key": `${name} chip ${status}`,
      "aria-pressed": String(status === chosen),
    }, status || "all", h("span", { class: "chip-count" }, count.toLocaleString("en"))));
}

function fileQuery(search, status) {
  const account = currentAccount();
  return new URLSearchParams({ search, status, ...(account ? { account } : {}) });
}

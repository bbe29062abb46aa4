/** The tab "State": snapshots, a made-up history, and what is kept between two runs. */

import { number } from "../amounts.js";
import * as rows from "./rows.js";
import { list } from "../dom.js";
import { confirm } from "./details.js";
import { $, act, ask, Conflict, onSubmit, part, toast } from "./page.js";

export const id = "state";
export const title = "State";

const forget = (name) => act("DELETE", `/snapshots/${encodeURIComponent(name)}`);

async function restore(name) {
  if (await act("POST", "/snapshots/restore", { name })) toast(`Everything is as it was in “${name}”`);
}

export function render(state) {
  part("#snapshot-rows", state.snapshots, (all) => list(
    all, (snapshot) => rows.snapshot(snapshot, { restore, forget }), "No snapshot was taken."));
  $("#kept").textContent = state.state_file
    ? `Everything is saved in ${state.state_file} and restored in the next run.`
    : "Nothing is saved: this state is lost when the process ends. "
      + "Start it with dgspay emulator --state FILE to keep it.";
}

export function bind() {
  onSubmit("#snapshot-form", (form) => take($("#snapshot-name").value.trim(), form));
  onSubmit("#history-form", async (form) => {
    const transactions = number($("#history-count").value);
    const seed = $("#history-seed").value.trim() || "0";
    if (await act("POST", "/generate", { transactions, seed }, form)) {
      toast(`${transactions.toLocaleString("en")} payments were added`);
    }
  });
}

/** Keep a snapshot; one of the same name is replaced only by somebody who says so. */
async function take(name, form) {
  const problem = form.querySelector("[data-problem]");
  problem.textContent = "";
  try {
    await ask("POST", "/snapshots", { name });
    form.reset();
  } catch (error) {
    if (!(error instanceof Conflict)) {
      problem.textContent = error.message;
      return;
    }
    confirm(`Replace “${name}”?`, "There is a snapshot of this name. What it holds would be lost.",
      "Replace it", async () => {
        if (await act("POST", "/snapshots", { name, replace: true }, form)) form.reset();
      });
  }
}

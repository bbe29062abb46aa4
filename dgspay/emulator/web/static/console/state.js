/** The tab "State": snapshots, a made-up history, and what is kept between two runs. */

import { number } from "../amounts.js";
import * as rows from "./rows.js";
import { list } from "../dom.js";
import { $, act, onSubmit, part, toast } from "./page.js";

export const id = "state";

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
  onSubmit("#snapshot-form", async () => {
    const name = $("#snapshot-name").value.trim();
    if (await act("POST", "/snapshots", { name }, $("#snapshot-problem"))) $("#snapshot-form").reset();
  });
  onSubmit("#history-form", async () => {
    const transactions = number($("#history-count").value);
    const seed = $("#history-seed").value.trim() || "0";
    if (await act("POST", "/generate", { transactions, seed }, $("#history-problem"))) {
      toast(`${transactions.toLocaleString("en")} payments were added`);
    }
  });
}

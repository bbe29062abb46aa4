/** The tab "Faults": what goes wrong with the next requests. */

import { number } from "../amounts.js";
import * as rows from "./rows.js";
import { list } from "../dom.js";
import { $, act, badge, onSubmit, part } from "./page.js";

export const id = "faults";
export const title = "Faults";

const cancel = (fault) => act("DELETE", `/faults/${fault}`);

export function render(state) {
  part("#fault-rows", state.faults, (all) => list(
    all, (fault) => rows.fault(fault, cancel), "No faults are planned."));
  badge(id, state.faults.length);
}

export function bind() {
  onSubmit("#fault-form", add);
  $("#fault-kind").addEventListener("change", arrangeForm);
  $("#clear-faults").addEventListener("click", () => act("DELETE", "/faults"));
  arrangeForm();
}

function add(form) {
  const kind = $("#fault-kind").value;
  const howOften = $("#fault-times").value;
  const settings = {};
  for (const input of document.querySelectorAll(`[data-for="${kind}"] [data-setting]`)) {
    const { setting } = input.dataset;
    settings[setting] = setting.startsWith("seconds") ? number(input.value) : input.value;
  }
  return act("POST", "/faults", {
    route: $("#fault-route").value,
    fault: kind,
    ...(howOften.startsWith("p")
      ? { probability: Number(howOften.slice(1)) } : { times: Number(howOften) }),
    ...settings,
  }, form);
}

function arrangeForm() {
  for (const label of document.querySelectorAll("[data-for]")) {
    label.hidden = label.dataset.for !== $("#fault-kind").value;
  }
}

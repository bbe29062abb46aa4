/** The emulator's time: it ticks, says how far it is ahead, and moves on and back. */

import { h } from "../dom.js";
import { closeDialog } from "./dialogs.js";
import { $, act, onSubmit, toast } from "./page.js";

const UNITS = [["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]];

// The last that the API can write, at the end of the year 9999.
const LAST_SECOND = 253_402_300_799;

// Where the emulator's clock stood, and where this browser's did when it was read.
let read = null;

export function renderClock({ clock, settle_after: settleAfter }) {
  read = { ...clock, readAt: performance.now() };
  tick();
  const ahead = Math.round(clock.ahead);
  $("#ahead").hidden = $("#return").hidden = ahead === 0;
  $("#ahead").textContent = `+${span(ahead)} ahead`;
  showSettle(settleAfter);
}

export function bindClock() {
  setInterval(tick, 1000);
  onSubmit("#skip-form", async (form) => {
    const select = $("#skip");
    if (!await act("POST", "/clock", { advance: Number(select.value) }, form)) return;
    closeDialog("time");
    toast(`The clock is ${select.selectedOptions[0].textContent} further`);
  });
  $("#return").addEventListener("click", async () => {
    if (await act("POST", "/clock/return")) toast("The clock shows the present again");
  });
  onSubmit("#settle-form", async (form) => {
    const { value } = $("#settle");
    const settleAfter = value === "" ? null : Number(value);
    if (await act("POST", "/options", { settle_after: settleAfter }, form)) closeDialog("settling");
  });
}

function tick() {
  if (!read) return;
  const passed = read.runs ? (performance.now() - read.readAt) / 1000 : 0;
  const moment = new Date(1000 * Math.min(read.seconds + passed, LAST_SECOND));
  const text = moment.toISOString().slice(0, 19).replace("T", " ");
  if ($("#now").textContent !== text) $("#now").textContent = text;
}

/** "1 day 2 hours": the two largest units that count. */
function span(seconds) {
  const parts = [];
  let left = seconds;
  for (const [unit, size] of UNITS) {
    const count = Math.floor(left / size);
    if (count > 0) parts.push(`${count.toLocaleString("en")} ${unit}${count === 1 ? "" : "s"}`);
    left %= size;
  }
  return parts.slice(0, 2).join(" ");
}

function showSettle(seconds) {
  const select = $("#settle");
  const value = seconds === null ? "" : String(seconds);
  if (![...select.options].some((option) => option.value === value)) {
    select.append(h("option", { value }, `after ${value} s`));
  }
  if (!$("#settling").open) select.value = value;
  $("#settle-words").textContent = [...select.options]
    .find((option) => option.value === value).textContent;
}

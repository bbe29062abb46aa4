/** The tab "Requests": what arrived and what was answered, and the idempotency keys. */

import * as rows from "./rows.js";
import { h, list } from "../dom.js";
import { block, showDialog, shower } from "./details.js";
import { $, countText, part } from "./page.js";

export const id = "requests";

export function render(state) {
  part("#request-rows", state.requests, (all) => list(
    all, (request) => rows.request(request, show),
    $("#search").value ? "No request is like that." : "No request has arrived."));
  part("#key-rows", state.keys, (all) => list(all, rows.key, "No request came with a key."));
  $("#requests-count").textContent = countText(state.requests.length, state.requests_total);
}

export function bind(look) {
  $("#search").addEventListener("input", look);
}

const show = shower("requests", (request) => {
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
  showDialog(
    `${request.method} ${request.path}`,
    ...(request.fault ? [h("p", { class: "warning" }, `Fault: ${request.fault}`)] : []),
    ...block("dgspay", request.program),
    ...block("curl", request.curl),
    ...block("Body", request.body),
    ...block(`Answer ${request.status ?? "lost"}`, request.answer),
    ...block("Headers", headers.join("\n")),
  );
});

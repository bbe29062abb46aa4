/** The tab "Requests": what arrived and what was answered, and the idempotency keys. */

import { h, list as listed } from "../dom.js";
import { block, showDetails, shower } from "./details.js";
import { part } from "./page.js";
import * as rows from "./rows.js";

export const id = "requests";
export const title = "Requests";

export const list = {
  key: (request) => String(request.id),
  draw: (request) => rows.request(request, showRequest),
  nothing: "No request has arrived.",
  notFound: "No request is like that.",
};

export function render(state) {
  part("#key-rows", state.keys, (all) => listed(all, rows.key, "No request came with a key."));
}

export function bind() {}

export const showRequest = shower("requests", (request) => {
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
  showDetails(
    `${request.method} ${request.path}`,
    ...(request.fault ? [h("p", { class: "warning" }, `Fault: ${request.fault}`)] : []),
    ...block("dgspay", request.program),
    ...block("curl", request.curl),
    ...block("Body", request.body),
    ...block(`Answer ${request.status ?? "lost"}`, request.answer),
    ...block("Headers", headers.join("\n")),
  );
});

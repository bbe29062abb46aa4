/** The tab "Payouts": disbursements, how they end, and the form for a new one. */

import { number } from "../amounts.js";
import { closeDialog } from "./dialogs.js";
import { $, act, badge, decide, fieldsOf, onSubmit, toast } from "./page.js";
import * as rows from "./rows.js";

export const id = "payouts";
export const title = "Payouts";

export const list = {
  key: (transfer) => transfer.reference,
  draw: (transfer) => rows.payout(transfer, decide),
  nothing: "No money has left the wallet.",
  notFound: "No payout is like that.",
};

export const render = (state) => badge(id, state.open_payouts);

export function bind() {
  $("#payout-type").addEventListener("change", arrangeForm);
  arrangeForm();
  onSubmit("#payout-form", async (form) => {
    const type = $("#payout-type").value;
    const { amount, ...fields } = fieldsOf(form);
    const recipient = fieldsOf(form, "recipient");
    const answer = await act("POST", "/payouts", {
      ...fields,
      ...(amount ? { amount: number(amount, "RWF") } : {}),
      destination_type: type,
      recipient: type === "bank" ? recipient : { ...recipient, country: "RW" },
    }, form);
    if (!answer) return;
    form.reset();
    arrangeForm();
    closeDialog("payout");
    toast(`${answer.dgs_reference} was queued`);
  });
}

function arrangeForm() {
  for (const label of document.querySelectorAll("[data-payout]")) {
    label.hidden = label.dataset.payout !== $("#payout-type").value;
  }
}

/** The tab "Transactions": payments, and the form for a new charge. */

import { number } from "../amounts.js";
import { closeDialog } from "./dialogs.js";
import { act, fieldsOf, onSubmit, toast } from "./page.js";
import * as rows from "./rows.js";

export const id = "transactions";
export const title = "Transactions";

export const list = {
  key: (payment) => payment.reference,
  draw: rows.transaction,
  nothing: "No payment has been made yet.",
  notFound: "No payment is like that.",
};

export function render() {}

export function bind() {
  onSubmit("#charge-form", async (form) => {
    const fields = fieldsOf(form);
    const phone = localPhone(fields.mobile_money_phone);
    const answer = await act("POST", "/charges", {
      ...fields,
      ...(fields.amount ? { amount: number(fields.amount, "RWF") } : {}),
      ...(phone ? { mobile_money_phone: phone, customer_phone: phone } : {}),
      currency: "RWF",
      payment_type: "mobile_money",
      customer_phone_country_code: "250",
      redirect_url: location.origin,
    }, form);
    if (!answer) return;
    form.reset();
    closeDialog("charge");
    toast(`${answer.dgs_reference} was created`);
  });
}

/** A Rwandan number as the API wants it, without spaces and what stands before the 7. */
const localPhone = (text) => text?.replace(/[\s-]/g, "").replace(/^(\+?250|0)(?=7)/, "");

"""Disbursements: pay out to a bank account or a mobile wallet."""

from __future__ import annotations

from dgspay.api.fields import optional_key, present, reads, require_reference, scenario_key
from dgspay.core.operation import Operation, Repeat
from dgspay.models.disbursements import Disbursement
from dgspay.models.json_codec import JSONObject
from dgspay.models.recipients import BankRecipient, MobileMoneyRecipient
from dgspay.models.scenario import Scenario
from dgspay.models.standing import is_said
from dgspay.models.validators import optional_text, optional_url
from dgspay.money import AmountInput, Money

_read_any_disbursement = reads(Disbursement)


def _read_disbursement(envelope: JSONObject) -> Disbursement:
    disbursement = _read_any_disbursement(envelope)
    if not is_said(disbursement.dgs_reference) and disbursement.is_declined:
        # Without its name, a no is not one that can be relied on.
        require_reference(disbursement.dgs_reference, "dgs_reference")
    return disbursement


def create(
    *,
    amount: AmountInput,
    recipient: BankRecipient | MobileMoneyRecipient,
    narration: str | None = None,
    callback_url: str | None = None,
    scenario: Scenario | str | None = None,
    idempotency_key: str | None = None,
) -> Operation[Disbursement]:
    """Send money from the RWF wallet (guide, "Disburse Funds").

    The answer only says that the transfer is queued, or declined at once: look at
    `disbursement.is_declined`. Its webhook says how it ended. The
    wallet is debited `amount`, and the recipient gets `amount` minus the fee:
    `money.gross_for(net, fee)` gives the amount for a net sum.

    Args:
        amount: Gross, in RWF, without a fraction.
        recipient: Who is paid.
        narration: Short text on the recipient's statement.
        callback_url: Where this transfer's webhook goes instead of the configured URL.
        scenario: Sandbox only: `Scenario.transfer("successful")` or the guide's string.
        idempotency_key: Your own key for this payout. Give one, and keep it: it is what
            distinguishes this payout from another to the same person.

    Raises:
        ValueError, TypeError: an argument is wrong; nothing was sent.
        OutcomeUnknownError: the money may have been sent. Do not repeat it blindly.
        InsufficientFundsError: the wallet does not hold enough; nothing was sent.
        APIError: DGS-Pay refused.
    """
    if not isinstance(recipient, BankRecipient | MobileMoneyRecipient):
        raise TypeError(
            "recipient must be a BankRecipient or a MobileMoneyRecipient, not "
            f"{type(recipient).__name__}"
        )
    fields = {
        "amount": Money.parse(amount, "RWF"),
        "destination_type": recipient.destination_type,
        "recipient": present(recipient.to_wire()),
        "narration": optional_text(narration, field="narration"),
        "callback_url": optional_url(callback_url, field="callback_url"),
        "scenario_key": scenario_key(scenario, "transfer"),
    }
    return Operation(
        method="POST",
        path="/disburse",
        body=present(fields),
        read=_read_disbursement,
        repeat=Repeat.PAYOUT,
        idempotency_key=optional_key(idempotency_key),
        failure_is_result=True,
    )

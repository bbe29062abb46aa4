"""Evidence from an answer, an error, a look-up or an event: what each means for a payout."""

from __future__ import annotations

from dgspay import Disbursement, Outcome, Standing, Transaction, errors
from dgspay.models.reported import account_in, usable_reference
from dgspay.payouts.model.payout import Payout
from dgspay.payouts.model.transitions import Evidence, Learned, Source, disagreement
from dgspay.webhooks import DisbursementFailed, DisbursementSucceeded

DisbursementEvent = DisbursementSucceeded | DisbursementFailed

_FAILED = "DGS-Pay says it failed"
# What to do about a lost answer is said once, above the rows in doubt.
_ADVICE = (" It is not known whether", " Do not simply repeat")


def evidence_of_answer(disbursement: Disbursement, payout: Payout) -> Evidence:
    """Return the finding from an answer of `disbursements.create`.

    It was queued, or declined at once: a word of success in the answer is no payment yet (guide,
    "Disbursement Webhook"). What the answer says of amount and recipient is kept only where it is
    not what was asked for, as in hardly any: the ledger takes what is as it should be many at a
    time.
    """
    named = usable_reference(disbursement.dgs_reference)
    plain = Evidence(learned=Learned.ACCEPTED, dgs_reference=named, fee=disbursement.fee)
    if disbursement.is_declined:
        why = disbursement.fail_reason or disbursement.processor_response or disbursement.message
        plain = plain._replace(learned=Learned.REFUSED, fee=None, reason=why or _FAILED)
    reported = plain._replace(
        amount=disbursement.amount,
        currency=disbursement.currency,
        account=account_in(disbursement.extra.get("recipient")),
    )
    return plain if disagreement(payout, reported) is None else reported


def evidence_of_error(error: errors.DGSPayError) -> Evidence:
    """Return what an error of `disbursements.create` means for the payout.

    Only a code of the guide that finds fault with the row itself makes it fail. What is not known
    is held, and what DGS-Pay refused for now stays to be sent.
    """
    reason = error.message
    if error.outcome is Outcome.UNKNOWN:
        for advice in _ADVICE:
            reason = reason.partition(advice)[0]
        named = getattr(error, "dgs_reference", None)
        return Evidence(learned=Learned.LOST, dgs_reference=usable_reference(named), reason=reason)
    match error:
        case errors.IdempotencyError():
            # The key follows from batch and row, so what has used it, or has it in flight at this
            # moment, is this very payout: it was most probably accepted.
            return Evidence(
                learned=Learned.LOST, reason=f"its key was used before this attempt: {reason}"
            )
        case errors.AuthenticationError() | errors.InsufficientFundsError():
            # Refused for now, and not for what it is: it stays to be sent.
            return Evidence(learned=Learned.NOT_SENT, reason=reason)
        case errors.RateLimitError():
            return Evidence(learned=Learned.NOT_SENT, reason=reason)
    if error.outcome is Outcome.NOT_SENT:
        return Evidence(learned=Learned.NOT_SENT, reason=reason)
    return Evidence(learned=Learned.REFUSED, dgs_reference=_name_in(error), reason=reason)


def evidence_of_look_up(transaction: Transaction) -> Evidence | None:
    """Return what a look-up means for the payout; None while it is pending, or is not known."""
    reason = transaction.extra.get("fail_reason")
    match transaction.standing:
        case Standing.PAID:
            learned, why = Learned.PAID, None
        case Standing.FAILED:
            learned, why = Learned.NOT_PAID, reason if isinstance(reason, str) else _FAILED
        case _:
            return None
    return Evidence(
        learned=learned,
        source=Source.LOOK_UP,
        dgs_reference=usable_reference(transaction.dgs_reference),
        amount=transaction.amount,
        currency=transaction.currency,
        account=account_in(transaction.extra.get("recipient")),
        reason=why,
    )


def evidence_of_event(event: DisbursementEvent) -> Evidence:
    """Return what an event means for its payout (guide, "Disbursement Webhook").

    Raises:
        DecodeError: the event contradicts itself. `webhooks.verify` has refused it by then, so
            that this is for one that was made by hand.
    """
    reason = event.fail_reason if isinstance(event, DisbursementFailed) else None
    match event.standing:
        case Standing.PAID:
            learned, why = Learned.PAID, None
        case Standing.FAILED:
            learned, why = Learned.NOT_PAID, reason or _FAILED
        case _:
            raise errors.DecodeError(f"the event {event.event} contradicts itself")
    to = event.recipient
    return Evidence(
        learned=learned,
        source=Source.WEBHOOK,
        dgs_reference=event.dgs_reference,
        amount=event.amount,
        fee=event.fee,
        currency=event.currency,
        account=None if to is None else to.account_number or to.msisdn,
        reason=why,
    )


def _name_in(error: errors.DGSPayError) -> str | None:
    """Return DGS-Pay's name for what it refused: what contradicts the refusal comes by it."""
    body = error.body if isinstance(error, errors.APIError) else None
    named = None if body is None else body.get("dgs_reference")
    return usable_reference(named) if isinstance(named, str) else None

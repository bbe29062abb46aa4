"""One payout as the caller asked for it, and the words for where it stands."""

from __future__ import annotations

import enum
from typing import NamedTuple

import attrs

from dgspay import BankRecipient, MobileMoneyRecipient
from dgspay.models.phones import network_name, networks_as_written

Recipient = BankRecipient | MobileMoneyRecipient

CURRENCY = "RWF"
"""Currency of disbursements (guide, "Disburse Funds")."""


def wallet_of(
    msisdn: str, network: str | None, country: str, name: str | None
) -> MobileMoneyRecipient:
    """Return a mobile wallet, with the network as it is written or by the number's prefix.

    Of one that does not go with the prefix a person is told when the sheet is read; a warning for
    each attempt to send it would stop a program whose warnings are errors in the midst of a run.

    Raises:
        TypeError, ValueError: it is none.
    """
    usual = MobileMoneyRecipient(msisdn=msisdn, country=country, name=name)
    if network is None or network == usual.network:
        return usual
    with networks_as_written():
        return attrs.evolve(usual, network=network_name(network, field="recipient.network"))


class State(enum.StrEnum):
    """Status of a payout; `evidence.merge` says what may follow what."""

    NEW = "new"
    """It was never sent, or DGS-Pay certainly did not act on it."""
    IN_DOUBT = "in doubt"
    """Key and attempt are on disk; a byte may have left, and no answer is known."""
    ACCEPTED = "accepted"
    """DGS-Pay has queued it (guide, "Disbursement Webhook"); it is not yet known how it ended."""
    FAILED = "failed"
    """It was refused, or it ended without the recipient being paid."""
    CONFIRMED = "confirmed"
    """The recipient was paid."""
    HELD = "held"
    """Its answer was lost or contradicted: a webhook, a look-up or a person must settle it."""
    BLOCKED = "blocked"
    """It was never sent: another row has paid it, or may have; `ledger/guard.py` says when."""
    CANCELLED = "cancelled"
    """It was never sent, and will not be: a person has cancelled it."""


OPEN = (State.NEW, State.IN_DOUBT)
"""A run still has something to do about these."""

UNSENT = (State.NEW, State.BLOCKED, State.CANCELLED)
"""Statuses of which, as far as is known, nothing was sent."""

UNPAID = (State.NEW, State.FAILED, State.BLOCKED, State.CANCELLED)
"""Statuses in which, as far as is known, nothing was paid; in all others something may be."""

UNSETTLED = (State.ACCEPTED, State.HELD, State.IN_DOUBT)
"""It may have been paid, and it is not known whether it was."""


class Payout(NamedTuple):
    """One row of a batch. It was checked when it was read; see `Payout.to`.

    A tuple, because a million of them are made, and made again, within seconds.

    Attributes:
        number: Its place in the batch, from 1.
        reference: The caller's own name for it, unique in the batch.
        amount: Gross, in RWF: the fee is taken from what the recipient gets.
        account: The account or the phone that is paid, as it goes to DGS-Pay.
        bank_key: The bank; None for a mobile wallet.
        branch: The branch, where the bank needs one.
        network: The network of a mobile wallet.
        country: The country of a mobile wallet.
        name: Who is paid.
        narration: Short text on the recipient's statement.
        pay_again: Why it is to be paid although it looks as if it had been before.
    """

    number: int
    reference: str
    amount: int
    account: str
    bank_key: str | None = None
    branch: str | None = None
    network: str | None = None
    country: str | None = None
    name: str | None = None
    narration: str | None = None
    pay_again: str | None = None

    @classmethod
    def to(
        cls,
        recipient: Recipient,
        *,
        number: int,
        reference: str,
        amount: int,
        narration: str | None = None,
        pay_again: str | None = None,
    ) -> Payout:
        """Make one to a recipient; phones and networks get their one spelling."""
        wire = recipient.to_wire()
        return cls(
            number=number,
            reference=reference,
            amount=amount,
            account=wire.get("account_number") or wire["msisdn"],
            bank_key=wire.get("bank_key"),
            branch=wire.get("branch"),
            network=wire.get("network"),
            country=wire.get("country"),
            name=recipient.name,
            narration=narration,
            pay_again=pay_again,
        )

    @property
    def recipient(self) -> Recipient:
        """The recipient, made when needed: a million of them are never needed at once."""
        if self.bank_key is not None:
            return BankRecipient(
                bank_key=self.bank_key,
                account_number=self.account,
                name=self.name,
                branch=self.branch,
            )
        return wallet_of(self.account, self.network, self.country or "RW", self.name)


@attrs.frozen(kw_only=True)
class Record:
    """A payout with what the ledger knows of it.

    Attributes:
        payout: What was asked for.
        state: Where it stands.
        attempts: How often it was taken up to be sent; retries within an attempt not counted.
        doubtful: Whether an attempt ever ended without an answer, or its end was learned from
            something else than the answer.
        dgs_reference: What DGS-Pay calls it, once that is known.
        fee: In RWF, as DGS-Pay wrote it, once that is known.
        reason: Why it failed or is held, or by whom it was settled.
        contradiction: What two sources say of it that cannot both be true.
        sent_at: Unix time of the last attempt; where keys are trusted, of the first that may have
            arrived.
        settled_at: Unix time at which it became confirmed or failed.
    """

    payout: Payout
    state: State = State.NEW
    attempts: int = 0
    doubtful: bool = False
    dgs_reference: str | None = None
    fee: str | None = None
    reason: str | None = None
    contradiction: str | None = None
    sent_at: float | None = None
    settled_at: float | None = None

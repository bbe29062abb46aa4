"""Disbursements (guide, "Disburse Funds")."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from dgspay.models.enums import CallStatus, DestinationType, PaymentStatus
from dgspay.models.extra_fields import extra_fields, incidental, shown
from dgspay.models.results import Result
from dgspay.models.standing import Standing, all_said, standing_of, statements


@attrs.frozen(kw_only=True, field_transformer=shown)
class Disbursement(Result):
    """A transfer that was queued, or declined at once. Whether it arrives, its webhook says.

    The guide shows no example of this answer, so every field but the status may be missing.

    Attributes:
        status: How the API took the call; `success` means queued, not paid.
        transaction_status: How the transfer stands, where the answer says so.
        fail_reason: Why it was declined, where the answer says so.
        amount: Gross amount taken from the wallet, in `currency`.
        fee: Taken from what the recipient gets.
        recipient_gets: `amount` minus `fee`.
        extra: Fields this version does not know.
    """

    status: CallStatus
    message: str | None = incidental()
    dgs_reference: str | None = None
    transaction_id: str | None = None
    transaction_status: PaymentStatus | None = None
    flw_transfer_id: int | None = incidental()
    amount: Decimal | None = None
    fee: Decimal | None = incidental()
    recipient_gets: Decimal | None = incidental()
    currency: str | None = None
    destination_type: DestinationType | None = incidental()
    processor_response: str | None = incidental()
    fail_reason: str | None = None
    extra: Mapping[str, Any] = extra_fields()

    @property
    def standing(self) -> Standing:
        """The standing by everything the answer says; see `dgspay.models.standing`."""
        said = all_said(
            self.extra,
            status=self.status,
            dgs_reference=self.dgs_reference,
            transaction_status=self.transaction_status,
            fail_reason=self.fail_reason,
        )
        return standing_of(statements(said))

    @property
    def is_declined(self) -> bool:
        """Return whether DGS-Pay declined it at once, and nothing in the answer says otherwise."""
        return self.standing is Standing.FAILED

"""Transactions of the account (guide, "Transactions")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from dgspay.models.enums import PaymentMethod, PaymentStatus
from dgspay.models.extra_fields import extra_fields, incidental, shown
from dgspay.models.results import Result
from dgspay.models.standing import Standing, all_said, standing_of, statements


@attrs.frozen(kw_only=True, field_transformer=shown)
class Transaction(Result):
    """One transaction, from the list or looked up.

    The guide shows seven fields; a look-up gives more ("full details"). What it names in
    charges and events has a field here, everything else is in `extra`.

    Attributes:
        status: Its status as it came. Whether it is paid, `is_paid` says: an answer may contradict
            itself.
        amount: In `currency`.
        created_at: Without a zone, as the API gives it, unless the client has `api_timezone`.
        contradiction: Which two things the answer says of it that cannot both be true, or None.
        extra: Fields this version does not know.
    """

    status: PaymentStatus
    id: str | None = None
    dgs_reference: str | None = None
    flw_reference: str | None = None
    transaction_id: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    merchant_fee: Decimal | None = incidental()
    net_amount: Decimal | None = incidental()
    payment_method_type: PaymentMethod | None = incidental()
    payment_link_id: str | None = incidental()
    processor_response: str | None = incidental()
    narration: str | None = incidental()
    created_at: datetime | None = incidental()
    contradiction: str | None = None
    extra: Mapping[str, Any] = extra_fields()

    @property
    def standing(self) -> Standing:
        """Its standing by everything the answer says; see `dgspay.models.standing`."""
        if self.contradiction is not None:
            return Standing.UNKNOWN
        said = all_said(self.extra, status=self.status, dgs_reference=self.dgs_reference)
        return standing_of(statements(said, is_record=True))

    @property
    def is_paid(self) -> bool:
        """Return whether it was paid, and nothing in the answer says otherwise.

        A status never seen before is not paid, nor is a payment with an open next action.
        """
        return self.standing is Standing.PAID

    @property
    def is_settled(self) -> bool:
        """Return whether it is paid or failed. A contradictory answer settles nothing."""
        return self.standing in (Standing.PAID, Standing.FAILED)

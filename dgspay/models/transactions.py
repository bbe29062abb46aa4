"""What the API says of a transaction (guide, "Transactions")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from dgspay.models.enums import PaymentMethod, PaymentStatus
from dgspay.models.extras import extra_fields


@attrs.frozen(kw_only=True)
class Transaction:
    """One transaction, from the list or looked up.

    The guide shows seven fields; a look-up gives more ("full details"). What it names in
    charges and events has a field here, everything else is in `extra`.

    Attributes:
        status: How it stands.
        amount: In `currency`.
        created_at: Without a zone, as the API gives it.
        extra: Fields this version does not know.
    """

    status: PaymentStatus
    id: str | None = None
    dgs_reference: str | None = None
    flw_reference: str | None = None
    transaction_id: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    merchant_fee: Decimal | None = None
    net_amount: Decimal | None = None
    payment_method_type: PaymentMethod | None = None
    payment_link_id: str | None = None
    processor_response: str | None = None
    narration: str | None = None
    created_at: datetime | None = None
    extra: Mapping[str, Any] = extra_fields()

    @property
    def is_paid(self) -> bool:
        """Whether the money was collected. A status never seen before is not."""
        return self.status == PaymentStatus.SUCCESSFUL

    @property
    def is_settled(self) -> bool:
        """Whether it will not change any more."""
        return self.status.is_settled

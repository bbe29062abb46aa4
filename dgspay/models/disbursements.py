"""What the API says of a disbursement (guide, "Disburse Funds")."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from dgspay.models.enums import DestinationType
from dgspay.models.extras import extra_fields


@attrs.frozen(kw_only=True)
class Disbursement:
    """A transfer that was queued. Whether it arrives is told by its webhook.

    The guide shows no example of this answer, so every field but the status may be missing.

    Attributes:
        status: How the API took the call; `success` means queued, not paid.
        amount: Gross amount taken from the wallet, in `currency`.
        fee: Taken from what the recipient gets.
        recipient_gets: `amount` minus `fee`.
        extra: Fields this version does not know.
    """

    status: str
    message: str | None = None
    dgs_reference: str | None = None
    transaction_id: str | None = None
    flw_transfer_id: int | None = None
    amount: Decimal | None = None
    fee: Decimal | None = None
    recipient_gets: Decimal | None = None
    currency: str | None = None
    destination_type: DestinationType | None = None
    extra: Mapping[str, Any] = extra_fields()

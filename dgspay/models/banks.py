"""What the API says of banks and mobile-money providers (guide, "List Banks & Providers")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from dgspay.models.enums import DestinationType
from dgspay.models.extras import extra_fields


@attrs.frozen(kw_only=True)
class Bank:
    """A bank or a mobile-money provider that can be paid to.

    Attributes:
        bank_key: What `BankRecipient.bank_key` takes.
        type: Bank or mobile money.
        branch_required: Whether `BankRecipient.branch` must be given.
        extra: Fields this version does not know.
    """

    bank_key: str
    name: str | None = None
    type: DestinationType | None = None
    code: str | None = None
    network: str | None = None
    currency: str | None = None
    branch_required: bool = False
    extra: Mapping[str, Any] = extra_fields()

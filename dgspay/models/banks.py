"""Banks and mobile-money providers (guide, "List Banks & Providers")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from dgspay.models.enums import DestinationType
from dgspay.models.extra_fields import extra_fields, incidental, shown
from dgspay.models.results import Result


@attrs.frozen(kw_only=True, field_transformer=shown)
class Bank(Result):
    """A bank or a mobile-money provider that can be paid to.

    Attributes:
        bank_key: What `BankRecipient.bank_key` takes.
        type: Bank or mobile money.
        branch_required: Whether `BankRecipient.branch` must be given.
        extra: Fields this version does not know.
    """

    bank_key: str
    name: str | None = incidental()
    type: DestinationType | None = incidental()
    code: str | None = incidental()
    network: str | None = incidental()
    currency: str | None = None
    branch_required: bool = False
    extra: Mapping[str, Any] = extra_fields()

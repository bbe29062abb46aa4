"""Payment links (guide, "Payment Links")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from dgspay.models.enums import AmountType, CallStatus, LinkStatus, PaymentMethod, PaymentStatus
from dgspay.models.extra_fields import (
    extra_fields,
    incidental,
    incidental_mapping,
    link_for_payers,
    shown,
    web_link,
)
from dgspay.models.results import Result


@attrs.frozen(kw_only=True, field_transformer=shown)
class PaymentLink(Result):
    """A page a customer can pay on.

    Attributes:
        id: For retrieve, update and archive.
        url: What to give to the payer.
        amount: In `currency`; None on a flexible link.
        max_uses: Successful payments it takes; None means without limit.
        expires_at: Without a zone, as the API gives it, unless the client has `api_timezone`.
        extra: Fields this version does not know.
    """

    id: str
    slug: str | None = incidental()
    url: str | None = link_for_payers()
    title: str | None = incidental()
    description: str | None = incidental()
    amount_type: AmountType | None = None
    amount: Decimal | None = None
    min_amount: Decimal | None = None
    max_amount: Decimal | None = None
    currency: str | None = None
    payment_types: tuple[PaymentMethod, ...] | None = None
    use_count: int | None = None
    max_uses: int | None = None
    status: LinkStatus | None = None
    redirect_url: str | None = web_link()
    collect_phone: bool | None = None
    collect_name: bool | None = None
    collect_address: bool | None = None
    logo_url: str | None = web_link()
    metadata: Mapping[str, Any] | None = incidental_mapping()
    expires_at: datetime | None = incidental()
    created_at: datetime | None = incidental()
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True, field_transformer=shown)
class LinkStats(Result):
    """Amounts collected through a link, in `currency`."""

    total_charges: int | None = None
    successful_charges: int | None = None
    pending_charges: int | None = None
    failed_charges: int | None = None
    total_collected: Decimal | None = None
    currency: str | None = None
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True, field_transformer=shown)
class RecentCharge(Result):
    """One of the latest charges of a link."""

    id: str
    amount: Decimal | None = None
    currency: str | None = None
    status: PaymentStatus | None = None
    created_at: datetime | None = incidental()
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True, field_transformer=shown)
class PaymentLinkDetails(Result):
    """A link with its figures (guide, "Get Link Details & Stats")."""

    link: PaymentLink
    stats: LinkStats | None = incidental()
    recent_charges: tuple[RecentCharge, ...] = incidental(())
    status: CallStatus | None = None
    message: str | None = incidental()
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True, field_transformer=shown)
class ArchivedLink(Result):
    """The API's confirmation that a link was archived."""

    status: CallStatus
    message: str | None = incidental()
    extra: Mapping[str, Any] = extra_fields()

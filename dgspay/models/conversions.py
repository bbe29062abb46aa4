"""Currency conversions (guide, "Currency Conversion")."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from dgspay.models.enums import CallStatus, ConversionStatus
from dgspay.models.extra_fields import extra_fields, incidental, shown
from dgspay.models.results import Result
from dgspay.models.standing import Standing, all_said, standing_of, statements


@attrs.frozen(kw_only=True, field_transformer=shown)
class ConversionPreview(Result):
    """Preview of a conversion at this moment; the rate may shift. No funds moved.

    Attributes:
        rate: Units of `to_currency` for one of `from_currency`.
        extra: Fields this version does not know.
    """

    from_currency: str
    from_amount: Decimal
    to_currency: str
    to_amount: Decimal
    rate: Decimal | None = incidental()
    rate_display: str | None = incidental()
    fee: Decimal | None = incidental()
    status: CallStatus | None = None
    message: str | None = incidental()
    extra: Mapping[str, Any] = extra_fields()


@attrs.frozen(kw_only=True, field_transformer=shown)
class Conversion(Result):
    """A conversion that was started, or declined at once. Its webhook says whether it succeeds.

    Attributes:
        dgs_conversion_ref: What to track it by.
        rate: Units of `to_currency` for one of `from_currency`.
        extra: Fields this version does not know.
    """

    status: CallStatus
    dgs_conversion_ref: str
    conversion_status: ConversionStatus | None = None
    from_currency: str | None = None
    from_amount: Decimal | None = None
    to_currency: str | None = None
    to_amount: Decimal | None = None
    rate: Decimal | None = incidental()
    rate_display: str | None = incidental()
    fee: Decimal | None = incidental()
    message: str | None = incidental()
    extra: Mapping[str, Any] = extra_fields()

    @property
    def standing(self) -> Standing:
        """The standing by everything the answer says; see `dgspay.models.standing`."""
        said = all_said(self.extra, status=self.status, conversion_status=self.conversion_status)
        return standing_of(statements(said))

    @property
    def is_declined(self) -> bool:
        """Return whether DGS-Pay declined it at once, and nothing in the answer says otherwise."""
        return self.standing is Standing.FAILED

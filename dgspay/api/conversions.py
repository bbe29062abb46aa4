"""Currency conversion within the merchant wallet."""

from __future__ import annotations

from typing import Any

from dgspay.api.fields import optional_key, reads
from dgspay.core.operation import Operation, Repeat
from dgspay.models.conversions import Conversion, ConversionPreview
from dgspay.money import AmountInput, Money, parse_currency


def preview(
    *, from_currency: str, to_currency: str, from_amount: AmountInput
) -> Operation[ConversionPreview]:
    """Ask what a conversion would give; no funds move (guide, "Currency Conversion").

    Args:
        from_currency: ISO 4217 code, such as `USD`.
        to_currency: ISO 4217 code, such as `RWF`.
        from_amount: In `from_currency`.
    """
    return Operation(
        method="POST",
        path="/convert",
        body=_body("preview", from_currency, to_currency, from_amount),
        read=reads(ConversionPreview),
        repeat=Repeat.READ,
    )


def convert(
    *,
    from_currency: str,
    to_currency: str,
    from_amount: AmountInput,
    idempotency_key: str | None = None,
) -> Operation[Conversion]:
    """Convert funds at the live rate (guide, "Currency Conversion").

    Args:
        from_currency: ISO 4217 code, such as `USD`.
        to_currency: ISO 4217 code, such as `RWF`.
        from_amount: In `from_currency`.
        idempotency_key: Your own key for this conversion; the client makes one otherwise.

    Raises:
        InsufficientFundsError: the wallet does not hold enough of `from_currency`.
        OutcomeUnknownError: the funds may have been converted.
    """
    return Operation(
        method="POST",
        path="/convert",
        body=_body("convert", from_currency, to_currency, from_amount),
        read=reads(Conversion),
        repeat=Repeat.PAYOUT,
        idempotency_key=optional_key(idempotency_key),
    )


def _body(
    action: str, from_currency: str, to_currency: str, from_amount: AmountInput
) -> dict[str, Any]:
    source = Money.parse(from_amount, from_currency, field="from_amount")
    target = parse_currency(to_currency, field="to_currency")
    if source.currency == target:
        raise ValueError("to_currency must differ from from_currency")
    return {
        "action": action,
        "from_currency": source.currency,
        "to_currency": target,
        "from_amount": source,
    }

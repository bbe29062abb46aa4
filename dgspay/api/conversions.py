"""Currency conversion within the merchant wallet."""

from __future__ import annotations

from dgspay.api.fields import optional_key, reads, require_reference
from dgspay.core.operation import Operation, Repeat
from dgspay.models.conversions import Conversion, ConversionPreview
from dgspay.models.json_codec import JSONObject
from dgspay.money import AmountInput, Money, parse_currency

_read_any_conversion = reads(Conversion)


def _read_conversion(envelope: JSONObject) -> Conversion:
    conversion = _read_any_conversion(envelope)
    require_reference(conversion.dgs_conversion_ref, "dgs_conversion_ref")
    return conversion


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

    One that was declined at once is a result, and no exception: look at `conversion.is_declined`.

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
        read=_read_conversion,
        repeat=Repeat.PAYOUT,
        idempotency_key=optional_key(idempotency_key),
        failure_is_result=True,
    )


def _body(
    action: str, from_currency: str, to_currency: str, from_amount: AmountInput
) -> dict[str, object]:
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

"""`POST /convert`: wallet money from one currency to another (guide, "Currency Conversion")."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from dgspay.emulator.api import schema
from dgspay.emulator.api.call import Call
from dgspay.emulator.api.fields import Form
from dgspay.emulator.domain.records import Conversion
from dgspay.emulator.http import invalid
from dgspay.money import minor_unit_digits

# Units per US dollar. USD to EUR is the guide's example; the others are round figures.
PER_DOLLAR: Final[Mapping[str, Decimal]] = {
    "USD": Decimal(1),
    "EUR": Decimal("0.945"),
    "GBP": Decimal("0.80"),
    "RWF": Decimal(1450),
    "KES": Decimal(130),
    "UGX": Decimal(3700),
    "TZS": Decimal(2600),
}
FEE: Final = 0

ACTION: Final = schema.choice("action", ("preview", "convert"), "preview")
FROM_CURRENCY: Final = schema.choice("from_currency", PER_DOLLAR, "USD")
TO_CURRENCY: Final = schema.choice("to_currency", PER_DOLLAR, "EUR")
FROM_AMOUNT: Final = schema.amount("from_amount", 100)
FORMS: Final = (Form("convert", (ACTION, FROM_CURRENCY, TO_CURRENCY, FROM_AMOUNT)),)


def create(call: Call) -> Mapping[str, Any]:
    """Preview a conversion, or carry it out."""
    action = call.fields[ACTION]
    conversion = _read(call)
    if action == "preview":
        return {
            "status": "success",
            "message": "Conversion preview — no funds moved",
            **_terms(conversion),
            "rate_display": conversion.rate_display,
            "fee": FEE,
        }
    _carry_out(call, conversion)
    return {
        "status": "success",
        "message": (
            f"Conversion initiated. {conversion.to_currency} balance will be credited shortly."
        ),
        "dgs_conversion_ref": conversion.dgs_reference,
        "conversion_status": conversion.status,
        **_terms(conversion),
        "fee": FEE,
    }


def rate_between(source: str, target: str) -> Decimal:
    """Return how much of `target` one unit of `source` buys, to six places."""
    return (PER_DOLLAR[target] / PER_DOLLAR[source]).quantize(Decimal("0.000001"))


def _read(call: Call) -> Conversion:
    source, target = call.fields[FROM_CURRENCY], call.fields[TO_CURRENCY]
    if source == target:
        raise invalid("to_currency must be another currency than from_currency")
    amount = call.fields[FROM_AMOUNT]
    rate = rate_between(source, target)
    unit = Decimal(1).scaleb(-minor_unit_digits(target))
    bought = (amount * rate).quantize(unit, ROUND_HALF_EVEN)
    if not bought:
        raise invalid("from_amount is too small to buy anything")
    return Conversion(
        dgs_reference=f"DGSCONV{call.account.identifiers.token()}",
        from_currency=source,
        from_amount=amount,
        to_currency=target,
        to_amount=bought,
        rate=rate,
        created_at=call.account.clock.time(),
    )


def _carry_out(call: Call, conversion: Conversion) -> None:
    account = call.account
    account.wallet.debit(conversion.from_currency, conversion.from_amount)
    account.wallet.expect(conversion.to_currency, conversion.to_amount)
    account.add_conversion(conversion)
    account.settle_later(conversion.dgs_reference)
    call.record(conversion.dgs_reference, conversion.from_amount, conversion.from_currency)


def _terms(conversion: Conversion) -> dict[str, Any]:
    return {
        "from_currency": conversion.from_currency,
        "from_amount": conversion.from_amount,
        "to_currency": conversion.to_currency,
        "to_amount": conversion.to_amount,
        "rate": conversion.rate,
    }

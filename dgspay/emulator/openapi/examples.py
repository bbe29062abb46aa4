"""The guide's requests, sent to an emulator of their own that is watched while it reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from dgspay.emulator.api.call import Call, Route
from dgspay.emulator.api.card_charges import PIN
from dgspay.emulator.clock import VirtualClock
from dgspay.emulator.domain.account import Options
from dgspay.emulator.domain.recorder import NullRecorder
from dgspay.emulator.domain.wallet import DEFAULT_BALANCES
from dgspay.emulator.engine.engine import Engine
from dgspay.emulator.openapi.request_schemas import JSONSchema, Notes, WatchedCall
from dgspay.emulator.routes import ROUTES
from dgspay.encryption import encrypt_field

_CUSTOMER: Final = {
    "customer_email": "jane.doe@example.com",
    "customer_first_name": "Jane",
    "customer_last_name": "Doe",
    "customer_phone": "789654321",
    "customer_phone_country_code": "250",
    "redirect_url": "https://yourdomain.com/payment-success",
}
_MOBILE_MONEY: Final = {
    "amount": 2000,
    "currency": "RWF",
    "payment_type": "mobile_money",
    **_CUSTOMER,
    "narration": "Payment for Invoice #5678",
    "mobile_money_network": "MTN",
    "mobile_money_phone": "789654321",
}
_LINK: Final = {
    "title": "Invoice #123",
    "amount_type": "fixed",
    "amount": 50000,
    "currency": "RWF",
    "payment_types": ["card", "mobile_money"],
    "max_uses": 1,
    "expires_at": "2026-12-31 23:59:59",
}
_FLEXIBLE_LINK: Final = {
    "title": "Donate to the school",
    "amount_type": "flexible",
    "min_amount": 500,
    "max_amount": 20000,
    "currency": "RWF",
}
_CONVERSION: Final = {
    "action": "preview",
    "from_currency": "USD",
    "to_currency": "EUR",
    "from_amount": 100,
}
_BANK: Final = {
    "bank_key": "kcb_rw",
    "account_number": "1234567890",
    "name": "John Doe",
    "branch": "Kigali Main",
}
_HANDSET: Final = {
    "msisdn": "+250788123456",
    "network": "MTN",
    "country": "RW",
    "name": "Jane Doe",
}
_ADDRESS: Final = {
    "auth_type": "avs",
    "avs_line1": "123 Main Street",
    "avs_line2": "Apt 4B",
    "avs_city": "Kigali",
    "avs_state": "Kigali City",
    "avs_country": "RW",
    "avs_postal_code": "00000",
}
# A published test card. What is shown of it are the guide's placeholders.
_CARD: Final = {
    "number": "4242424242424242",
    "expiry_month": "12",
    "expiry_year": "2028",
    "cvv": "123",
}
# The fields that decide which others a request has.
_DISCRIMINATORS: Final = frozenset({"payment_type", "auth_type", "amount_type", "destination_type"})
_NONCE: Final = "abc123def456"


@attrs.frozen
class Example:
    """One form of a request.

    Attributes:
        name: What it is called, such as `mobile_money`.
        schema: Every field the emulator looked for in it.
        body: The guide's example.
    """

    name: str
    schema: JSONSchema
    body: Mapping[str, Any]


class FieldRecorder:
    """An emulator that is shown every form of every request once."""

    def __init__(self) -> None:
        self._engine = Engine(
            Options(balances=DEFAULT_BALANCES),
            VirtualClock(),
            seed="rehearsal",
            merchants=["default"],
            recorder=NullRecorder(),
            deliver=lambda events: None,
            scheduled=lambda: None,
            changed=lambda: None,
        )

    def examples(self, route: Route) -> list[Example]:
        """Return the forms of a route's request, none where it has no body."""
        return [self._watched(route, name, body) for name, body in self._bodies(route.operation)]

    def _watched(self, route: Route, name: str, body: Mapping[str, Any]) -> Example:
        notes = Notes()
        values = {"id": self._link()} if "{id}" in route.template else {}
        call = WatchedCall(
            self._engine.account,
            route.operation,
            values=values,
            query="",
            body=body,
            idempotency_key=None,
        )
        call.watch(notes)
        route.handler(call)
        shown = {
            field: f"<{field}>" if "encrypted" in field else value for field, value in body.items()
        }
        for field in _DISCRIMINATORS.intersection(body):
            notes.narrow(field, body[field])
        return Example(name, notes.schema(partial=route.method == "PATCH"), shown)

    def _bodies(self, operation: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        match operation:
            case "POST /charges":
                yield "mobile_money", _MOBILE_MONEY
                yield "card", self._card()
            case "POST /authorize":
                yield "pin", {**self._awaiting("pin"), **self._pin()}
                yield "otp", {**self._awaiting("3ds"), "auth_type": "otp", "auth_otp": "123456"}
                yield "avs", {**self._awaiting("avs"), **_ADDRESS}
            case "POST /payment-links":
                yield "fixed", _LINK
                yield "flexible", _FLEXIBLE_LINK
            case "PATCH /payment-links/{id}":
                yield "update", {"title": "Invoice #124"}
            case "POST /disburse":
                yield "bank", {"amount": 10000, "destination_type": "bank", "recipient": _BANK}
                yield (
                    "mobile_money",
                    {"amount": 5000, "destination_type": "mobile_money", "recipient": _HANDSET},
                )
            case "POST /convert":
                yield "convert", _CONVERSION

    def _card(self, **changes: str) -> Mapping[str, Any]:
        return {
            "amount": 5000,
            "currency": "RWF",
            "payment_type": "card",
            **_CUSTOMER,
            **{f"card_encrypted_{name}": self._sealed(text) for name, text in _CARD.items()},
            "card_nonce": _NONCE,
            **changes,
        }

    def _pin(self) -> Mapping[str, Any]:
        return {
            "auth_type": "pin",
            "auth_pin_encrypted": self._sealed(PIN),
            "auth_pin_nonce": _NONCE,
        }

    def _sealed(self, text: str) -> str:
        key = self._engine.account.credentials.encryption_key
        return encrypt_field(text, key=key, nonce=_NONCE)

    def _awaiting(self, authorization: str) -> Mapping[str, Any]:
        """Charge a card that asks for something."""
        body = self._card(scenario_key=f"scenario:auth_{authorization}")
        return {"dgs_reference": self._done("POST /charges", body)["dgs_reference"]}

    def _link(self) -> str:
        """Make a link, to have one to change."""
        identifier: str = self._done("POST /payment-links", _LINK)["link"]["id"]
        return identifier

    def _done(self, operation: str, body: Mapping[str, Any]) -> Any:
        (route,) = (route for route in ROUTES if route.operation == operation)
        account = self._engine.account
        call = Call(account, operation, values={}, query="", body=body, idempotency_key=None)
        return route.handler(call)

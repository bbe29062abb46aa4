"""Clients whose transport records what would be sent, and answers from memory."""

from __future__ import annotations

import json
from typing import Any

from dgspay import AsyncDGSPay, Customer, DGSPay
from dgspay.core.messages import Request, Response, Timeout
from dgspay.models.json_codec import parse_json

API_KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
ACCOUNT = "ACC-0001234"

JANE = Customer(
    email="jane.doe@example.com", first_name="Jane", last_name="Doe", phone="0789654321"
)
MOBILE_MONEY: dict[str, Any] = {
    "amount": 2000,
    "customer": JANE,
    "network": "MTN",
    "phone": "0789654321",
    "redirect_url": "https://yourdomain.com/payment-success",
}
LINK: dict[str, Any] = {"title": "Invoice #123", "amount_type": "flexible"}

# One answer that every call can read as its result.
ANSWER = {
    "status": "success",
    "dgs_reference": "dgs_1",
    "transaction_status": "pending",
    "link": {"id": "link_1"},
    "data": [],
    "balances": [],
    "dgs_conversion_ref": "DGSCONV1",
    "from_currency": "USD",
    "from_amount": 1,
    "to_currency": "EUR",
    "to_amount": 1,
}


class Recorder:
    """A transport for `DGSPay` that sends nothing."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def send(self, request: Request, timeout: Timeout) -> Response:
        self.requests.append(request)
        return Response(200, {}, json.dumps(ANSWER).encode())

    def close(self) -> None:
        pass

    @property
    def last_body(self) -> dict[str, Any]:
        body = self.requests[-1].reveal_body()
        assert body is not None
        parsed = parse_json(body)
        assert isinstance(parsed, dict)
        return parsed


class AsyncRecorder(Recorder):
    """The same for `AsyncDGSPay`."""

    async def send(self, request: Request, timeout: Timeout) -> Response:  # type: ignore[override]
        return super().send(request, timeout)

    async def aclose(self) -> None:
        pass


def recording(**options: Any) -> tuple[DGSPay, Recorder]:
    recorder = Recorder()
    return DGSPay(**_credentials(options), transport=recorder), recorder


def recording_async(**options: Any) -> tuple[AsyncDGSPay, AsyncRecorder]:
    recorder = AsyncRecorder()
    return AsyncDGSPay(**_credentials(options), transport=recorder), recorder


def _credentials(options: dict[str, Any]) -> dict[str, Any]:
    return {"api_key": API_KEY, "account_number": ACCOUNT, **options}

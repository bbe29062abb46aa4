"""Something below dgspay: a charge on aiohttp with its checks of arguments, and little else.

The same functions check the arguments, write the body and parse the answer strictly, and the same
secrets are searched for. There is no operation, no generator, no transport, no retry, no event, no
frozen class and no error with an outcome; nor is there an amount that is exact, a rule against
answers that contradict themselves, a deadline of the whole call, or a look at what a server sent
beside its answer. So it is no floor of what dgspay promises, but a bound that lies under it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from benchmarks.canned import PREFIX

if TYPE_CHECKING:
    from dgspay import Customer
    from dgspay.money import AmountInput

_TEXTS = (
    "dgs_reference",
    "next_action_redirect_url",
    "display_text",
    "mobile_money_network",
    "mobile_money_phone",
    "mobile_money_country_code",
    "issuer_response_type",
    "issuer_response_code",
    "processor_response",
)


class Charge:
    """What is kept of an answer."""

    __slots__ = ("answer", "is_paid")

    def __init__(self, answer: dict[str, Any]) -> None:
        for name in _TEXTS:
            value = answer.get(name)
            if value is not None and type(value) is not str:
                raise TypeError(f"{name} is no text")
        self.answer = answer
        self.is_paid = (
            answer.get("transaction_status") == "successful"
            and answer.get("status") == "success"
            and not answer.get("next_action_type")
        )

    def __getattr__(self, name: str) -> Any:
        return self.answer.get(name)


@contextlib.asynccontextmanager
async def prototype_aiohttp(url: str, arguments: dict[str, Any]) -> AsyncIterator[Any]:
    """Open a session; yield what makes one charge."""
    import aiohttp  # noqa: PLC0415 - each contestant loads only its own

    from dgspay.models.json_codec import dump_json, parse_json  # noqa: PLC0415
    from dgspay.models.phones import mobile_local, network_for  # noqa: PLC0415
    from dgspay.models.validators import optional_text, web_url  # noqa: PLC0415
    from dgspay.money import parse_amount, parse_currency  # noqa: PLC0415
    from dgspay.secret import Secret, may_hold, watch_closely  # noqa: PLC0415

    key = Secret("sk_test_benchmark")
    watch_closely(key)
    headers = {
        "X-DGS-API-Key": key.reveal(),
        "X-DGS-ACCOUNT-NUMBER": "ACC-0001234",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
    }

    async def charge(
        *,
        amount: AmountInput,
        network: str,
        phone: str,
        customer: Customer,
        redirect_url: str,
        narration: str,
    ) -> Charge:
        currency = parse_currency("RWF")
        exact = parse_amount(amount)
        local = mobile_local(phone, field="phone")
        body = dump_json(
            {
                "amount": exact,
                "currency": currency,
                "payment_type": "mobile_money",
                **customer.to_wire(),
                "redirect_url": web_url(redirect_url, field="redirect_url"),
                "narration": optional_text(narration, field="narration"),
                "mobile_money_network": network_for(local, network, field="network"),
                "mobile_money_phone": local,
            }
        )
        async with session.post(
            f"{url}{PREFIX}/charges",
            data=body,
            headers={**headers, "Idempotency-Key": os.urandom(16).hex()},
            allow_redirects=False,
        ) as answer:
            raw = await answer.read()
        if answer.status != 200 or may_hold(raw, (key,)):
            raise ValueError(answer.status)
        return Charge(parse_json(raw))

    async with aiohttp.ClientSession() as session:
        yield lambda: charge(**arguments)

"""Who takes part: each client as its own documentation shows it, one call at a time.

All send a payment request of the same size and read the answer: the raw libraries into a dict,
the SDKs into their own types. The raw ones send the headers of a DGS-Pay charge, the
idempotency key included, so that the same bytes go over the wire as from dgspay. Nobody is
tuned. httpx keeps only 20 connections alive, and raising that would not do it a favour: its pool
looks at each of them for each request.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

import attrs

from benchmarks.canned import PREFIX
from benchmarks.prototype import prototype_aiohttp

if TYPE_CHECKING:
    from dgspay.transports.base import AsyncTransport, Transport

AsyncCall = Callable[[], Awaitable[object]]
Call = Callable[[], object]

CHARGE: dict[str, Any] = {
    "amount": 2000,
    "currency": "RWF",
    "payment_type": "mobile_money",
    "customer_email": "jane.doe@example.com",
    "customer_first_name": "Jane",
    "customer_last_name": "Doe",
    "customer_phone": "789654321",
    "customer_phone_country_code": "250",
    "redirect_url": "https://yourdomain.com/payment-success",
    "narration": "Payment for Invoice #5678",
    "mobile_money_network": "MTN",
    "mobile_money_phone": "789654321",
}
CREDENTIALS = {"X-DGS-API-Key": "sk_test_benchmark", "X-DGS-ACCOUNT-NUMBER": "ACC-0001234"}
INTENT: Any = {
    "amount": 2000,
    "currency": "rwf",
    "payment_method_types": ["card"],
    "receipt_email": "jane.doe@example.com",
    "return_url": "https://yourdomain.com/payment-success",
    "description": "Payment for Invoice #5678",
    "confirm": True,
}
MESSAGE: Any = {
    "role": "user",
    "content": "Jane Doe pays 2000 RWF by MTN for Invoice #5678. Confirm it.",
}


def fresh_key() -> dict[str, str]:
    """Return the header every payment must have of its own."""
    return {"Idempotency-Key": uuid.uuid4().hex}


# --- raw libraries, async ---------------------------------------------------------------------


@contextlib.asynccontextmanager
async def raw_aiohttp(url: str) -> AsyncIterator[AsyncCall]:
    import aiohttp  # noqa: PLC0415 - each contestant loads only its own

    async with aiohttp.ClientSession(headers=CREDENTIALS) as session:

        async def call() -> object:
            async with session.post(
                f"{url}{PREFIX}/charges", json=CHARGE, headers=fresh_key()
            ) as answer:
                return await answer.json()

        yield call


@contextlib.asynccontextmanager
async def _raw_httpx(library: Any, url: str) -> AsyncIterator[AsyncCall]:
    # With its default of five seconds, calls fail at 256 at once: its pool does not take turns.
    async with library.AsyncClient(headers=CREDENTIALS, timeout=60) as client:

        async def call() -> object:
            answer = await client.post(f"{url}{PREFIX}/charges", json=CHARGE, headers=fresh_key())
            return json.loads(answer.content)

        yield call


@contextlib.asynccontextmanager
async def raw_httpx(url: str) -> AsyncIterator[AsyncCall]:
    import httpx  # noqa: PLC0415 - as above

    async with _raw_httpx(httpx, url) as call:
        yield call


@contextlib.asynccontextmanager
async def raw_httpx2(url: str) -> AsyncIterator[AsyncCall]:
    import httpx2  # noqa: PLC0415 - as above

    async with _raw_httpx(httpx2, url) as call:
        yield call


# --- SDKs, async ------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _stripe(http_client: Any, url: str) -> AsyncIterator[AsyncCall]:
    import stripe  # noqa: PLC0415 - as above

    client = stripe.StripeClient(
        "sk_test_benchmark", base_addresses={"api": url}, http_client=http_client
    )

    async def call() -> object:
        return await client.v1.payment_intents.create_async(params=INTENT)

    try:
        yield call
    finally:
        await http_client.close_async()


@contextlib.asynccontextmanager
async def stripe_httpx(url: str) -> AsyncIterator[AsyncCall]:
    import stripe  # noqa: PLC0415 - as above

    # What its async methods use when nothing is chosen; chosen here so that it can be closed.
    async with _stripe(stripe.HTTPXClient(), url) as call:
        yield call


@contextlib.asynccontextmanager
async def stripe_aiohttp(url: str) -> AsyncIterator[AsyncCall]:
    import stripe  # noqa: PLC0415 - as above

    async with _stripe(stripe.AIOHTTPClient(), url) as call:
        yield call


@contextlib.asynccontextmanager
async def _openai(url: str, **options: Any) -> AsyncIterator[AsyncCall]:
    import openai  # noqa: PLC0415 - as above

    async with openai.AsyncOpenAI(
        api_key="sk-benchmark", base_url=f"{url}/v1", **options
    ) as client:

        async def call() -> object:
            return await client.chat.completions.create(model="gpt-4o-mini", messages=[MESSAGE])

        yield call


@contextlib.asynccontextmanager
async def openai_default(url: str) -> AsyncIterator[AsyncCall]:
    async with _openai(url) as call:
        yield call


@contextlib.asynccontextmanager
async def openai_aiohttp(url: str) -> AsyncIterator[AsyncCall]:
    import openai  # noqa: PLC0415 - as above

    async with _openai(url, http_client=openai.DefaultAioHttpClient()) as call:
        yield call


def _charge_arguments() -> dict[str, Any]:
    from dgspay import Customer  # noqa: PLC0415 - as above

    return {
        "amount": 2000,
        "network": "MTN",
        "phone": "789654321",
        "customer": Customer(
            email="jane.doe@example.com", first_name="Jane", last_name="Doe", phone="789654321"
        ),
        "redirect_url": "https://yourdomain.com/payment-success",
        "narration": "Payment for Invoice #5678",
    }


@contextlib.asynccontextmanager
async def _dgspay(transport: AsyncTransport | None, url: str) -> AsyncIterator[AsyncCall]:
    from dgspay import AsyncDGSPay  # noqa: PLC0415 - as above

    arguments = _charge_arguments()
    async with AsyncDGSPay(
        api_key="sk_test_benchmark",
        account_number="ACC-0001234",
        environment="emulator",
        base_url=url + PREFIX,
        transport=transport,
    ) as dgs:

        async def call() -> object:
            return await dgs.charges.mobile_money(**arguments)

        yield call


@contextlib.asynccontextmanager
async def dgspay_httpx(url: str) -> AsyncIterator[AsyncCall]:
    async with _dgspay(None, url) as call:
        yield call


@contextlib.asynccontextmanager
async def dgspay_httpx2(url: str) -> AsyncIterator[AsyncCall]:
    from dgspay.transports.httpx import HttpxTransport  # noqa: PLC0415 - as above

    async with _dgspay(HttpxTransport(library="httpx2"), url) as call:
        yield call


@contextlib.asynccontextmanager
async def dgspay_aiohttp(url: str) -> AsyncIterator[AsyncCall]:
    from dgspay.transports.aiohttp import AiohttpTransport  # noqa: PLC0415 - as above

    async with _dgspay(AiohttpTransport(), url) as call:
        yield call


@contextlib.asynccontextmanager
async def floor_aiohttp(url: str) -> AsyncIterator[AsyncCall]:
    async with prototype_aiohttp(url, _charge_arguments()) as call:
        yield call


# --- blocking ---------------------------------------------------------------------------------


@contextlib.contextmanager
def raw_httpx_client(url: str) -> Iterator[Call]:
    import httpx  # noqa: PLC0415 - as above

    with httpx.Client(headers=CREDENTIALS) as client:

        def call() -> object:
            answer = client.post(f"{url}{PREFIX}/charges", json=CHARGE, headers=fresh_key())
            return json.loads(answer.content)

        yield call


@contextlib.contextmanager
def raw_requests(url: str) -> Iterator[Call]:
    import requests  # noqa: PLC0415 - as above

    with requests.Session() as session:
        session.headers.update(CREDENTIALS)

        def call() -> object:
            answer = session.post(f"{url}{PREFIX}/charges", json=CHARGE, headers=fresh_key())
            return answer.json()

        yield call


@contextlib.contextmanager
def stripe_blocking(url: str) -> Iterator[Call]:
    import stripe  # noqa: PLC0415 - as above

    client = stripe.StripeClient("sk_test_benchmark", base_addresses={"api": url})
    yield lambda: client.v1.payment_intents.create(params=INTENT)


@contextlib.contextmanager
def openai_blocking(url: str) -> Iterator[Call]:
    import openai  # noqa: PLC0415 - as above

    with openai.OpenAI(api_key="sk-benchmark", base_url=f"{url}/v1") as client:
        yield lambda: client.chat.completions.create(model="gpt-4o-mini", messages=[MESSAGE])


@contextlib.contextmanager
def _dgspay_blocking(transport: Transport | None, url: str) -> Iterator[Call]:
    from dgspay import DGSPay  # noqa: PLC0415 - as above

    arguments = _charge_arguments()
    with DGSPay(
        api_key="sk_test_benchmark",
        account_number="ACC-0001234",
        environment="emulator",
        base_url=url + PREFIX,
        transport=transport,
    ) as dgs:
        yield lambda: dgs.charges.mobile_money(**arguments)


@contextlib.contextmanager
def dgspay_blocking(url: str) -> Iterator[Call]:
    with _dgspay_blocking(None, url) as call:
        yield call


@contextlib.contextmanager
def dgspay_blocking_httpx2(url: str) -> Iterator[Call]:
    from dgspay.transports.httpx import HttpxTransport  # noqa: PLC0415 - as above

    with _dgspay_blocking(HttpxTransport.blocking(library="httpx2"), url) as call:
        yield call


# --- the lists --------------------------------------------------------------------------------


@attrs.frozen
class Async:
    """A contestant that is awaited.

    Attributes:
        build: Opens it against a server, gives the function that makes one call, and closes it.
        library: The HTTP library beneath, for the colours of the plot.
        who: `raw`, `stripe`, `openai`, `dgspay` or `prototype`, for its strokes.
    """

    build: Callable[[str], contextlib.AbstractAsyncContextManager[AsyncCall]]
    library: str
    who: str


ASYNC: dict[str, Async] = {
    "dgspay on aiohttp": Async(dgspay_aiohttp, "aiohttp", "dgspay"),
    "dgspay on httpx2": Async(dgspay_httpx2, "httpx2", "dgspay"),
    "dgspay on httpx": Async(dgspay_httpx, "httpx", "dgspay"),
    "prototype on aiohttp": Async(floor_aiohttp, "aiohttp", "prototype"),
    "aiohttp": Async(raw_aiohttp, "aiohttp", "raw"),
    "httpx2": Async(raw_httpx2, "httpx2", "raw"),
    "httpx": Async(raw_httpx, "httpx", "raw"),
    "stripe on aiohttp": Async(stripe_aiohttp, "aiohttp", "stripe"),
    "stripe, its default": Async(stripe_httpx, "httpx", "stripe"),
    "openai on aiohttp": Async(openai_aiohttp, "aiohttp", "openai"),
    "openai, its default": Async(openai_default, "httpx2", "openai"),
}

BLOCKING: dict[str, Callable[[str], contextlib.AbstractContextManager[Call]]] = {
    "dgspay, blocking": dgspay_blocking,
    "dgspay, blocking on httpx2": dgspay_blocking_httpx2,
    "httpx.Client": raw_httpx_client,
    "requests.Session": raw_requests,
    "stripe, blocking": stripe_blocking,
    "openai, blocking": openai_blocking,
}

"""The mistakes of a newcomer, each as it is typed, and the sentence that says what to do."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import attrs
import httpx
import pytest

from dgspay import AsyncDGSPay, Customer, DGSPay, NetworkWarning, errors, webhooks
from dgspay.checkout import AsyncCheckout, Checkout
from dgspay.checkout.frameworks import aiohttp, flask, starlette
from dgspay.emulator import Emulator
from dgspay.payouts import AsyncPayouts, Payouts
from dgspay.testing import client_options
from dgspay.transports.httpx import HttpxTransport
from tests.support.raw_server import RawServer, answering, http

JANE = {
    "email": "jane@example.com",
    "first_name": "Jane",
    "last_name": "Doe",
    "phone": "0789654321",
}
ACCOUNT: dict[str, Any] = {"api_key": "sk_test_1", "account_number": "ACC-1"}


@attrs.frozen
class Newcomer:
    """Somebody at a keyboard, with a DGS-Pay that answers: the emulator."""

    emulator: Emulator

    @property
    def blocking(self) -> Any:
        """A client, untyped as in a REPL, where no type checker looks on."""
        transport = HttpxTransport(self.emulator.http_client())
        return DGSPay(transport=transport, **client_options(self.emulator))

    @property
    def asynchronous(self) -> Any:
        transport = HttpxTransport(self.emulator.async_http_client())
        return AsyncDGSPay(transport=transport, **client_options(self.emulator))

    def charge(self, client: Any = None, **changed: Any) -> Any:
        arguments = {
            "amount": 2000,
            "customer": Customer(**JANE),
            "network": "MTN",
            "phone": "0789654321",
            "redirect_url": "https://shop.example/thanks",
        }
        return (client or self.blocking).charges.mobile_money(**{**arguments, **changed})


@pytest.fixture
def newcomer(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Newcomer:
    for name in ("DGSPAY_API_KEY", "DGSPAY_ACCOUNT_NUMBER", "DGSPAY_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    return Newcomer(emulator)


async def walk(rows: Any) -> None:
    async for _ in rows:
        pass


async def await_it(thing: Any) -> None:
    await thing


async def within(client: Any) -> None:
    async with client:
        pass


def enter(client: Any) -> None:
    with client:
        pass


def call_when_closed(_: Newcomer) -> None:
    dgs = DGSPay(**ACCOUNT)
    dgs.close()
    dgs.balances.list()


@attrs.frozen
class Mistake:
    """What a newcomer types, and what comes of it."""

    name: str
    make: Callable[[Newcomer], Any]
    kind: type[Exception]
    sentence: str

    def __str__(self) -> str:
        return self.name


MISTAKES = [
    # --- a payment -------------------------------------------------------------------------
    Mistake(
        "wrong network",
        lambda me: me.charge(network="Vodafone"),
        ValueError,
        "network must be one of MTN, Airtel; left out, it goes by the number",
    ),
    Mistake(
        "letter in a phone number",
        lambda me: me.charge(phone="o789654321"),
        ValueError,
        "phone must be a phone number such as '0788123456': it has U+006F, LATIN SMALL LETTER O",
    ),
    Mistake(
        "phone number too short",
        lambda me: me.charge(phone="07896543"),
        ValueError,
        "phone must be a Rwandan mobile number such as '0788123456'",
    ),
    Mistake(
        "number of another country",
        lambda _: Customer(**{**JANE, "phone": "+225 07 08 09 10 11"}),
        ValueError,
        "customer.phone must be a number of country code 250, which it is not: give its own as "
        "phone_country_code",
    ),
    Mistake(
        "float amount",
        lambda me: me.charge(amount=2000.0),
        TypeError,
        "amount must be an int, a str or a Decimal, not float; a float cannot hold money exactly, "
        'so write "94.50"',
    ),
    Mistake(
        "amount with a comma",
        lambda me: me.charge(amount="2,000"),
        ValueError,
        'amount must be a plain number such as "2000" or "94.50"',
    ),
    Mistake(
        "fraction of a franc",
        lambda me: me.charge(amount="10.50"),
        ValueError,
        "amount has a fraction, and RWF has no minor unit (allow_rwf_fractions=True sends it as it "
        "is)",
    ),
    Mistake(
        "another currency",
        lambda me: me.charge(currency="USD"),
        ValueError,
        "currency must be RWF for mobile money",
    ),
    Mistake(
        "customer as a dict",
        lambda me: me.charge(customer=JANE),
        TypeError,
        "customer must be a Customer, not dict: make one with Customer(**...)",
    ),
    Mistake(
        "path for a URL",
        lambda me: me.charge(redirect_url="/thanks"),
        ValueError,
        "redirect_url must be an absolute http or https URL",
    ),
    Mistake(
        "raw card",
        lambda me: me.blocking.charges.card(
            amount=1,
            currency="RWF",
            customer=Customer(**JANE),
            card={"number": "4242424242424242"},
            redirect_url="https://shop.example/thanks",
        ),
        TypeError,
        "card must be an EncryptedCard, made of what the card form sends: raw card data never goes "
        "to a server",
    ),
    Mistake(
        "number for an OTP",
        lambda me: me.blocking.charges.authorize_otp("dgs_1", 123456),
        TypeError,
        "otp must be a str such as '123456', leading zeros and all",
    ),
    Mistake(
        "waiting for a charge that was not made",
        lambda me: me.blocking.charges.wait(None),
        TypeError,
        "reference must be a str, not NoneType",
    ),
    Mistake(
        "recipient as a text",
        lambda me: me.blocking.disbursements.create(amount=100, recipient="0789654321"),
        TypeError,
        "recipient must be a BankRecipient or a MobileMoneyRecipient, not str",
    ),
    # --- an account ------------------------------------------------------------------------
    Mistake(
        "missing settings",
        lambda _: DGSPay.from_env(),
        errors.ConfigError,
        "DGSPAY_API_KEY is not set, and DGSPAY_ACCOUNT_NUMBER is not set. You find them in the "
        "merchant portal under Settings, API Settings",
    ),
    Mistake(
        "missing key",
        lambda _: DGSPay(api_key=None, account_number="ACC-1"),  # type: ignore[arg-type]
        errors.ConfigError,
        "api_key is missing or is not a str: it is in the merchant portal under Settings, API "
        "Settings",
    ),
    Mistake(
        "wrong environment",
        lambda _: DGSPay(environment="live", **ACCOUNT),
        errors.ConfigError,
        "environment must be one of sandbox, production, emulator",
    ),
    Mistake(
        "live key in the sandbox",
        lambda _: DGSPay(api_key="sk_live_1", account_number="ACC-1"),
        errors.ConfigError,
        "api_key is a live key and environment is sandbox: real keys are for "
        "environment='production' only",
    ),
    Mistake(
        "test key in production",
        lambda _: DGSPay(environment="production", **ACCOUNT),
        errors.ConfigError,
        "api_key is a test key and environment is production: give a live key, or "
        "environment='sandbox'",
    ),
    Mistake(
        "key and account number swapped",
        lambda _: DGSPay(api_key="ACC-1", account_number="sk_test_1"),
        errors.ConfigError,
        "account_number is an API key: the two have been swapped, or the key was given twice",
    ),
    Mistake(
        "seconds for a timeout",
        lambda _: DGSPay(timeout=10, **ACCOUNT),  # type: ignore[arg-type]
        errors.ConfigError,
        "timeout must be a Timeout(connect=..., read=...), not int",
    ),
    Mistake(
        "client of httpx for a transport",
        lambda _: DGSPay(transport=httpx.Client(), **ACCOUNT),  # type: ignore[arg-type]
        errors.ConfigError,
        "transport must be a transport, not a Client of httpx: give that to "
        "dgspay.transports.httpx.HttpxTransport(...)",
    ),
    Mistake(
        "closed client",
        call_when_closed,
        errors.TransportError,
        "GET /balance: The client is closed: call before the end of its `with`, or make a new one. "
        "Nothing was sent, so no money moved. Trying again cannot help: set the cause right first.",
    ),
    # --- payouts and orders ----------------------------------------------------------------
    Mistake(
        "path for a ledger",
        lambda me: Payouts(me.blocking, "ledger.sqlite3"),  # type: ignore[arg-type]
        errors.ConfigError,
        "ledger must be a ledger, not a str: make one, with SqliteLedger(path) or "
        "PostgresLedger(url)",
    ),
    Mistake(
        "path for a store",
        lambda me: Checkout(me.blocking, "orders.sqlite3"),  # type: ignore[arg-type]
        errors.ConfigError,
        "store must be a store of orders, not a str: make one, with SqliteOrders(path) say",
    ),
    Mistake(
        "payouts with the asynchronous client",
        lambda me: Payouts(me.asynchronous),
        errors.ConfigError,
        "Payouts needs a DGSPay; AsyncPayouts takes an AsyncDGSPay",
    ),
    Mistake(
        "asynchronous payouts with the blocking client",
        lambda me: AsyncPayouts(me.blocking),
        errors.ConfigError,
        "AsyncPayouts needs an AsyncDGSPay; Payouts takes a DGSPay",
    ),
    Mistake(
        "blocking checkout in FastAPI",
        lambda me: starlette.routes(Checkout(me.blocking)),  # type: ignore[arg-type]
        errors.ConfigError,
        "the routes of Starlette and FastAPI need AsyncCheckout(...), not Checkout",
    ),
    Mistake(
        "blocking checkout in aiohttp",
        lambda me: aiohttp.routes(Checkout(me.blocking)),  # type: ignore[arg-type]
        errors.ConfigError,
        "the routes of aiohttp need AsyncCheckout(...), not Checkout",
    ),
    Mistake(
        "asynchronous checkout in Flask",
        lambda me: flask.blueprint(AsyncCheckout(me.asynchronous)),  # type: ignore[arg-type]
        errors.ConfigError,
        "the routes of Flask need Checkout(...), not AsyncCheckout",
    ),
    # --- await, or not ---------------------------------------------------------------------
    Mistake(
        "list with await",
        lambda me: asyncio.run(await_it(me.asynchronous.transactions.list())),
        TypeError,
        "a list is not awaited: write `async for row in ...`, or `await ....first_page()`",
    ),
    Mistake(
        "list of the asynchronous client with for",
        lambda me: list(me.asynchronous.transactions.list()),
        TypeError,
        "a list of AsyncDGSPay is walked with `async for row in ...`",
    ),
    Mistake(
        "list of the blocking client with async for",
        lambda me: asyncio.run(walk(me.blocking.transactions.list())),
        TypeError,
        "'async for' requires an object with __aiter__ method, got Pager",
    ),
    Mistake(
        "asynchronous client with with",
        lambda me: enter(me.asynchronous),
        TypeError,
        "AsyncDGSPay is used with `async with`; DGSPay is the one for `with`",
    ),
    Mistake(
        "blocking client with async with",
        lambda me: asyncio.run(within(me.blocking)),
        TypeError,
        "DGSPay is used with `with`; AsyncDGSPay is the one for `async with`",
    ),
    # --- webhooks --------------------------------------------------------------------------
    Mistake(
        "parsed body of a webhook",
        lambda _: webhooks.verify({"event": "payment.success"}, "ab" * 32, secret="s"),  # type: ignore[arg-type]
        TypeError,
        "the body must be the raw bytes of the request, not dict: a signature covers bytes, and "
        "parsed or decoded text does not lead back to them",
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=str)
def test_mistake_ends_in_a_sentence_that_says_what_to_do(
    newcomer: Newcomer, mistake: Mistake
) -> None:
    with pytest.raises(mistake.kind) as caught:
        mistake.make(newcomer)
    assert type(caught.value) is mistake.kind
    assert str(caught.value) == mistake.sentence
    assert newcomer.emulator.requests == ()


def test_twenty_mistakes_and_more_are_listed() -> None:
    assert len({each.name for each in MISTAKES}) == len(MISTAKES) >= 20


def test_phone_number_with_spaces_is_no_mistake(newcomer: Newcomer) -> None:
    assert newcomer.charge(phone="+250 789 654-321", network=None).dgs_reference


def test_number_of_the_other_network_is_told_in_a_warning(newcomer: Newcomer) -> None:
    with pytest.warns(NetworkWarning, match="Leave network out to go by the number"):
        newcomer.charge(phone="0731234567", network="MTN")


def test_forgotten_await_is_told_by_the_name_of_the_call(newcomer: Newcomer) -> None:
    async def forget() -> None:
        newcomer.charge(newcomer.asynchronous)
        gc.collect()

    with pytest.warns(RuntimeWarning, match=r"'AsyncCharges\.mobile_money' was never awaited"):
        asyncio.run(forget())
    assert newcomer.emulator.requests == ()


def test_blocking_client_in_asynchronous_code_is_told_where_it_is_called() -> None:
    async def call() -> None:
        dgs.balances.list()

    answer = http({"status": "success", "balances": []})
    with (
        RawServer(answering(answer)) as server,
        DGSPay(base_url=server.url, **ACCOUNT) as dgs,
        pytest.warns(RuntimeWarning) as told,
    ):
        asyncio.run(call())
    (warning,) = told
    assert warning.filename == __file__
    assert str(warning.message) == (
        "DGSPay blocks the event loop that it is called in, and all else in the program waits: use "
        "AsyncDGSPay with await, or make the call in a thread, with asyncio.to_thread say"
    )


@pytest.mark.parametrize(
    ("library", "program", "sentence"),
    [
        (
            "psycopg",
            "from dgspay.payouts import PostgresLedger",
            "PostgresLedger needs psycopg: pip install 'dgspay[postgres]'",
        ),
        (
            "psycopg",
            "from dgspay.checkout import PostgresOrders",
            "PostgresOrders needs psycopg: pip install 'dgspay[postgres]'",
        ),
        (
            "psycopg",
            "from dgspay.webhooks.inbox import PostgresInbox; PostgresInbox('postgresql:///shop')",
            "PostgresInbox needs psycopg: pip install 'dgspay[postgres]'",
        ),
        (
            "pgqueuer",
            "from dgspay.payouts import PgQueuerEngine",
            "PgQueuerEngine needs pgqueuer: pip install 'dgspay[postgres]'",
        ),
        (
            "opentelemetry",
            "import dgspay.otel",
            "dgspay.otel needs opentelemetry-api: pip install 'dgspay[otel]'",
        ),
        (
            "opentelemetry",
            "import dgspay.metrics.opentelemetry",
            "dgspay.metrics.opentelemetry needs opentelemetry-api: pip install 'dgspay[otel]'",
        ),
        (
            "prometheus_client",
            "import dgspay.metrics.prometheus",
            "dgspay.metrics.prometheus needs prometheus-client: pip install 'dgspay[prometheus]'",
        ),
        (
            "aiohttp",
            "import dgspay.transports.aiohttp",
            "AiohttpTransport needs aiohttp 3.13.4 or newer: pip install 'dgspay[aiohttp]'",
        ),
    ],
)
def test_missing_extra_is_named_with_the_command_that_installs_it(
    library: str, program: str, sentence: str
) -> None:
    without = """
import importlib.abc, sys

class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Without())
"""
    ran = subprocess.run(
        [sys.executable, "-c", without + program, library],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr.splitlines()[-1] == f"ImportError: {sentence}"

"""The clients themselves: what they refuse to be made with, and what they are to hold."""

from __future__ import annotations

import functools
import traceback
from typing import Any

import anyio
import httpx
import pytest

from dgspay import (
    AsyncDGSPay,
    BankRecipient,
    CallEvent,
    DGSPay,
    Request,
    Response,
    TelemetryEvent,
    Timeout,
    errors,
)
from dgspay.api import disbursements
from dgspay.api.transactions import list as list_transactions
from dgspay.emulator import Emulator
from dgspay.models.enums import PaymentStatus
from dgspay.models.transactions import Transaction
from dgspay.secret import MASK, Secret
from dgspay.testing import client_options
from dgspay.transports.httpx import HttpxTransport
from tests.core.test_pagination import ROWS, FlakyServer, listing

CREDENTIALS: dict[str, Any] = {"api_key": "sk_test_hidden", "account_number": "ACC-1"}


def test_the_other_clients_transport_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(errors.ConfigError, match="transport is one for DGSPay"):
        AsyncDGSPay(**CREDENTIALS, transport=HttpxTransport.blocking())  # type: ignore[arg-type]
    for transport in (HttpxTransport(), HttpxTransport(httpx.AsyncClient())):
        with pytest.raises(errors.ConfigError, match="transport is one for AsyncDGSPay"):
            DGSPay(**CREDENTIALS, transport=transport)  # type: ignore[arg-type]


@pytest.mark.parametrize("client", [AsyncDGSPay, DGSPay])
def test_no_way_of_making_a_client_shows_the_key(
    client: type[DGSPay], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DGSPAY_API_KEY", "sk_test_hidden")
    monkeypatch.setenv("DGSPAY_ACCOUNT_NUMBER", "ACC-1")
    broken: list[Any] = [
        lambda: client(api_key="sk_test_hidden oops", account_number="ACC-1"),
        lambda: client(api_key=b"sk_test_hidden", account_number="ACC-1"),  # type: ignore[arg-type]
        lambda: client.from_env(environment="production"),
        lambda: client.from_env(api_key="sk_test_hidden2", environment="production"),
        lambda: client.from_env(api_key=b"sk_test_hidden", environment="production"),  # type: ignore[arg-type]
    ]
    for make in broken:
        with pytest.raises(errors.ConfigError) as caught:
            make()
        seen = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        ours = [frame for frame in seen.stack if "/dgspay/" in frame.filename]
        assert ours
        assert "hidden" not in repr([frame.locals for frame in ours])
        assert "hidden" not in str(caught.value)


def test_a_client_can_be_shown_whether_set_up_or_not(emulator: Emulator) -> None:
    dgs = DGSPay(**client_options(emulator))
    assert repr(dgs) == f"DGSPay(emulator, {emulator.base_url})"
    assert repr(AsyncDGSPay.__new__(AsyncDGSPay)) == "AsyncDGSPay(not set up)"


def test_from_env_takes_options_over_the_environment(
    monkeypatch: pytest.MonkeyPatch, emulator: Emulator
) -> None:
    monkeypatch.setenv("DGSPAY_API_KEY", "sk_test_environment")
    monkeypatch.setenv("DGSPAY_ACCOUNT_NUMBER", "ACC-1")
    monkeypatch.delenv("DGSPAY_ENVIRONMENT", raising=False)
    monkeypatch.delenv("DGSPAY_BASE_URL", raising=False)
    given = DGSPay.from_env(api_key="sk_test_given", account_number="ACC-3", environment="sandbox")
    assert given.settings.api_key == Secret("sk_test_given")
    dgs = DGSPay.from_env(account_number="ACC-2")
    assert dgs.settings.api_key == Secret("sk_test_environment")
    assert dgs.settings.account_number == "ACC-2"
    assert dgs.settings.environment == "sandbox"


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": 30},
        {"retry": 3},
        {"hooks": print},
        {"hooks": ["print"]},
        {"idempotency_header": None},
        {"api_timezone": "Africa/Kigali"},
        {"deadline": "100"},
        {"environment": None},
    ],
)
@pytest.mark.parametrize("client", [AsyncDGSPay, DGSPay])
def test_a_setting_of_the_wrong_kind_is_refused_when_the_client_is_made(
    client: Any, wrong: dict[str, Any]
) -> None:
    with pytest.raises(errors.ConfigError, match=next(iter(wrong)).removesuffix("s")):
        client(**CREDENTIALS, **wrong)


def test_an_asynchronous_hook_is_refused() -> None:
    async def hook(event: TelemetryEvent) -> None: ...

    class Hook:
        async def __call__(self, event: TelemetryEvent) -> None: ...

    for asynchronous in (hook, Hook(), functools.partial(hook)):
        with pytest.raises(errors.ConfigError, match="plain function"):
            DGSPay(**CREDENTIALS, hooks=[asynchronous])  # type: ignore[list-item]


@pytest.mark.acceptance(10, "wrong-environment-key", 11, "scenario-in-production")
@pytest.mark.parametrize(
    ("environment", "base_url"),
    [
        ("sandbox", "https://pay.digitalservicescenter.rw/generation/v2"),
        ("emulator", "https://pay.digitalservicescenter.rw/generation/v2"),
        ("production", "https://test.pay.digitalservicescenter.rw/generation/v2"),
        ("emulator", "https://elsewhere.example/generation/v2"),
    ],
)
def test_the_host_of_another_environment_is_refused(environment: str, base_url: str) -> None:
    with pytest.raises(errors.ConfigError, match="base_url"):
        DGSPay(api_key="a_key", account_number="ACC-1", environment=environment, base_url=base_url)


class Bursting:
    """A transport of a user's own, with a bug in it."""

    def send(self, request: Request, timeout: Timeout) -> Response:
        raise OSError("a socket of mine, with the key sk_test_hidden")

    def close(self) -> None: ...


class AsyncBursting:
    async def send(self, request: Request, timeout: Timeout) -> Response:
        raise OSError("a socket of mine, with the key sk_test_hidden")

    async def aclose(self) -> None: ...


@pytest.mark.anyio
@pytest.mark.parametrize("blocking", [True, False])
async def test_whatever_a_transport_raises_is_an_unknown_outcome(blocking: bool) -> None:
    events: list[TelemetryEvent] = []
    transfer = disbursements.create(
        amount=1, recipient=BankRecipient(bank_key="bk_rw", account_number="1")
    )
    with pytest.raises(errors.OutcomeUnknownError, match="OSError") as caught:
        if blocking:
            DGSPay(**CREDENTIALS, transport=Bursting(), hooks=[events.append]).execute(transfer)
        else:
            await AsyncDGSPay(
                **CREDENTIALS, transport=AsyncBursting(), hooks=[events.append]
            ).execute(transfer)
    assert "hidden" not in str(caught.value)
    assert isinstance(events[-1], CallEvent)
    assert events[-1].error == "OutcomeUnknownError"


class Answering:
    """A transport of a user's own, whose answers are another library's, or none."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def send(self, request: Request, timeout: Timeout) -> Response:
        return self.answer  # type: ignore[no-any-return]

    def close(self) -> None: ...


class AsyncAnswering(Answering):
    async def send(self, request: Request, timeout: Timeout) -> Response:  # type: ignore[override]
        return self.answer  # type: ignore[no-any-return]

    async def aclose(self) -> None: ...


@pytest.mark.acceptance(15, "lost-answer")
@pytest.mark.anyio
@pytest.mark.parametrize("answer", [None, httpx.Response(200, json={"status": "success"}), b"{}"])
@pytest.mark.parametrize("blocking", [True, False])
async def test_whatever_a_transport_returns_is_an_unknown_outcome(
    answer: Any, blocking: bool
) -> None:
    transfer = disbursements.create(
        amount=1,
        recipient=BankRecipient(bank_key="bk_rw", account_number="1"),
        idempotency_key="salary-1",
    )
    with pytest.raises(errors.OutcomeUnknownError, match="The transport returned") as caught:
        if blocking:
            DGSPay(**CREDENTIALS, transport=Answering(answer)).execute(transfer)
        else:
            await AsyncDGSPay(**CREDENTIALS, transport=AsyncAnswering(answer)).execute(transfer)
    assert caught.value.idempotency_key == "salary-1"


def test_unknown_fields_are_shown_with_secrets_masked(dgs: DGSPay, emulator: Emulator) -> None:
    body = (
        b'{"status":"success","dgs_reference":"d","auth_otp":"123456",'
        b'"seen":{"card_nonce":"abcdef123456","pan":4111111111111111}}'
    )
    emulator.faults.answer_next("POST /authorize", status=200, body=body, headers={})
    charge = dgs.charges.authorize_otp("d", otp="123456")
    assert charge.extra["auth_otp"] == MASK
    assert charge.extra["seen"]["pan"] == 4111111111111111
    for secret in ("123456", "abcdef123456", "4111111111111111"):
        assert secret not in repr(charge)


def test_a_reply_reports_status_attempts_and_headers(dgs: DGSPay) -> None:
    from dgspay.api import balances

    reply = dgs.reply(balances.list())
    assert (reply.status, reply.attempts) == (200, 1)
    assert reply.value == dgs.execute(balances.list())
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.elapsed > 0


@pytest.mark.anyio
async def test_a_reply_of_the_async_client_holds_the_value(async_dgs: AsyncDGSPay) -> None:
    from dgspay.api import balances

    async with async_dgs as dgs:
        reply = await dgs.reply(balances.available("RWF"))
        assert reply.value > 0


def test_a_break_in_the_middle_of_a_list_leaves_nothing_behind_on_trio() -> None:
    from dgspay.pagers import AsyncPager

    async def main() -> None:
        pager = AsyncPager(listing(prefetch=2), FlakyServer(ROWS).aexecute)
        async for row in pager:
            if row == "r3":
                break
        async for page in pager.pages():
            assert page.rows == ("r0", "r1")
            break

    # Warnings are errors here, and trio warns of a generator that is left to be collected.
    anyio.run(main, backend="trio")


@pytest.mark.anyio
async def test_an_iterator_goes_on_at_the_page_that_failed() -> None:
    from dgspay.pagers import AsyncPager

    server = FlakyServer(ROWS, failures={3: 1})
    rows = aiter(AsyncPager(listing(prefetch=4), server.aexecute))
    got: list[str] = []
    failed = 0
    while True:
        try:
            got.append(await anext(rows))
        except errors.TransportError:
            failed += 1
        except StopAsyncIteration:
            break
    assert got == ROWS
    assert failed == 1


@pytest.mark.anyio
async def test_a_list_broken_off_by_a_cancellation_goes_on_where_it_was() -> None:
    from dgspay.core.operation import Operation
    from dgspay.core.pagination import Page
    from dgspay.pagers import AsyncPager

    server = FlakyServer(ROWS)
    stall = True

    async def execute(operation: Operation[Page[str]]) -> Page[str]:
        number: Any = operation
        if number == 3 and stall:
            scope.cancel()
            await anyio.sleep_forever()
        return server.execute(operation)

    pager = AsyncPager(listing(), execute)
    got: list[str] = []
    with anyio.CancelScope() as scope:
        async for row in pager:
            got.append(row)  # noqa: PERF401 - what came before must be kept
    assert got == ROWS[:4]
    stall = False
    got.extend([row async for row in pager])
    assert got == ROWS


def test_two_tries_at_one_reference_are_two_rows() -> None:
    identity = list_transactions().identity
    failed, paid = (
        Transaction(status=status, dgs_reference="d")
        for status in (PaymentStatus.FAILED, PaymentStatus.SUCCESSFUL)
    )
    assert identity(failed) != identity(paid)
    assert identity(Transaction(status=PaymentStatus.FAILED)) is None

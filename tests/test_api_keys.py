"""API keys from a callable: asked before a call, kept as they say, and no payment half sent."""

from __future__ import annotations

import asyncio
import functools
import json
import threading
import traceback
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from dgspay import ApiKey, AsyncDGSPay, CallEvent, DGSPay, Outcome, TelemetryEvent, errors
from dgspay.api import balances
from dgspay.api_keys import KeySource
from dgspay.core.messages import Request, Response, Timeout
from dgspay.emulator import Emulator
from dgspay.secret import Secret
from dgspay.testing import client_options
from dgspay.transports.httpx import HttpxTransport
from tests.support.recorders import (
    ACCOUNT,
    ANSWER,
    API_KEY,
    MOBILE_MONEY,
    recording,
    recording_async,
)

OTHER_KEY = "sk_test_another0000000000000"


def keys_sent(recorder: Any) -> list[str]:
    return [request.reveal_headers()["X-DGS-API-Key"] for request in recorder.requests]


class Vault:
    """Counts how often it is asked, and gives a key a time."""

    def __init__(self, *keys: Any) -> None:
        self.keys = list(keys)
        self.asked = 0

    def __call__(self) -> Any:
        self.asked += 1
        key = self.keys[min(self.asked, len(self.keys)) - 1]
        if isinstance(key, Exception):
            raise key
        return key

    async def read(self) -> Any:
        await anyio.lowlevel.checkpoint()
        return self()


def test_a_plain_answer_is_used_for_one_call() -> None:
    vault = Vault(API_KEY, Secret(OTHER_KEY))
    dgs, recorder = recording(api_key=vault)
    for _ in range(3):
        dgs.charges.mobile_money(**MOBILE_MONEY)
    assert vault.asked == 3
    assert keys_sent(recorder) == [API_KEY, OTHER_KEY, OTHER_KEY]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_callable_is_awaited(backend: str) -> None:
    vault = Vault(API_KEY, OTHER_KEY)
    dgs, recorder = recording_async(api_key=vault.read)

    async def pay() -> None:
        await dgs.charges.mobile_money(**MOBILE_MONEY)
        await dgs.with_options(deadline=5).charges.mobile_money(**MOBILE_MONEY)

    anyio.run(pay, backend=backend)
    assert keys_sent(recorder) == [API_KEY, OTHER_KEY]


def test_a_plain_callable_serves_the_async_client_too() -> None:
    vault = Vault(API_KEY)
    dgs, recorder = recording_async(api_key=vault)
    anyio.run(functools.partial(dgs.charges.mobile_money, **MOBILE_MONEY))
    assert keys_sent(recorder) == [API_KEY]


def test_a_key_is_kept_as_long_as_it_says() -> None:
    now = [0.0]
    vault = Vault(ApiKey(API_KEY, max_age=60), ApiKey(OTHER_KEY, max_age=60))
    source = KeySource(vault, lambda key: key, lambda: now[0])
    assert source.get() == source.fresh() == Secret(API_KEY)
    now[0] = 59.9
    assert source.get() == Secret(API_KEY)
    now[0] = 60.0
    assert source.fresh() is None
    assert source.get() == Secret(OTHER_KEY)
    assert vault.asked == 2


def test_every_call_within_the_age_has_the_kept_key() -> None:
    vault = Vault(ApiKey(API_KEY, max_age=600))
    dgs, recorder = recording(api_key=vault)
    for _ in range(3):
        dgs.with_options(deadline=5).charges.mobile_money(**MOBILE_MONEY)
    assert vault.asked == 1
    assert keys_sent(recorder) == [API_KEY] * 3


def test_a_key_that_was_refused_is_asked_for_anew(emulator: Emulator) -> None:
    options = client_options(emulator)
    vault = Vault(ApiKey(OTHER_KEY, max_age=600), ApiKey(options["api_key"], max_age=600))
    transport = HttpxTransport(emulator.http_client())
    with DGSPay(**{**options, "api_key": vault, "transport": transport}) as dgs:
        with pytest.raises(errors.AuthenticationError) as caught:
            dgs.balances.list()
        assert caught.value.outcome is Outcome.REJECTED
        dgs.balances.list()
    assert vault.asked == 2


def test_threads_that_need_a_key_at_once_ask_once() -> None:
    entered, answer = threading.Event(), threading.Event()
    asked: list[int] = []

    def slow() -> ApiKey:
        asked.append(1)
        entered.set()
        assert answer.wait(30)
        return ApiKey(API_KEY, max_age=60)

    source = KeySource(slow, lambda key: key)
    got: list[Any] = []
    threads = [threading.Thread(target=lambda: got.append(source.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert entered.wait(30)
    answer.set()
    for thread in threads:
        thread.join()
    assert got == [Secret(API_KEY)] * 8
    assert len(asked) == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks_that_need_a_key_at_once_ask_once_in_any_loop(backend: str) -> None:
    vault = Vault(ApiKey(API_KEY, max_age=60))
    dgs, recorder = recording_async(api_key=vault.read)

    async def pay() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(functools.partial(dgs.charges.mobile_money, **MOBILE_MONEY))

    anyio.run(pay, backend=backend)
    assert vault.asked == 1
    assert keys_sent(recorder) == [API_KEY] * 8
    dgs.settings.api_key.forget(Secret(API_KEY))  # type: ignore[union-attr]
    anyio.run(pay, backend=backend)
    assert vault.asked == 2


class VaultDownError(Exception):
    """A failure of a library for vaults."""


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (
            VaultDownError("no route"),
            errors.CredentialError,
            r"raised VaultDownError \(no route\)\. Nothing",
        ),
        (VaultDownError(), errors.CredentialError, r"raised VaultDownError\. Nothing was sent"),
        (VaultDownError(API_KEY), errors.CredentialError, "raised VaultDownError"),
        ("", errors.ConfigError, "api_key is missing"),
        (None, errors.ConfigError, "must be a str, not NoneType"),
        ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", errors.ConfigError, "is a live key"),
        (f"{API_KEY}\n", errors.ConfigError, "a character no key has"),
    ],
)
@pytest.mark.parametrize("way", ["sync", "asyncio"])
def test_a_callable_that_fails_means_not_sent(
    way: str, answer: Any, kind: type[errors.DGSPayError], words: str
) -> None:
    told: list[TelemetryEvent] = []
    vault = Vault(answer)
    pay: Callable[[], Any]
    if way == "sync":
        blocking, recorder = recording(api_key=vault, hooks=[told.append])
        pay = functools.partial(blocking.charges.mobile_money, **MOBILE_MONEY, idempotency_key="k1")
    else:
        dgs, recorder = recording_async(api_key=vault.read, hooks=[told.append])
        call = functools.partial(dgs.charges.mobile_money, **MOBILE_MONEY, idempotency_key="k1")
        pay = functools.partial(anyio.run, call)
    with pytest.raises(kind, match=words) as caught:
        pay()
    assert recorder.requests == []
    assert caught.value.outcome is Outcome.NOT_SENT is errors.outcome_of(caught.value)
    assert caught.value.operation == "POST /charges"
    assert caught.value.idempotency_key == "k1"
    (event,) = told
    assert isinstance(event, CallEvent)
    assert (event.attempts, event.outcome, event.error) == (0, Outcome.NOT_SENT, kind.__name__)
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [frame for frame in report.stack if "/dgspay/" in frame.filename]
    assert frames
    assert API_KEY not in str(caught.value) + "".join(str(frame.locals) for frame in frames)
    vault.keys = [API_KEY]
    pay()  # the idempotency key is not in flight any more
    assert keys_sent(recorder) == [API_KEY]


def test_waiting_for_a_payment_outlives_a_failure_of_the_callable(emulator: Emulator) -> None:
    options = client_options(emulator)
    key = options["api_key"]
    vault = Vault(key, VaultDownError("restarts"), key)
    transport = HttpxTransport(emulator.http_client())
    with DGSPay(**{**options, "api_key": vault, "transport": transport}) as dgs:
        charge = dgs.charges.mobile_money(**MOBILE_MONEY)
        emulator.approve(charge.dgs_reference)
        assert dgs.charges.wait(charge.dgs_reference, interval=0.001).is_paid
    assert vault.asked == 3


def test_what_interrupts_the_callable_comes_out_as_it_is() -> None:
    dgs, _ = recording(api_key=lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt) as caught:
        dgs.balances.list()
    assert errors.outcome_of(caught.value) is Outcome.NOT_SENT


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_asking_counts_for_the_deadline_of_the_call(backend: str) -> None:
    dgs, recorder = recording_async(api_key=anyio.sleep_forever, deadline=0.01)

    async def pay() -> None:
        with pytest.raises(errors.CredentialError, match=r"not answered after 0\.01 seconds"):
            await dgs.charges.mobile_money(**MOBILE_MONEY)

    anyio.run(pay, backend=backend)
    assert recorder.requests == []


def test_a_call_whose_time_the_callable_has_used_up_is_not_sent() -> None:
    dgs, recorder = recording(api_key=Vault(API_KEY), deadline=5e-9)
    with pytest.raises(errors.CredentialError, match="took all of the call's time"):
        dgs.charges.mobile_money(**MOBILE_MONEY)
    assert recorder.requests == []


def test_cancelled_while_the_callable_is_asked_is_not_sent() -> None:
    dgs, recorder = recording_async(api_key=anyio.sleep_forever)

    async def pay() -> None:
        task = asyncio.create_task(dgs.charges.mobile_money(**MOBILE_MONEY))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert errors.outcome_of(caught.value) is Outcome.NOT_SENT

    asyncio.run(pay())
    assert recorder.requests == []


async def async_key() -> str:
    return API_KEY


class AsyncKey:
    async def __call__(self) -> str:
        return API_KEY


@pytest.mark.parametrize("key", [async_key, AsyncKey(), functools.partial(async_key)])
def test_an_async_callable_is_refused_by_the_blocking_client(key: Any) -> None:
    with pytest.raises(errors.ConfigError, match=r"async callable, .* use AsyncDGSPay"):
        DGSPay(api_key=key, account_number=ACCOUNT)
    with recording()[0] as dgs, pytest.raises(errors.ConfigError, match="use AsyncDGSPay"):
        dgs.with_options(api_key=key)


def test_an_awaitable_that_only_shows_when_asked_is_refused_then() -> None:
    dgs, recorder = recording(api_key=Vault(async_key()))
    with pytest.raises(errors.ConfigError, match="use AsyncDGSPay") as caught:
        dgs.balances.list()
    assert caught.value.outcome is Outcome.NOT_SENT
    assert recorder.requests == []


def test_a_request_is_prepared_with_the_key_at_hand() -> None:
    dgs, _ = recording(api_key=Vault(API_KEY))
    assert dgs.prepare(balances.list()).reveal_headers()["X-DGS-API-Key"] == API_KEY
    waiting, _ = recording_async(api_key=async_key)
    with pytest.raises(errors.ConfigError):
        waiting.prepare(balances.list())


def test_nothing_shows_the_callable_or_its_key() -> None:
    vault = functools.partial(Vault(ApiKey(API_KEY, max_age=60)))
    dgs, _ = recording(api_key=vault)
    dgs.balances.list()
    shown = f"{dgs!r} {dgs.settings!r} {dgs.settings.api_key!r} {vars(dgs)}"
    assert API_KEY not in shown
    assert API_KEY not in repr(ApiKey(API_KEY, max_age=1))


@pytest.mark.parametrize("age", [-1, float("nan"), True, "60", None])
def test_an_age_that_is_no_number_of_seconds_is_refused(age: Any) -> None:
    with pytest.raises(errors.ConfigError, match="max_age"):
        ApiKey(API_KEY, max_age=age)


def test_the_twin_for_payouts_asks_the_same_callable() -> None:
    vault = Vault(API_KEY)

    class Both:
        """A transport that has a twin."""

        def __init__(self) -> None:
            self.keys: list[str] = []

        async def send(self, request: Request, timeout: Timeout) -> Response:
            self.keys.append(request.reveal_headers()["X-DGS-API-Key"])
            return Response(200, {}, json.dumps(ANSWER).encode())

        async def aclose(self) -> None:
            pass

    twin = Both()
    dgs, recorder = recording(api_key=vault, merchant="shop")
    recorder.to_async = lambda: twin  # type: ignore[attr-defined]
    other: AsyncDGSPay = dgs.to_async()
    anyio.run(other.balances.list)
    assert twin.keys == [API_KEY]
    assert other.settings.merchant == "shop"

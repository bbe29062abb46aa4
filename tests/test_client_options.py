"""Clients made by `with_options`: other settings, the same connections and the same guards."""

from __future__ import annotations

import functools
import threading
from typing import Any

import anyio
import pytest

from dgspay import AsyncDGSPay, DGSPay, Outcome, RetryPolicy, TelemetryEvent, Timeout, errors
from dgspay.core.messages import Request, Response, TransportFailure
from tests.support.recorders import (
    ACCOUNT,
    API_KEY,
    MOBILE_MONEY,
    AsyncRecorder,
    Recorder,
    recording,
    recording_async,
)

OTHER_KEY = "sk_test_another0000000000000"


class Timing(Recorder):
    """Records the time limits, too."""

    def __init__(self) -> None:
        super().__init__()
        self.timeouts: list[Timeout] = []

    def send(self, request: Request, timeout: Timeout) -> Response:
        self.timeouts.append(timeout)
        return super().send(request, timeout)


def test_options_hold_for_the_made_client_alone() -> None:
    transport = Timing()
    told: list[TelemetryEvent] = []
    dgs = DGSPay(api_key=API_KEY, account_number=ACCOUNT, transport=transport)
    made = dgs.with_options(
        deadline=7,
        timeout=Timeout(read=3),
        retry=RetryPolicy(attempts=1),
        api_key=OTHER_KEY,
        account_number="ACC-2",
        hooks=[told.append],
        merchant="shop",
    )
    made.balances.list()
    dgs.balances.list()
    first, second = (request.reveal_headers() for request in transport.requests)
    assert (first["X-DGS-API-Key"], first["X-DGS-ACCOUNT-NUMBER"]) == (OTHER_KEY, "ACC-2")
    assert (second["X-DGS-API-Key"], second["X-DGS-ACCOUNT-NUMBER"]) == (API_KEY, ACCOUNT)
    assert [(timeout.read, timeout.total) for timeout in transport.timeouts] == [(3, 7), (40, 100)]
    assert [event.merchant for event in told] == ["shop", "shop"]
    assert made.settings.retry.attempts == 1
    assert made.settings.base_url == dgs.settings.base_url
    assert made.with_options(merchant=None, hooks=[]).settings.merchant is None
    assert made.with_options().settings == made.settings


def test_idempotency_header_and_environment_stay() -> None:
    dgs, recorder = recording(idempotency_header="X-Idempotency-Key")
    dgs.with_options(account_number="ACC-2").charges.mobile_money(
        **MOBILE_MONEY, idempotency_key="order-1"
    )
    assert recorder.requests[-1].reveal_headers()["X-Idempotency-Key"] == "order-1"
    live = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
    with pytest.raises(errors.ConfigError, match="is a live key and environment is sandbox"):
        dgs.with_options(api_key=live)
    for unknown in ("environment", "base_url", "idempotency_header", "transport"):
        with pytest.raises(TypeError, match=unknown):
            dgs.with_options(**{unknown: "production"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        # What is missing in a table of merchants must not become the own account.
        ({"account_number": None}, "account_number is missing"),
        ({"account_number": ""}, "account_number is missing"),
        ({"api_key": None}, "api_key is missing"),
        ({"api_key": 7}, "api_key is missing or is not a str"),
        ({"api_key": ""}, "api_key is missing"),
        ({"account_number": API_KEY}, "account_number is an API key"),
        ({"deadline": None}, "deadline must be a number"),
        ({"deadline": 0}, "deadline must be a number"),
        ({"timeout": 5}, "timeout must be a Timeout"),
        ({"retry": None}, "retry must be a RetryPolicy"),
        ({"hooks": None}, "hooks must be a list"),
        ({"merchant": ""}, "merchant must be a label"),
        ({"merchant": "a\nb"}, "merchant must be a label"),
        ({"merchant": 7}, "merchant must be a str"),
        ({"merchant": API_KEY}, "merchant is an API key"),
    ],
)
def test_an_option_that_is_wrong_is_refused_unseen(options: Any, words: str) -> None:
    dgs, _ = recording()
    with pytest.raises(errors.ConfigError, match=words) as caught:
        dgs.with_options(**options)
    assert API_KEY not in str(caught.value)


class Closing(AsyncRecorder):
    """Records that it was closed; for both clients."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = 0

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


def test_closing_a_made_client_closes_nothing_shared() -> None:
    dgs, recorder = recording()
    recorder.close = (closing := Closing()).close  # type: ignore[method-assign]
    with dgs:
        with dgs.with_options(deadline=5) as made:
            made.balances.list()
        made.balances.list()
        assert closing.closed == 0
    assert closing.closed == 1


def test_closing_an_async_made_client_closes_nothing_shared() -> None:
    closing = Closing()

    async def main() -> None:
        async with AsyncDGSPay(api_key=API_KEY, account_number=ACCOUNT, transport=closing) as dgs:
            async with dgs.with_options(deadline=5) as made:
                await made.balances.list()
            await made.balances.list()
            assert closing.closed == 0
        assert closing.closed == 1

    anyio.run(main)


def test_a_made_client_ends_with_the_one_it_was_made_from() -> None:
    dgs = DGSPay(api_key=API_KEY, account_number=ACCOUNT)
    made = dgs.with_options(deadline=5)
    dgs.close()
    with pytest.raises(errors.DGSPayError) as caught:
        made.balances.list()
    assert caught.value.outcome is Outcome.NOT_SENT


class Holding(Recorder):
    """Holds a request until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.go_on = threading.Event(), threading.Event()

    def send(self, request: Request, timeout: Timeout) -> Response:
        self.entered.set()
        assert self.go_on.wait(30)
        return super().send(request, timeout)


def test_a_key_is_in_flight_once_in_an_account_whatever_client_sends_it() -> None:
    transport = Holding()
    dgs = DGSPay(api_key=API_KEY, account_number=ACCOUNT, transport=transport)
    pay = functools.partial(dgs.charges.mobile_money, **MOBILE_MONEY, idempotency_key="order-1")
    thread = threading.Thread(target=pay)
    thread.start()
    assert transport.entered.wait(30)
    for made in (dgs.with_options(deadline=5), dgs.with_options(api_key=OTHER_KEY)):
        with pytest.raises(errors.IdempotencyError) as caught:
            made.charges.mobile_money(**MOBILE_MONEY, idempotency_key="order-1")
        assert caught.value.outcome is Outcome.NOT_SENT
    transport.go_on.set()
    # Another merchant's order has the same number: that is another payment.
    dgs.with_options(account_number="ACC-2", api_key=OTHER_KEY).charges.mobile_money(
        **MOBILE_MONEY, idempotency_key="order-1"
    )
    thread.join()
    assert len(transport.requests) == 2


class Down(Recorder):
    """Reaches nothing."""

    def send(self, request: Request, timeout: Timeout) -> Response:
        self.requests.append(request)
        raise TransportFailure("refused", sent=False)


def test_an_outage_spends_one_budget_however_many_clients_are_made() -> None:
    transport = Down()
    retry = RetryPolicy(attempts=2, initial_delay=0, budget=3)
    dgs = DGSPay(api_key=API_KEY, account_number=ACCOUNT, transport=transport, retry=retry)
    for _ in range(10):
        with pytest.raises(errors.TransportError):
            dgs.with_options(deadline=50).balances.list()
    assert len(transport.requests) == 10 + 3
    with pytest.raises(errors.TransportError):
        dgs.with_options(retry=RetryPolicy(attempts=2, initial_delay=0, budget=1)).balances.list()
    assert len(transport.requests) == 10 + 3 + 2


def test_lists_and_waits_of_a_made_client_have_its_options() -> None:
    dgs, recorder = recording_async()

    async def main() -> None:
        made = dgs.with_options(account_number="ACC-2", api_key=OTHER_KEY)
        assert [row async for row in made.transactions.list()] == []

    anyio.run(main)
    assert recorder.requests[-1].reveal_headers()["X-DGS-ACCOUNT-NUMBER"] == "ACC-2"

"""A marketplace's merchants: each name its own account, over one transport."""

from __future__ import annotations

import logging
import threading
from typing import Any

import anyio
import pytest

from dgspay import AsyncDGSPay, Merchants, RetryPolicy, errors
from tests.support.recorders import API_KEY, MOBILE_MONEY, recording, recording_async

NAMES = [f"shop-{number}" for number in range(20)]


def key_of(name: str) -> str:
    return f"sk_test_{name}"


def test_each_merchant_pays_from_its_own_account(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "dgspay")
    dgs, recorder = recording_async()
    merchants: Merchants[AsyncDGSPay] = Merchants(dgs)
    for name in NAMES:
        merchants.add(name, api_key=key_of(name), account_number=f"ACC-{name}", deadline=9)
    assert [*merchants] == NAMES
    assert len(merchants) == len(NAMES)
    assert "shop-3" in merchants
    assert merchants.client("shop-3") is merchants.client("shop-3")
    assert merchants.client("shop-3").settings.deadline == 9

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for name in NAMES:
                group.start_soon(merchants.client(name).balances.list)

    anyio.run(main)
    sent = [request.reveal_headers() for request in recorder.requests]
    assert {headers["X-DGS-ACCOUNT-NUMBER"]: headers["X-DGS-API-Key"] for headers in sent} == {
        f"ACC-{name}": key_of(name) for name in NAMES
    }
    assert {vars(record)["dgspay_merchant"] for record in caplog.records} == {*NAMES}
    assert "merchant=shop-3" in caplog.text
    assert "sk_test" not in caplog.text + repr(merchants)


def test_a_name_that_is_not_there_is_never_the_marketplaces_own_account() -> None:
    dgs, recorder = recording()
    merchants = Merchants(dgs)
    for ask in (merchants.client, merchants.remove):
        with pytest.raises(
            errors.ConfigError, match=r"no merchant 'kigali' .*add.*Nothing was sent"
        ):
            ask("kigali")
    with pytest.raises(errors.ConfigError) as caught:
        merchants.client(API_KEY)
    assert API_KEY not in str(caught.value)
    for missing in (
        {"api_key": None, "account_number": "ACC-2"},
        {"api_key": API_KEY, "account_number": None},
    ):
        with pytest.raises(errors.ConfigError, match="is missing"):
            merchants.add("kigali", **missing)  # type: ignore[arg-type]
    assert len(merchants) == 0
    assert recorder.requests == []


def test_a_name_is_given_once_and_anew_after_it_was_removed() -> None:
    merchants = Merchants(recording()[0])
    first = merchants.add("kigali", api_key=key_of("a"), account_number="ACC-A")
    with pytest.raises(errors.ConfigError, match="'kigali' already"):
        merchants.add("kigali", api_key=key_of("b"), account_number="ACC-B")
    assert merchants.client("kigali") is first
    merchants.remove("kigali")
    second = merchants.add(
        "kigali", api_key=lambda: key_of("b"), account_number="ACC-B", retry=RetryPolicy(attempts=1)
    )
    assert second.settings.account_number == "ACC-B"
    assert first.charges.mobile_money(**MOBILE_MONEY).dgs_reference == "dgs_1"


def test_threads_may_add_and_ask_at_once() -> None:
    dgs, recorder = recording()
    merchants = Merchants(dgs)
    taken: list[Any] = []
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for name in NAMES:
            try:
                merchants.add(name, api_key=key_of(name), account_number=f"ACC-{number}-{name}")
            except errors.ConfigError:
                taken.append(name)
            merchants.client(name).balances.list()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 7 * len(NAMES)
    assert len(recorder.requests) == 8 * len(NAMES)
    assert {*merchants} == {*NAMES}

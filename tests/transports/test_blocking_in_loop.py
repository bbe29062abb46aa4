"""The blocking client warns in an event loop, and nowhere else."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from types import ModuleType

import anyio
import anyio.to_thread
import pytest

from dgspay import DGSPay, Outcome, errors
from dgspay.api import balances
from dgspay.emulator import Emulator
from dgspay.testing import client_options
from dgspay.transports.httpx import HttpxTransport
from tests.support.raw_server import RawServer, answering, http

GOOD = http({"status": "success", "balances": []})


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(answering(GOOD)) as server:
        yield server


@pytest.fixture
def dgs(server: RawServer) -> Iterator[DGSPay]:
    with DGSPay(api_key="sk_test_1", account_number="ACC-1", base_url=server.url) as dgs:
        yield dgs


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_every_way_to_call_is_told_in_its_own_line(dgs: DGSPay, backend: str) -> None:
    async def story() -> None:
        dgs.balances.list()
        dgs.balances.available("RWF")
        dgs.execute(balances.list())
        dgs.reply(balances.list())

    with pytest.warns(RuntimeWarning, match="use AsyncDGSPay with await") as told:
        anyio.run(story, backend=backend)
    assert [each.filename for each in told] == [__file__] * 4
    lines = [each.lineno for each in told]
    assert lines == list(range(lines[0], lines[0] + 4))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_thread_of_an_event_loop_and_code_without_one_are_fine(dgs: DGSPay, backend: str) -> None:
    async def story() -> None:
        await anyio.to_thread.run_sync(dgs.balances.list)

    anyio.run(story, backend=backend)
    dgs.balances.list()


def test_notebook_whose_cells_run_in_a_loop_is_fine(
    dgs: DGSPay, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cell() -> None:
        dgs.balances.list()

    monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
    anyio.run(cell)


def test_shop_that_is_tested_in_process_is_fine(emulator: Emulator) -> None:
    async def story() -> None:
        DGSPay(
            transport=HttpxTransport(emulator.http_client()), **client_options(emulator)
        ).balances.list()

    anyio.run(story)


def test_where_the_warning_is_an_error_nothing_was_sent(server: RawServer, dgs: DGSPay) -> None:
    async def story() -> None:
        dgs.balances.list()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning) as caught:
            anyio.run(story)
    assert errors.outcome_of(caught.value) is Outcome.NOT_SENT
    assert server.requests == []

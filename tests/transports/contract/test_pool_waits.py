"""How long a request waited for a free connection is known, wherever it can be."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import anyio
import pytest

from dgspay.core.messages import Timeout
from tests.support.gated_server import Gate
from tests.support.raw_server import RawServer, answering, http
from tests.support.transport_matrix import Way
from tests.transports.contract.calling import Wire, get, post, with_wire

GOOD = http({"status": "success"})
PATIENCE = 0.2


def one_connection(way: Way) -> Any:
    """A client of the user's own that has no more than one connection at a time."""
    module = import_module(way.library)
    if way.library == "aiohttp":
        return way.own_client(connector=module.TCPConnector(limit=1))
    return way.own_client(limits=module.Limits(max_connections=1))


async def wait_in_vain(wire: Wire, server: RawServer, gate: Gate) -> tuple[float | None, ...]:
    """Send one request while another has the only connection, and one when that is free."""
    async with anyio.create_task_group() as group:
        group.start_soon(wire.together, [post(server.url)])
        with anyio.fail_after(30):
            while not gate.waiting:
                await anyio.lowlevel.checkpoint()
        in_vain = await wire.failure(post(server.url), Timeout(pool=PATIENCE, total=30))
        assert not in_vain.sent
        gate.opened.set()
    return in_vain.pool_wait, (await wire.send(get(server.url))).pool_wait


def test_wait_for_a_connection_is_told_from_the_call_itself(way: Way) -> None:
    gate = Gate()

    async def story(wire: Wire) -> None:
        in_vain, in_passing = await wait_in_vain(wire, server, gate)
        assert in_vain is not None
        assert in_vain >= PATIENCE * 0.99  # the clocks of timers are coarser
        assert in_passing is not None
        assert 0 <= in_passing < in_vain

    with RawServer(gate) as server:
        with_wire(way, story, max_connections=1)


def test_wait_in_the_pool_of_a_client_of_ones_own_is_known_where_httpx_reports_it(way: Way) -> None:
    gate = Gate()

    async def story() -> None:
        client = one_connection(way)
        wire = Wire(way, way.borrow(client))
        if way.library == "aiohttp":  # to which waiting is a part of connecting
            assert (await wire.send(get(free.url))).pool_wait is None
            await client.close()
            return
        in_vain, in_passing = await wait_in_vain(wire, server, gate)
        assert in_vain is not None
        assert in_vain >= PATIENCE * 0.99
        assert in_passing is not None
        assert 0 <= in_passing < in_vain
        client.event_hooks = {"request": [nothing if way.is_blocking else nothing_async]}
        assert (await wire.send(get(server.url))).pool_wait is None, "hooks are no wait"
        await (anyio.to_thread.run_sync(client.close) if way.is_blocking else client.aclose())

    with RawServer(gate) as server, RawServer(answering(GOOD)) as free:
        anyio.run(story, backend="asyncio" if way.is_blocking else way.mode)


def nothing(request: object) -> None:
    """Hook of a user's client."""


async def nothing_async(request: object) -> None:
    """Hook of a user's client."""


def test_request_that_gets_its_turn_has_waited_as_long_as_the_one_before_it_took(way: Way) -> None:
    def answer_late(connection: Any) -> None:
        while connection.read_request() is not None:
            connection.server.stopping.wait(PATIENCE)
            connection.write(GOOD)

    async def story(wire: Wire) -> None:
        answers = await wire.together([post(server.url)] * 3)
        waits = sorted(answer.pool_wait or 0.0 for answer in answers)
        assert waits[0] < PATIENCE
        assert waits[2] > PATIENCE

    with RawServer(answer_late) as server:
        with_wire(way, story, max_connections=1)


@pytest.mark.parametrize("reached", [True, False])
def test_failure_after_the_wait_knows_it_too(way: Way, reached: bool) -> None:
    async def story(wire: Wire) -> None:
        failure = await wire.failure(get(server.url if reached else "http://127.0.0.1:1"))
        assert failure.pool_wait is not None
        assert 0 <= failure.pool_wait < PATIENCE

    with RawServer(lambda connection: None) as server:
        with_wire(way, story)

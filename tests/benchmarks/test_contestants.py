"""Every contestant really makes its call and reads its answer, or the ratios would mean nothing."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from benchmarks import canned, paging
from benchmarks.children import child, command
from benchmarks.contestants import ASYNC, BLOCKING
from benchmarks.paging import WALKS
from benchmarks.worker import make_calls


@pytest.fixture(scope="module")
def server() -> Iterator[canned.CannedServer]:
    with canned.running(rows=250) as server:
        yield server


def reference(answer: Any) -> str:
    """What identifies an answer, whether it came as a dict or as an SDK's own type."""
    for name in ("dgs_reference", "id"):
        found = answer.get(name) if isinstance(answer, dict) else getattr(answer, name, None)
        if found is not None:
            return str(found)
    raise AssertionError(answer)


EXPECTED = {
    "stripe": canned.PAYMENT_INTENT["id"],
    "openai": canned.COMPLETION["id"],
}


# How a peer uses the libraries beneath it is its own business.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", [*ASYNC, *BLOCKING])
def test_a_contestant_reads_the_answer_meant_for_it(server: canned.CannedServer, name: str) -> None:
    kind = name.split(maxsplit=1)[0].rstrip(",")
    if kind in EXPECTED:
        pytest.importorskip(kind)
    answer = make_calls(name, server.url, 2)
    assert reference(answer) == EXPECTED.get(kind, canned.CHARGE["dgs_reference"])


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("name", WALKS)
async def test_a_walk_sees_every_row(server: canned.CannedServer, name: str) -> None:
    if name == paging.STRIPE:
        pytest.importorskip("stripe")
    assert await WALKS[name](server.url) == 250


def test_a_million_rows_would_be_watched_from_start_to_end() -> None:
    before, highest, after = paging.memory(300)
    assert 0 < before <= highest
    assert after <= highest


def test_a_worker_answers_with_what_it_used(server: canned.CannedServer) -> None:
    for name in ("aiohttp", "httpx.Client"):
        with child(command("worker", name, server.url)) as worker:
            assert worker.listen() == {"ready": True}
            used = worker.ask({"concurrency": 4, "seconds": 0.01})
        assert used.keys() == {"rate", "cpu", "calls"}
        assert used["rate"] > 0
        assert used["calls"] >= 2


def test_a_contestant_that_ended_is_reported() -> None:
    with (
        child([sys.executable, "-c", "raise SystemExit(3)"]) as program,
        pytest.raises(RuntimeError, match="ended with 3"),
    ):
        program.listen()


# --- the server ---------------------------------------------------------------------------------


def exchange(server: canned.CannedServer, sent: bytes, answers: int) -> list[Any]:
    """Send raw bytes and read so many answers."""
    parts = urlsplit(server.url)
    assert parts.hostname
    assert parts.port
    read = []
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        connection.sendall(sent)
        with connection.makefile("rb") as stream:
            for _ in range(answers):
                stream.readline()
                length = 0
                while (line := stream.readline()) != b"\r\n":
                    name, _, value = line.partition(b":")
                    length = int(value) if name.lower() == b"content-length" else length
                read.append(json.loads(stream.read(length)))
    return read


def test_the_server_answers_what_is_pipelined_in_order(server: canned.CannedServer) -> None:
    charge = b"POST /generation/v2/charges HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}"
    intent = b"POST /v1/payment_intents HTTP/1.1\r\nContent-Length: 3\r\n\r\na=b"
    other = b"GET /else HTTP/1.1\r\n\r\n"
    answers = exchange(server, charge + intent + other + charge, 4)
    assert [reference(answer) for answer in (answers[0], answers[1], answers[3])] == [
        "dgs_123456789",
        "pi_123456789",
        "dgs_123456789",
    ]
    assert answers[2]["error_code"] == "92"


def test_both_lists_name_each_row_once_and_end(server: canned.CannedServer) -> None:
    page = b"GET /generation/v2/transactions?page=%d&limit=100 HTTP/1.1\r\n\r\n"
    pages = exchange(server, b"".join(page % number for number in (1, 2, 3, 4)), 4)
    ids = [row["id"] for answer in pages for row in answer["data"]]
    assert len(ids) == len(set(ids)) == 250
    assert pages[0]["pagination"] == {"page": 1, "limit": 100, "total": 250, "pages": 3}

    after = b"GET /v1/payment_intents?limit=100%s HTTP/1.1\r\n\r\n"
    asked = (b"", b"&starting_after=pi_99", b"&starting_after=pi_199")
    lists = exchange(server, b"".join(after % cursor for cursor in asked), 3)
    ids = [row["id"] for answer in lists for row in answer["data"]]
    assert len(ids) == len(set(ids)) == 250
    assert [answer["has_more"] for answer in lists] == [True, True, False]


def test_the_server_reports_its_own_cpu_time(server: canned.CannedServer) -> None:
    assert server.cpu_seconds > 0

"""One server for all contestants: canned answers, in a process of its own, quicker than any client.

It answers DGS-Pay's `POST /charges` with the guide's own example, and a Stripe-shaped and an
OpenAI-shaped call with objects of the kind those SDKs read; and it lists transactions in
DGS-Pay's way (pages by number) and in Stripe's (a cursor). It reads no more of a request than
its first line and where it ends, and says when asked how much CPU it has used itself, so that
a report can show that it was not what everybody waited for.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import json
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import ClassVar, cast
from urllib.parse import parse_qs

import attrs

from benchmarks.children import child, command

PREFIX = "/generation/v2"
CPU_PATH = "/cpu-seconds"

CHARGE = {
    "status": "success",
    "message": "Charge initiated",
    "transaction_id": "123456789",
    "dgs_reference": "dgs_123456789",
    "amount": 2000,
    "currency": "RWF",
    "transaction_status": "pending",
    "payment_method_type": "mobile_money",
    "next_action_type": "redirect_url",
    "next_action_redirect_url": "https://provider.com/authorize",
    "display_text": "Complete payment on your mobile device",
}
PAYMENT_INTENT = {
    "id": "pi_123456789",
    "object": "payment_intent",
    "amount": 2000,
    "currency": "rwf",
    "status": "requires_action",
    "payment_method_types": ["card"],
    "next_action": {
        "type": "redirect_to_url",
        "redirect_to_url": {"url": "https://provider.com/authorize"},
    },
    "description": "Payment for Invoice #5678",
    "livemode": False,
    "metadata": {},
}
COMPLETION = {
    "id": "chatcmpl-123456789",
    "object": "chat.completion",
    "created": 1764000000,
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Complete payment on your phone."},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 10, "completion_tokens": 6, "total_tokens": 16},
}
TRANSACTION = {
    "amount": 100,
    "currency": "RWF",
    "status": "success",
    "payment_method_type": "card",
    "created_at": "2026-04-03 11:00:00",
}
LISTED_INTENT = {
    "object": "payment_intent",
    "amount": 100,
    "currency": "rwf",
    "status": "succeeded",
    "payment_method_types": ["card"],
    "created": 1764000000,
}


def _answer(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class _Lists:
    """Pages of a list of `rows` rows, made when asked for and then kept where they are few."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.page = functools.lru_cache(maxsize=256)(self._page)
        self.after = functools.lru_cache(maxsize=256)(self._after)
        self._transaction = _json({"id": "@", "dgs_reference": "@", **TRANSACTION}).decode()
        self._intent = _json({"id": "@", **LISTED_INTENT}).decode()

    def _page(self, page: int, limit: int) -> bytes:
        """DGS-Pay's way (guide, "List Response")."""
        numbers = range((page - 1) * limit, min(page * limit, self.rows))
        rows = ",".join(self._transaction.replace("@", f"txn-{number:012d}") for number in numbers)
        pages = -(-self.rows // limit)
        meta = _json({"page": page, "limit": limit, "total": self.rows, "pages": pages}).decode()
        return _answer(f'{{"status":"success","data":[{rows}],"pagination":{meta}}}'.encode())

    def _after(self, cursor: str, limit: int) -> bytes:
        """Stripe's way: `limit` rows after the one with the given id."""
        first = int(cursor.removeprefix("pi_")) + 1 if cursor else 0
        last = min(first + limit, self.rows)
        rows = ",".join(self._intent.replace("@", f"pi_{number}") for number in range(first, last))
        more = "true" if last < self.rows else "false"
        head = '"object":"list","url":"/v1/payment_intents"'
        return _answer(f'{{{head},"has_more":{more},"data":[{rows}]}}'.encode())


class _Canned(asyncio.Protocol):
    """Answers request after request on one connection, pipelined ones too."""

    fixed: ClassVar = {
        f"POST {PREFIX}/charges".encode(): _answer(_json(CHARGE)),
        b"POST /v1/payment_intents": _answer(_json(PAYMENT_INTENT)),
        b"POST /v1/chat/completions": _answer(_json(COMPLETION)),
    }

    def __init__(self, lists: _Lists, latency: float) -> None:
        self._lists = lists
        self._latency = latency
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (head_end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:head_end]
            end = head_end + 4 + _content_length(head)
            if len(self._received) < end:
                return
            self._received = self._received[end:]
            answer = self._answer_to(head.split(b" HTTP/", 1)[0])
            if self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._write, answer)
            else:
                self._transport.write(answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)

    def _answer_to(self, asked: bytes) -> bytes:
        if answer := self.fixed.get(asked):
            return answer
        method_and_path, _, query = asked.decode().partition("?")
        given = {name: values[0] for name, values in parse_qs(query).items()}
        if method_and_path == f"GET {PREFIX}/transactions":
            return self._lists.page(int(given["page"]), int(given["limit"]))
        if method_and_path == "GET /v1/payment_intents":
            return self._lists.after(given.get("starting_after", ""), int(given["limit"]))
        if method_and_path == f"GET {CPU_PATH}":
            return _answer(_json(time.process_time()))
        return _answer(b'{"status":"failed","error_code":"92"}', "404 Not Found")


def _content_length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop  # noqa: PLC0415 - the server is quicker with it and works without
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


async def _serve(rows: int, latency: float) -> None:
    """Serve until the input ends."""
    lists = _Lists(rows)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Canned(lists, latency), "127.0.0.1", 0, backlog=1024)
    async with server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)


@attrs.frozen
class CannedServer:
    """A server that runs: where it is, and what it has used."""

    url: str

    @property
    def cpu_seconds(self) -> float:
        """CPU the server's own process has used so far, in seconds."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(self.url + CPU_PATH, timeout=30) as answer:
            return float(answer.read())


@contextlib.contextmanager
def running(
    *, rows: int = 10_000, latency: float = 0.0, core: int | None = None
) -> Iterator[CannedServer]:
    """Run the server on a free port of loopback.

    Args:
        rows: Rows of its lists.
        latency: Seconds it waits before each answer.
        core: CPU core to hold it on.
    """
    argv = command("canned", "--rows", str(rows), "--latency", str(latency))
    with child(argv, core=core) as process:
        yield CannedServer(f"http://127.0.0.1:{process.listen()}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000, help="rows of its lists")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    chosen = parser.parse_args()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(chosen.rows, chosen.latency))


if __name__ == "__main__":
    main()

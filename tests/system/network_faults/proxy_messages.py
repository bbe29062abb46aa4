"""What can go wrong with whole messages on their way: one small class per fault."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Literal

import attrs

from tests.support.raw_server import HEAD_END, http
from tests.system.network_faults.proxy_faults import Fault

if TYPE_CHECKING:
    from tests.system.network_faults.proxy import Wire


@attrs.frozen(kw_only=True)
class Whole(Fault):
    """Each message is carried when all of it has come."""

    async def carry(self, piece: bytes, passed: int, wire: Wire) -> None:
        wire.held.extend(piece)
        while (length := length_of(bytes(wire.held))) is not None:
            message = bytes(wire.held[:length])
            del wire.held[:length]
            await self.deliver(message, wire)

    async def deliver(self, message: bytes, wire: Wire) -> None:
        """Carry a message."""
        await wire.send(message)


@attrs.frozen(kw_only=True)
class Duplicated(Whole):
    """A balancer sends each request to the server twice, over a connection of its own.

    Attributes:
        when: When the copy arrives. Before the original, the client gets the second answer.
    """

    when: Literal["before", "beside", "after"]

    async def deliver(self, message: bytes, wire: Wire) -> None:
        match self.when:
            case "before":
                await wire.line.deliver_copy(message)
                await wire.send(message)
            case "beside":
                await asyncio.gather(wire.line.deliver_copy(message), wire.send(message))
            case "after":
                await wire.send(message)
                await asyncio.sleep(0.02)
                await wire.line.deliver_copy(message)


CONFLICT = http(
    {"status": "failed", "error_code": "93", "message": "This key is in use"}, "409 Conflict"
)


@attrs.frozen(kw_only=True)
class InFlight(Whole):
    """Each request arrives and is done, and the server says that one with its key is in flight."""

    async def deliver(self, message: bytes, wire: Wire) -> None:
        await wire.send(CONFLICT)


FORGED = "dgs_forged"
FORGERIES = {
    "success": http(
        {
            "status": "success",
            "transaction_status": "successful",
            "dgs_reference": FORGED,
            "dgs_conversion_ref": FORGED,
            "id": FORGED,
            "balances": [],
            "forged": True,
        }
    ),
    "refusal": http({"status": "failed", "error_code": "90", "forged": True}, "400 Bad Request"),
    "interim": b"HTTP/1.1 103 Early Hints" + HEAD_END,
    "half": http({"status": "success", "dgs_reference": FORGED})[:-9],
    "a letter": b"H",
}


@attrs.frozen(kw_only=True)
class SecondAnswer(Whole):
    """Behind each answer comes another, in one piece with it: under TLS, in its very record.

    Attributes:
        kind: Which of `FORGERIES`.
    """

    kind: str

    async def deliver(self, message: bytes, wire: Wire) -> None:
        await wire.send(message + FORGERIES[self.kind])


OPENED = b"HTTP/1.1 200 Connection established" + HEAD_END
NO_TUNNEL = {
    "nothing": b"",
    "junk": bytes(range(256)) * 4,
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "half a line": b"HTTP/1.1 200 Conn",
    "302": http(b"", "302 Found", "Location: http://login.example/"),
    "403": http(b"<html>", "403 Forbidden"),
    "407": http(b"", "407 Proxy Authentication Required"),
    "502": http(b"<html>", "502 Bad Gateway"),
    "in the server's name": http(json.dumps({"status": "success"}).encode()),
    "interim answers": (b"HTTP/1.1 100 Continue" + HEAD_END) * 500,
    "no TLS": OPENED + FORGERIES["success"],
    "no server": OPENED,
}


@attrs.frozen(kw_only=True)
class NoTunnel(Fault):
    """The proxy that is asked for a tunnel opens none.

    Attributes:
        kind: Which of `NO_TUNNEL` it says.
        end_with: What it does then.
    """

    kind: str
    end_with: Literal["close", "reset", "silence"]


def length_of(held: bytes) -> int | None:
    """Return the length of the first message in what has come, or None where it is not whole."""
    head, end, _ = held.partition(HEAD_END)
    if not end:
        return None
    lengths = [
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    length = len(head) + len(end) + sum(lengths)
    return length if len(held) >= length else None

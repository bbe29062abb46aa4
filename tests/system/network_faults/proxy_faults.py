"""What can go wrong with the bytes between a client and a server: one small class per fault."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import attrs

if TYPE_CHECKING:
    from tests.system.network_faults.proxy import Wire

Way = Literal["request", "answer"]


@attrs.frozen(kw_only=True)
class Fault:
    """Nothing goes wrong: everything is carried as it came.

    Attributes:
        way: The direction that is struck; the other one works.
    """

    way: Way = "answer"

    async def carry(self, piece: bytes, passed: int, wire: Wire) -> None:
        """Carry a piece that follows `passed` bytes."""
        await wire.send(piece)

    async def end(self, wire: Wire) -> None:
        """Carry the end."""
        wire.end()


NOTHING = Fault()


@attrs.frozen(kw_only=True)
class Down(Fault):
    """Connections are reset and new ones refused; the owner of the proxy calls `go_down`."""


@attrs.frozen(kw_only=True)
class SentOnTwice(Fault):
    """The server gets each request a second time while it works, and answers that one (93)."""


@attrs.frozen(kw_only=True)
class Latency(Fault):
    """Each piece comes `seconds` later."""

    seconds: float

    async def carry(self, piece: bytes, passed: int, wire: Wire) -> None:
        await asyncio.sleep(self.seconds)
        await wire.send(piece)


@attrs.frozen(kw_only=True)
class Bandwidth(Fault):
    """No more than so many bytes a second."""

    bytes_per_second: int

    async def carry(self, piece: bytes, passed: int, wire: Wire) -> None:
        step = max(1, self.bytes_per_second // 50)
        for start in range(0, len(piece), step):
            await wire.send(piece[start : start + step])
            await asyncio.sleep(step / self.bytes_per_second)


@attrs.frozen(kw_only=True)
class SlowClose(Fault):
    """The end comes `seconds` later than it should."""

    seconds: float

    async def end(self, wire: Wire) -> None:
        await asyncio.sleep(self.seconds)
        wire.end()


@attrs.frozen(kw_only=True)
class Timeout(Fault):
    """Nothing comes through any more; after `seconds` the connection is closed."""

    seconds: float

    async def carry(self, piece: bytes, passed: int, wire: Wire) -> None:
        await asyncio.sleep(self.seconds)
        wire.line.close()


@attrs.frozen(kw_only=True)
class Slicer(Fault):
    """Everything comes in slices of `size` bytes, `seconds` apart."""

    size: int
    seconds: float = 0.0

    async def carry(self, piece: bytes, passed: int, wire: Wire) -> None:
        for start in range(0, len(piece), self.size):
            await wire.send(piece[start : start + self.size])
            await asyncio.sleep(self.seconds)


async def _send_up_to(size: int, piece: bytes, passed: int, wire: Wire) -> int:
    """Send what of a piece is within the first `size` bytes; return how many more were."""
    room = size - passed
    if room > 0:
        await wire.send(piece[:room])
    return room


@attrs.frozen(kw_only=True)
class Limit(Fault):
    """After `size` bytes the connection is closed, both ways."""

    size: int

    async def carry(self, piece: bytes, passed: int, wire: Wire) -> None:
        room = await _send_up_to(self.size, piece, passed, wire)
        if len(piece) >= room:
            wire.line.close()


@attrs.frozen(kw_only=True)
class Cut(Fault):
    """After `size` bytes this way ends, as if all had been said; the other way stays open."""

    size: int

    async def carry(self, piece: bytes, passed: int, wire: Wire) -> None:
        room = await _send_up_to(self.size, piece, passed, wire)
        if len(piece) >= room >= 0:
            wire.end()


@attrs.frozen(kw_only=True)
class Reset(Fault):
    """After `size` bytes the connection is reset."""

    size: int

    async def carry(self, piece: bytes, passed: int, wire: Wire) -> None:
        room = await _send_up_to(self.size, piece, passed, wire)
        if len(piece) >= room:
            wire.line.reset()


@attrs.frozen(kw_only=True)
class Corruption(Fault):
    """Bytes from the `at`-th on come out as others: destroyed with 0xFF, or as given."""

    at: int
    instead: bytes = b"\xff"

    async def carry(self, piece: bytes, passed: int, wire: Wire) -> None:
        start = self.at - passed
        damaged = bytearray(piece)
        for offset, byte in enumerate(self.instead, start):
            if 0 <= offset < len(damaged):
                damaged[offset] = byte
        await wire.send(bytes(damaged))

"""Ids and references in the forms of the guide, from a source that a seed replays."""

from __future__ import annotations

import hashlib
import secrets
import uuid

_BITS = 128


class Identifiers:
    """Generator of ids; the same seed gives the same ones in the same order.

    All there is to remember of it is the seed and how many were drawn, so that an emulator that
    is restarted goes on where it stopped.

    Args:
        seed: What the ids follow from; a seed of chance when there is none.
        drawn: How many were made before.
    """

    def __init__(self, seed: int | str | None = None, drawn: int = 0) -> None:
        self.seed = secrets.token_hex(16) if seed is None else str(seed)
        self.drawn = drawn
        # Names for simulated payments: a replay needs a seed, and nothing here is secret.
        self._source = hashlib.blake2b(f"dgspay emulator {self.seed}".encode(), digest_size=16)

    def uuid(self) -> str:
        """Return a version 4 UUID, as `id` of a transaction or a payment link."""
        return str(uuid.UUID(int=self._draw(), version=4))

    def number(self, digits: int = 9) -> str:
        """Return a number of so many digits, the first not 0."""
        lowest = 10 ** (digits - 1)
        # Of 128 bits, so no number of a few digits is noticeably likelier than another.
        return str(lowest + self._draw() % (9 * lowest))

    def token(self, length: int = 8) -> str:
        """Return capital hex digits, as in `DGSCONV1A2B3C4D`."""
        return f"{self._draw() >> (_BITS - 4 * length):0{length}X}"

    def chance(self) -> float:
        """Return a number from 0 to 1, compared with a fault's probability."""
        return self._draw() / float(2**_BITS)

    def _draw(self) -> int:
        self.drawn += 1
        draw = self._source.copy()
        draw.update(self.drawn.to_bytes(8, "big"))
        return int.from_bytes(draw.digest(), "big")

"""Ids and references in the forms of the guide, from a source that a seed replays."""

from __future__ import annotations

import random
import uuid


class Identifiers:
    """Makes ids; the same seed makes the same ones in the same order."""

    def __init__(self, seed: int | str | None = None) -> None:
        # Names for simulated payments: a replay needs a seed, and nothing here is secret.
        self._random = random.Random(seed)  # noqa: S311

    def uuid(self) -> str:
        """Return a version 4 UUID, as `id` of a transaction or a payment link."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def number(self, digits: int = 9) -> str:
        """Return a number of so many digits, the first not 0."""
        return str(self._random.randrange(10 ** (digits - 1), 10**digits))

    def token(self, length: int = 8) -> str:
        """Return capital hex digits, as in `DGSCONV1A2B3C4D`."""
        return f"{self._random.getrandbits(4 * length):0{length}X}"

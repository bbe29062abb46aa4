"""Idempotency keys: the answer of each, and which are in use."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice

import attrs

from dgspay.emulator.http import RefusedError, Request, Response, invalid

HEADERS = ("idempotency-key", "x-idempotency-key")
METHODS = frozenset({"POST", "PATCH", "DELETE"})
REPLAY_HEADER = ("x-idempotency-cache-hit", "true")

LONGEST_KEY = 255


@attrs.define(weakref_slot=False)
class Memory:
    """A request and its answer, which has no status until it is there."""

    # The parts of the answer and not the answer, because there is one for every payment.
    fingerprint: bytes
    status: int | None = None
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Keys:
    """The idempotency keys of one account."""

    def __init__(self) -> None:
        self._memories: dict[str, Memory] = {}

    def claim(self, key: str, request: Request) -> Response | None:
        """Take a key for a request, or return the answer it got before, byte for byte.

        Raises:
            RefusedError: 93 when the key belongs to another request, or when the first
                request with it has not been answered yet.
        """
        fingerprint = _fingerprint(request)
        known = self._memories.get(key)
        if known is None:
            self._memories[key] = Memory(fingerprint)
            return None
        if known.fingerprint != fingerprint:
            raise RefusedError("93", "this idempotency key was used for a different request")
        if known.status is None:
            raise RefusedError("93", "a request with this idempotency key is being processed")
        return Response(known.status, known.body, (*known.headers, REPLAY_HEADER))

    def latest(self, count: int) -> Sequence[tuple[str, bool]]:
        """Return the latest keys, newest first, and whether their requests were answered."""
        newest = islice(reversed(self._memories.items()), count)
        return tuple((key, memory.status is not None) for key, memory in newest)

    @property
    def answered(self) -> Iterator[tuple[str, Memory]]:
        """The keys whose requests were answered, oldest first."""
        return ((key, m) for key, m in self._memories.items() if m.status is not None)

    def fingerprint(self, key: str) -> bytes:
        """Return what distinguishes the request of a key from others."""
        return self._memories[key].fingerprint

    def recall(self, key: str, memory: Memory) -> None:
        """Restore a key of an earlier run."""
        self._memories[key] = memory

    def settle(self, key: str, answer: Response | None) -> None:
        """Remember the answer of work that was done; without one the key is free again."""
        if answer is None:
            del self._memories[key]
        else:
            memory = self._memories[key]
            memory.status, memory.body, memory.headers = answer.status, answer.body, answer.headers


def key_of(request: Request) -> str | None:
    """Return the idempotency key of a request that may have one.

    Raises:
        RefusedError: 90 when the key is empty, too long or not printable ASCII, or when the
            two headers disagree.
    """
    if request.method not in METHODS:
        return None
    given = {request.headers[name] for name in HEADERS if name in request.headers}
    if not given:
        return None
    key = given.pop()
    if given or not key.isascii() or not key.isprintable() or not 0 < len(key) <= LONGEST_KEY:
        raise invalid(f"the idempotency key must be 1 to {LONGEST_KEY} printable ASCII letters")
    return key


def _fingerprint(request: Request) -> bytes:
    # A hash and not the body: card ciphertexts are kept nowhere.
    target = f"{request.method} {request.path}?{request.query}\n"
    return hashlib.blake2b(target.encode() + request.body, digest_size=16).digest()

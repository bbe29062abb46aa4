"""A request's body as bytes, with memory bounded while it arrives."""

from __future__ import annotations

# How many times the limit is read and dropped before the sender is cut off: one that
# learns that its body is too large after it has sent it can read that answer.
_PATIENCE = 16


class CappedBody:
    """Collects chunks up to one byte over a limit, which is how the receiver knows."""

    def __init__(self, limit: int) -> None:
        self._keep = limit + 1
        self._seen = 0
        self._body = bytearray()

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk; return whether it is worth reading on."""
        self._seen += len(chunk)
        self._body += chunk[: self._keep - len(self._body)]
        return self._seen < self._keep * _PATIENCE

    def take(self) -> bytes:
        """Return what was collected."""
        return bytes(self._body)

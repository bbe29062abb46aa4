"""The body of an answer while it is read: never unpacked, never over the cap."""

from __future__ import annotations

from dgspay.core.messages import TransportFailure
from dgspay.transports.base import MAX_BODY_BYTES


class Body:
    """The body of an answer as it is read: never unpacked, never over the cap.

    Raises:
        TransportFailure: when the answer is compressed.
    """

    def __init__(self, encoding: str) -> None:
        if encoding.strip().lower() not in ("", "identity"):
            raise TransportFailure(
                "the answer is compressed although that was not asked for", sent=True
            )
        # Not a list of pieces: of a few bytes each, they would take twenty times their length.
        self._received = bytearray()

    def add(self, chunk: bytes) -> None:
        """Take the next piece.

        Raises:
            TransportFailure: when that is more than an answer may have.
        """
        if len(self._received) + len(chunk) > MAX_BODY_BYTES:
            raise TransportFailure(f"the answer is over {MAX_BODY_BYTES} bytes", sent=True)
        self._received += chunk

    def whole(self) -> bytes:
        """Return all of it."""
        return bytes(self._received)

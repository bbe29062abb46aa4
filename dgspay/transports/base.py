"""What a transport is: one request in, one response out, and honesty about what was sent."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol, runtime_checkable

from dgspay.core.messages import Request, Response, Timeout

MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_CONNECTIONS = 500


@runtime_checkable
class AsyncTransport(Protocol):
    """Sends one request at a time, many at once, for `AsyncDGSPay`.

    It never follows a redirect, keeps no cookies, ignores proxy variables unless it was told
    otherwise, asks for an uncompressed answer and caps it while reading.
    """

    def send(self, request: Request, timeout: Timeout) -> Coroutine[Any, Any, Response]:
        """Send the request and return the answer, whatever its status. Written `async def`.

        Raises:
            TransportFailure: when no whole answer came, saying whether a byte may have left.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections it owns, and send nothing any more.

        A request that is under way may be a payment. It goes on until it is answered or the
        `total` of its own timeout is over, and its connection is closed then. `aclose` does not
        wait for it.
        """
        ...


@runtime_checkable
class Transport(Protocol):
    """The same for `DGSPay`, without `await`."""

    def send(self, request: Request, timeout: Timeout) -> Response:
        """Send the request and return the answer; see `AsyncTransport.send`."""
        ...

    def close(self) -> None:
        """Close the connections it owns; see `AsyncTransport.aclose`."""
        ...

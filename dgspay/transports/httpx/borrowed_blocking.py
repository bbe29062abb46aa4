"""The transport on httpx for `DGSPay` through a user's client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dgspay.core.messages import Request, Response, Timeout
from dgspay.transports.blocking_deadline import bound
from dgspay.transports.httpx import user_client
from dgspay.transports.httpx.base import ClientOfOneProcess
from dgspay.transports.httpx.blocking import BlockingHttpxTransport
from dgspay.transports.httpx.progress import Progress

if TYPE_CHECKING:
    import httpx


class BorrowedBlocking(BlockingHttpxTransport):
    """One through a user's `Client`."""

    def __init__(self, client: httpx.Client) -> None:
        bound(client)
        self._client = ClientOfOneProcess(client)

    def _exchange(self, request: Request, timeout: Timeout, progress: Progress) -> Response:
        return user_client.send_blocking(self._client.checked(), request, timeout, progress)

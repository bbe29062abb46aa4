"""The webhook handler for aiohttp's server.

    app.router.add_post("/webhooks/dgspay", handler(receiver))

A path that ends in `/{token}` gives handlers the token in their `Delivery`.
Await `receiver.drain()` when the program stops: a slow handler may still be running.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from dgspay.webhooks.frameworks.limited_body import CappedBody
from dgspay.webhooks.receiver import WebhookReceiver
from dgspay.webhooks.signature import SIGNATURE_HEADER


def handler(receiver: WebhookReceiver) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return a request handler that gives every request to the receiver."""

    async def dgspay_webhook(request: web.Request) -> web.Response:
        answer = await receiver.areceive(
            await read_body(request, receiver.max_body),
            request.headers.get(SIGNATURE_HEADER),
            path=request.path,
            token=request.match_info.get("token"),
        )
        return web.Response(body=answer.body, status=answer.status, headers=answer.headers)

    return dgspay_webhook


async def read_body(request: web.Request, limit: int) -> bytes:
    """Return a request's body; of one that is longer, one byte more than the limit."""
    body = CappedBody(limit)
    async for chunk in request.content.iter_any():
        if not body.feed(chunk):
            break
    # A middleware that has read it before, to log it, say, has left nothing but its copy.
    return body.take() or await request.read()

"""The webhook endpoint for Starlette and FastAPI.

    Starlette(routes=[Route("/webhooks/dgspay", endpoint(receiver), methods=["POST"])])
    FastAPI().add_api_route("/webhooks/dgspay", endpoint(receiver), methods=["POST"])

A path that ends in `/{token}` gives handlers the token in their `Delivery`.
Await `receiver.drain()` when the program stops: a slow handler may still be running.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from dgspay.webhooks.frameworks.limited_body import CappedBody
from dgspay.webhooks.receiver import WebhookReceiver
from dgspay.webhooks.signature import SIGNATURE_HEADER


def endpoint(receiver: WebhookReceiver) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that gives every request to the receiver."""

    async def dgspay_webhook(request: Request) -> Response:
        answer = await receiver.areceive(
            await read_body(request, receiver.max_body),
            request.headers.get(SIGNATURE_HEADER),
            path=request.url.path,
            token=request.path_params.get("token"),
        )
        return Response(answer.body, answer.status, dict(answer.headers))

    return dgspay_webhook


async def read_body(request: Request, limit: int) -> bytes:
    """Return a request's body; of one that is longer, one byte more than the limit."""
    body = CappedBody(limit)
    async for chunk in request.stream():
        if not body.feed(chunk):
            break
    return body.take()

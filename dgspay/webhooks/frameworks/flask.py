"""The webhook view for Flask.

    app.add_url_rule("/webhooks/dgspay", view_func=view(receiver), methods=["POST"])

A rule that ends in `/<token>` gives handlers the token in their `Delivery`.
The answer comes after the handler, so a handler should leave slow work to a queue.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, request

from dgspay.webhooks.frameworks.limited_body import CappedBody
from dgspay.webhooks.receiver import WebhookReceiver
from dgspay.webhooks.signature import SIGNATURE_HEADER

_CHUNK = 64 * 1024


def view(receiver: WebhookReceiver) -> Callable[..., Response]:
    """Return a view that gives every request to the receiver."""

    def dgspay_webhook(**segments: str) -> Response:
        answer = receiver.receive(
            read_body(receiver.max_body),
            request.headers.get(SIGNATURE_HEADER),
            path=request.path,
            token=segments.get("token"),
        )
        return Response(answer.body, answer.status, dict(answer.headers))

    return dgspay_webhook


def read_body(limit: int) -> bytes:
    """Return the present request's body; of one that is longer, one byte more than the limit."""
    body = CappedBody(limit)
    while (chunk := request.stream.read(_CHUNK)) and body.feed(chunk):
        pass
    # A program that has read it before, to log it, say, has left nothing but what Flask keeps.
    return body.take() or request.get_data()

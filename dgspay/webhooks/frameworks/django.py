"""The webhook views for Django: `view` under WSGI, `async_view` under ASGI.

    path("webhooks/dgspay", view(receiver))

Both are exempt from the CSRF check: the signature says who sent the request. And both stand
outside of the request's transaction (ATOMIC_REQUESTS), or an event would be done before what its
handler wrote is committed. Give the handler one of its own::

    @receiver.on(PaymentSucceeded)
    @transaction.atomic
    def paid(event: PaymentSucceeded) -> None: ...
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

# Django has no annotations of its own.
from django.db import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    transaction,
)
from django.http import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    HttpRequest,
    HttpResponse,
)
from django.views.decorators.csrf import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    csrf_exempt,
)

from dgspay.webhooks.answers import METHOD_NOT_ALLOWED, Answer
from dgspay.webhooks.capped import CappedBody
from dgspay.webhooks.receiver import WebhookReceiver
from dgspay.webhooks.signature import SIGNATURE_HEADER

_CHUNK = 64 * 1024

_SIGNATURE_KEY = "HTTP_" + SIGNATURE_HEADER.upper().replace("-", "_")


def view(receiver: WebhookReceiver) -> Callable[[HttpRequest], HttpResponse]:
    """Return a view that gives every POST to the receiver."""

    def dgspay_webhook(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return _response(METHOD_NOT_ALLOWED)
        return _response(receiver.receive(*_delivery(request, receiver.max_body)))

    return cast("Callable[[HttpRequest], HttpResponse]", _by_itself(dgspay_webhook))


def async_view(receiver: WebhookReceiver) -> Callable[[HttpRequest], Awaitable[HttpResponse]]:
    """Return an asynchronous view that gives every POST to the receiver."""

    async def dgspay_webhook(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return _response(METHOD_NOT_ALLOWED)
        return _response(await receiver.areceive(*_delivery(request, receiver.max_body)))

    return cast("Callable[[HttpRequest], Awaitable[HttpResponse]]", _by_itself(dgspay_webhook))


def _by_itself(view: Callable[..., Any]) -> Callable[..., Any]:
    """Have no token asked for, and no transaction around the view."""
    exempt = transaction.non_atomic_requests(csrf_exempt(view))
    return cast("Callable[..., Any]", exempt)


def _delivery(request: HttpRequest, limit: int) -> tuple[bytes, str | None]:
    body = CappedBody(limit)
    # `request.body` would be refused by Django itself over DATA_UPLOAD_MAX_MEMORY_SIZE.
    while (chunk := request.read(_CHUNK)) and body.feed(chunk):
        pass
    return body.take(), request.META.get(_SIGNATURE_KEY)


def _response(answer: Answer) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))

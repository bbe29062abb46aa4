"""The webhook views for Django: `view` under WSGI, `async_view` under ASGI.

    path("webhooks/dgspay", view(receiver))

A route that ends in `/<str:token>` gives handlers the token in their `Delivery`.

Both are exempt from the CSRF check and from LoginRequiredMiddleware: the signature says who
sent the request. And both stand outside of the request's transaction (ATOMIC_REQUESTS), or an
event would be done before what its handler wrote is committed. Give the handler one of its own::

    @receiver.on(PaymentSucceeded)
    @transaction.atomic
    def paid(event: PaymentSucceeded) -> None: ...

Django closes old connections where it runs a request itself. A handler that runs in another
thread, as a plain one does under `async_view`, has the same done around it there.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import Any, cast

from asgiref.sync import sync_to_async

# Django has no annotations of its own.
from django.db import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    close_old_connections,
    reset_queries,
    transaction,
)
from django.http import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    HttpRequest,
    HttpResponse,
)
from django.views.decorators.csrf import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    csrf_exempt,
)

from dgspay.webhooks.frameworks.limited_body import CappedBody
from dgspay.webhooks.receiver import WebhookReceiver
from dgspay.webhooks.responses import METHOD_NOT_ALLOWED, WebhookResponse
from dgspay.webhooks.signature import SIGNATURE_HEADER
from dgspay.webhooks.surroundings import Surroundings

logger = logging.getLogger("dgspay.webhooks")

_CHUNK = 64 * 1024

_SIGNATURE_KEY = "HTTP_" + SIGNATURE_HEADER.upper().replace("-", "_")


def view(receiver: WebhookReceiver) -> Callable[..., HttpResponse]:
    """Return a view that gives every POST to the receiver."""

    def dgspay_webhook(request: HttpRequest, **segments: str) -> HttpResponse:
        if request.method != "POST":
            return _response(METHOD_NOT_ALLOWED)
        body, signature = _body_and_signature(request, receiver.max_body)
        answer = receiver.receive(
            body,
            signature,
            path=request.path,
            token=segments.get("token"),
            surroundings=_IN_REQUEST,
        )
        return _response(answer)

    return standing_apart(dgspay_webhook)


def async_view(receiver: WebhookReceiver) -> Callable[..., Awaitable[HttpResponse]]:
    """Return an asynchronous view that gives every POST to the receiver."""

    async def dgspay_webhook(request: HttpRequest, **segments: str) -> HttpResponse:
        if request.method != "POST":
            return _response(METHOD_NOT_ALLOWED)
        body, signature = _body_and_signature(request, receiver.max_body)
        answer = await receiver.areceive(
            body,
            signature,
            path=request.path,
            token=segments.get("token"),
            surroundings=_BESIDE_REQUEST,
        )
        return _response(answer)

    return standing_apart(dgspay_webhook)


def standing_apart(view: Callable[..., Any]) -> Callable[..., Any]:
    """Exempt a view from CSRF tokens, logins and the transaction around it."""
    exempt = cast("Any", transaction.non_atomic_requests(csrf_exempt(view)))
    # What `login_not_required` does, which Django has since 5.1.
    exempt.login_required = False
    return cast("Callable[..., Any]", exempt)


def _begin() -> None:
    reset_queries()
    close_old_connections()


def _end() -> None:
    try:
        close_old_connections()
    except Exception:  # whatever a driver raises: the handler may have succeeded by now
        logger.exception("a database connection could not be closed after a webhook")


@contextmanager
def _tended() -> Iterator[None]:
    """Do in this thread what Django does with its connections at both ends of a request."""
    _begin()
    try:
        yield
    finally:
        _end()


@asynccontextmanager
async def _tended_async() -> AsyncIterator[None]:
    """Do the same in the thread that an async handler's `sync_to_async` and ORM run in."""
    await sync_to_async(_begin)()
    try:
        yield
    finally:
        await sync_to_async(_end)()


# Under WSGI a plain handler runs in the thread of the request, which Django tends itself.
_IN_REQUEST = Surroundings(thread=nullcontext, task=_tended_async)
_BESIDE_REQUEST = Surroundings(thread=_tended, task=_tended_async)


def _body_and_signature(request: HttpRequest, limit: int) -> tuple[bytes, str | None]:
    return read_body(request, limit), request.META.get(_SIGNATURE_KEY)


def read_body(request: HttpRequest, limit: int) -> bytes:
    """Return a request's body; of one that is longer, one byte more than the limit."""
    body = CappedBody(limit)
    # `request.body` would be rejected by Django itself over DATA_UPLOAD_MAX_MEMORY_SIZE.
    while (chunk := request.read(_CHUNK)) and body.feed(chunk):
        pass
    return body.take()


def _response(answer: WebhookResponse) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))

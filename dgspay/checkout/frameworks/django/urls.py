"""The routes of a checkout for Django: `path("dgspay/", include(urls()))`."""

from __future__ import annotations

from typing import Any

from django.http import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    HttpResponse,
)
from django.urls import path  # type: ignore[import-untyped,import-not-found,unused-ignore]
from django.views.decorators.http import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    require_safe,
)

from dgspay.browser import CHECKOUT_NAMES, HEADERS, MEDIA_TYPE, etag, script
from dgspay.checkout.checkout import Checkout
from dgspay.checkout.frameworks.django.apps import checkout_of_settings
from dgspay.checkout.pages import MAX_BODY, PageRequest
from dgspay.metrics.endpoint import Endpoint
from dgspay.webhooks.frameworks.django import read_body, standing_apart
from dgspay.webhooks.receiver import MEBIBYTE
from dgspay.webhooks.signature import SIGNATURE_HEADER


def urls(checkout: Checkout | None = None, *, metrics: Endpoint | None = None) -> list[Any]:
    """Return the routes of a checkout.

    Args:
        checkout: Answers; the one that the setting `DGSPAY_CHECKOUT` names if left out, which is
            looked up at the first request.
        metrics: Answers at `/metrics`; a `dgspay.metrics.prometheus.MetricsEndpoint`. No such
            route if left out.
    """

    def mounted() -> Checkout:
        return checkout_of_settings() if checkout is None else checkout

    def page(request: Any, what: str) -> HttpResponse:
        answer = mounted().respond(
            PageRequest(
                method=request.method or "",
                path=what,
                query=request.META.get("QUERY_STRING", ""),
                headers=dict(request.headers),
                body=read_body(request, MAX_BODY),
                client_address=request.META.get("REMOTE_ADDR") or None,
            )
        )
        return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))

    def webhook(request: Any, **segments: str) -> HttpResponse:
        if request.method != "POST":
            return page(request, "webhooks")
        answer = mounted().receive(
            read_body(request, MEBIBYTE),
            request.headers.get(SIGNATURE_HEADER),
            path=request.path,
        )
        return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))

    return [
        *([] if metrics is None else [path("metrics", _metrics, {"metrics": metrics})]),
        *(path(name, _script, {"name": name}) for name in CHECKOUT_NAMES),
        path("webhooks", standing_apart(webhook)),
        path("webhooks/<str:subject>/<str:token>", standing_apart(webhook)),
        path("<path:what>", standing_apart(page)),
    ]


def _metrics(request: Any, metrics: Endpoint) -> HttpResponse:
    answer = metrics.respond(request.headers.get("Authorization"))
    return HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))


@require_safe  # type: ignore[untyped-decorator,unused-ignore]
def _script(request: Any, name: str) -> HttpResponse:
    headers = {**HEADERS, "ETag": etag(name)}
    if etag(name) in request.headers.get("If-None-Match", ""):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(script(name), content_type=MEDIA_TYPE, headers=headers)

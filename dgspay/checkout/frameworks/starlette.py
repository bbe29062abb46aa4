"""The routes of a checkout for Starlette and FastAPI.

    app.router.routes.extend(routes(checkout))

They are mounted under the path of the checkout's `url`. Sweep in the application's lifespan, and
drain at its end:

    async with checkout.sweeping():
        yield
    await checkout.drain()
"""

from __future__ import annotations

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from dgspay.browser.starlette import script_routes
from dgspay.checkout.checkout import AsyncCheckout, check_kind
from dgspay.checkout.pages import MAX_BODY, METHODS, PageRequest
from dgspay.metrics.endpoint import Endpoint
from dgspay.webhooks.frameworks.starlette import read_body
from dgspay.webhooks.receiver import MEBIBYTE
from dgspay.webhooks.signature import SIGNATURE_HEADER


def routes(
    checkout: AsyncCheckout, path: str | None = None, *, metrics: Endpoint | None = None
) -> list[Mount]:
    """Return the routes of a checkout.

    Args:
        checkout: Answers.
        path: Where they are mounted, where that is not the path of the checkout's `url`.
        metrics: Answers at `/metrics`; a `dgspay.metrics.prometheus.MetricsEndpoint`. No such
            route if left out.

    Raises:
        ConfigError: the checkout is of the other kind, or has no URL.
    """
    check_kind(checkout, AsyncCheckout, "Starlette and FastAPI")

    async def page(request: Request) -> Response:
        answer = await checkout.respond(
            PageRequest(
                method=request.method,
                path=request.path_params["what"],
                query=request.url.query,
                headers=request.headers,
                body=await read_body(request, MAX_BODY),
                client_address=request.client.host if request.client else None,
            )
        )
        return Response(answer.body, answer.status, dict(answer.headers))

    async def webhook(request: Request) -> Response:
        answer = await checkout.receive(
            await read_body(request, MEBIBYTE),
            request.headers.get(SIGNATURE_HEADER),
            path=request.url.path,
        )
        return Response(answer.body, answer.status, dict(answer.headers))

    inside = [
        *([] if metrics is None else [_metrics_route(metrics)]),
        *script_routes(base=""),
        Route("/webhooks", webhook, methods=["POST"]),
        Route("/webhooks/{subject}/{token}", webhook, methods=["POST"]),
        Route("/{what:path}", page, methods=METHODS),
    ]
    return [Mount(checkout.path if path is None else path, routes=inside)]


def _metrics_route(metrics: Endpoint) -> Route:
    async def collected(request: Request) -> Response:
        shown = request.headers.get("Authorization")
        answer = await anyio.to_thread.run_sync(metrics.respond, shown)
        return Response(answer.body, answer.status, dict(answer.headers))

    return Route("/metrics", collected, methods=["GET"])

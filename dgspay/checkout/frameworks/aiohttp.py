"""The routes of a checkout for aiohttp's server.

    app.add_routes(routes(checkout))

Sweep while the application runs, and drain at its end:

    async def lifespan(app: web.Application) -> AsyncIterator[None]:
        async with checkout.sweeping():
            yield
        await checkout.drain()

    app.cleanup_ctx.append(lifespan)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import anyio.to_thread
from aiohttp import web

from dgspay.browser import CHECKOUT_NAMES, HEADERS, MEDIA_TYPE, etag, script
from dgspay.checkout.checkout import AsyncCheckout, check_kind
from dgspay.checkout.pages import MAX_BODY, PageRequest
from dgspay.metrics.endpoint import Endpoint
from dgspay.webhooks.frameworks.aiohttp import read_body
from dgspay.webhooks.receiver import MEBIBYTE
from dgspay.webhooks.signature import SIGNATURE_HEADER


def routes(
    checkout: AsyncCheckout, path: str | None = None, *, metrics: Endpoint | None = None
) -> list[web.RouteDef]:
    """Return the routes of a checkout.

    Args:
        checkout: Answers.
        path: Where they are mounted, where that is not the path of the checkout's `url`.
        metrics: Answers at `/metrics`; a `dgspay.metrics.prometheus.MetricsEndpoint`. No such
            route if left out.

    Raises:
        ConfigError: the checkout is of the other kind, or has no URL.
    """
    check_kind(checkout, AsyncCheckout, "aiohttp")
    base = checkout.path if path is None else path

    async def page(request: web.Request) -> web.Response:
        answer = await checkout.respond(
            PageRequest(
                method=request.method,
                path=request.match_info["what"],
                query=request.query_string,
                headers=request.headers,
                body=await read_body(request, MAX_BODY),
                client_address=request.remote,
            )
        )
        return web.Response(body=answer.body, status=answer.status, headers=answer.headers)

    async def webhook(request: web.Request) -> web.Response:
        answer = await checkout.receive(
            await read_body(request, MEBIBYTE),
            request.headers.get(SIGNATURE_HEADER),
            path=request.path,
        )
        return web.Response(body=answer.body, status=answer.status, headers=answer.headers)

    return [
        *([] if metrics is None else [web.get(f"{base}/metrics", partial(_metrics, metrics))]),
        *(web.get(f"{base}/{name}", _script(name)) for name in CHECKOUT_NAMES),
        web.post(f"{base}/webhooks", webhook),
        web.post(f"{base}/webhooks/{{subject}}/{{token}}", webhook),
        web.route("*", f"{base}/{{what:.*}}", page),
    ]


async def _metrics(metrics: Endpoint, request: web.Request) -> web.Response:
    shown = request.headers.get("Authorization")
    answer = await anyio.to_thread.run_sync(metrics.respond, shown)
    return web.Response(body=answer.body, status=answer.status, headers=answer.headers)


def _script(name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    # Read here, while no event loop waits for the disk.
    content = script(name)
    headers = {**HEADERS, "ETag": etag(name)}

    async def serve(request: web.Request) -> web.Response:
        if headers["ETag"] in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        return web.Response(body=content, content_type=MEDIA_TYPE, headers=headers)

    return serve

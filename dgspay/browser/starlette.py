"""Serves `dgspay-card.js` from a Starlette or FastAPI application."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dgspay.browser import HEADERS, MEDIA_TYPE, SCRIPT_NAME, etag, script


def card_script_route(path: str = f"/dgspay/{SCRIPT_NAME}") -> Route:
    """Return the route that serves the module.

    In Starlette put it among the routes; in FastAPI `app.router.routes.append(...)`.
    """
    return Route(path, _serve, methods=["GET"])


async def _serve(request: Request) -> Response:
    headers = {**HEADERS, "ETag": etag()}
    if etag() in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    return Response(script(), media_type=MEDIA_TYPE, headers=headers)

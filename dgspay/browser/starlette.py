"""Serves the modules of a payer's page from a Starlette or FastAPI application."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dgspay.browser import CHECKOUT_NAMES, HEADERS, MEDIA_TYPE, SCRIPT_NAME, etag, script


def card_script_route(path: str = f"/dgspay/{SCRIPT_NAME}") -> Route:
    """Return the route that serves the card form alone.

    In Starlette put it among the routes; in FastAPI `app.router.routes.append(...)`.
    """
    return _route(path, SCRIPT_NAME)


def script_routes(base: str = "/dgspay") -> list[Route]:
    """Return the routes that serve all modules of the checkout below `base`."""
    return [_route(f"{base}/{name}", name) for name in CHECKOUT_NAMES]


def _route(path: str, name: str) -> Route:
    # Read here, while no event loop waits for the disk.
    content = script(name)
    headers = {**HEADERS, "ETag": etag(name)}

    async def serve(request: Request) -> Response:
        if headers["ETag"] in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=MEDIA_TYPE, headers=headers)

    return Route(path, serve, methods=["GET"])

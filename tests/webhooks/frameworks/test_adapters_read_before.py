"""A program that has read the body before the adapter does, to log it, say: it is still there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dgspay.webhooks import Event, WebhookReceiver, sign
from tests.support.framework_servers import _django_project
from tests.support.receiving import BODY, memory_receiver
from tests.support.webhook_samples import SECRET

PATH = "/webhooks/dgspay"
HEADERS = {"X-DGS-Signature": sign(BODY, SECRET), "Content-Type": "application/json"}


@pytest.fixture
def handled() -> list[Event]:
    return []


@pytest.fixture
def receiver(handled: list[Event]) -> WebhookReceiver:
    shop = memory_receiver()
    shop.on(Event)(handled.append)
    return shop


@pytest.mark.acceptance(43, "handled-once")
def test_flask_handles_an_event_whose_body_was_read_before(
    receiver: WebhookReceiver, handled: list[Event]
) -> None:
    flask = pytest.importorskip("flask")
    from dgspay.webhooks.frameworks.flask import view

    app = flask.Flask("shop")
    logged: list[bytes] = []
    app.before_request(lambda: logged.append(flask.request.get_data()))
    app.add_url_rule(PATH, view_func=view(receiver), methods=["POST"])
    answer = app.test_client().post(PATH, data=BODY, headers=HEADERS)
    assert (answer.status_code, len(handled), logged) == (200, 1, [BODY])


@pytest.mark.acceptance(43, "handled-once")
def test_aiohttp_handles_an_event_whose_body_was_read_before(
    receiver: WebhookReceiver, handled: list[Event]
) -> None:
    web = pytest.importorskip("aiohttp.web")
    test_utils = pytest.importorskip("aiohttp.test_utils")
    from dgspay.webhooks.frameworks import aiohttp

    logged: list[bytes] = []

    async def log(request: Any, handler: Any) -> Any:
        logged.append(await request.read())
        return await handler(request)

    async def post() -> int:
        app = web.Application(middlewares=[web.middleware(log)])
        app.router.add_post(PATH, aiohttp.handler(receiver))
        async with test_utils.TestClient(test_utils.TestServer(app)) as client:
            answer = await client.post(PATH, data=BODY, headers=HEADERS)
            return int(answer.status)

    assert (asyncio.run(post()), len(handled), logged) == (200, 1, [BODY])


@pytest.mark.acceptance(43, "handled-once")
def test_starlette_handles_an_event_whose_body_was_read_before(
    receiver: WebhookReceiver, handled: list[Event]
) -> None:
    starlette = pytest.importorskip("starlette.applications")
    testing = pytest.importorskip("starlette.testclient")
    from starlette.middleware import Middleware
    from starlette.middleware.base import BaseHTTPMiddleware
    from starlette.routing import Route

    from dgspay.webhooks.frameworks.starlette import endpoint

    logged: list[bytes] = []

    async def log(request: Any, handle: Any) -> Any:
        logged.append(await request.body())
        return await handle(request)

    app = starlette.Starlette(
        routes=[Route(PATH, endpoint(receiver), methods=["POST"])],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=log)],
    )
    answer = testing.TestClient(app).post(PATH, content=BODY, headers=HEADERS)
    assert (answer.status_code, len(handled), logged) == (200, 1, [BODY])


@pytest.mark.acceptance(43, "handled-once")
@pytest.mark.parametrize("is_async", [False, True])
def test_django_handles_an_event_whose_body_was_read_before(
    receiver: WebhookReceiver, handled: list[Event], is_async: bool
) -> None:
    factory = pytest.importorskip("django.test").RequestFactory()
    with _django_project(lambda request: None):
        from dgspay.webhooks.frameworks.django import async_view, view

        request = factory.post(PATH, data=BODY, content_type="application/json", headers=HEADERS)
        assert request.body == BODY
        if is_async:
            answer: Any = asyncio.run(async_view(receiver)(request))  # type: ignore[arg-type]
        else:
            answer = view(receiver)(request)
    assert (answer.status_code, len(handled)) == (200, 1)

"""Prometheus collects the metrics of a checkout at its routes, in every framework."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
from prometheus_client import CollectorRegistry

from dgspay import AsyncDGSPay
from dgspay.checkout import AsyncCheckout, SqliteOrders
from dgspay.metrics.endpoint import Endpoint
from dgspay.metrics.prometheus import MetricsEndpoint, observe
from dgspay.testing import client_options
from tests.checkout.conftest import URL, Shop
from tests.support.framework_servers import configure_django

TOKEN = "a-token-of-this-test"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}
PATH = "/dgspay/metrics"

Answer = tuple[int, str]
Asked = list[dict[str, str]]
"""The headers of each request that is made."""


def with_await(shop: Shop) -> AsyncCheckout:
    dgs = AsyncDGSPay(**client_options(shop.emulator))
    return AsyncCheckout(dgs, SqliteOrders(shop.path, clock=shop.clock), url=URL)


def starlette(shop: Shop, metrics: Endpoint | None, asked: Asked) -> list[Answer]:
    from starlette.applications import Starlette

    from dgspay.checkout.frameworks.starlette import routes

    checkout = with_await(shop)
    app = Starlette(routes=[*routes(checkout, metrics=metrics)])

    async def answers() -> list[Answer]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as browser:
            got = [await browser.get(PATH, headers=headers) for headers in asked]
            return [(answer.status_code, answer.text) for answer in got]

    try:
        return anyio.run(answers)
    finally:
        checkout.close()


def aiohttp(shop: Shop, metrics: Endpoint | None, asked: Asked) -> list[Answer]:
    test_utils = pytest.importorskip("aiohttp.test_utils")
    from aiohttp import web

    from dgspay.checkout.frameworks.aiohttp import routes

    checkout = with_await(shop)

    async def answers() -> list[Answer]:
        app = web.Application()
        app.add_routes(routes(checkout, metrics=metrics))
        async with test_utils.TestClient(test_utils.TestServer(app)) as browser:
            got = [await browser.get(PATH, headers=headers) for headers in asked]
            return [(answer.status, await answer.text()) for answer in got]

    try:
        return anyio.run(answers)
    finally:
        checkout.close()


def flask(shop: Shop, metrics: Endpoint | None, asked: Asked) -> list[Answer]:
    app = pytest.importorskip("flask").Flask("shop")
    from dgspay.checkout.frameworks.flask import blueprint

    app.register_blueprint(blueprint(shop.checkout, metrics=metrics))
    got = [app.test_client().get(PATH, headers=headers) for headers in asked]
    return [(answer.status_code, answer.text) for answer in got]


def django(shop: Shop, metrics: Endpoint | None, asked: Asked) -> list[Answer]:
    configure_django()
    from dgspay.checkout.frameworks.django.urls import urls

    class Urls:
        urlpatterns = [  # noqa: RUF012 - as Django has it
            pytest.importorskip("django.urls").path(
                "dgspay/",
                pytest.importorskip("django.urls").include(urls(shop.checkout, metrics=metrics)),
            )
        ]

    test = pytest.importorskip("django.test")
    with test.override_settings(ROOT_URLCONF=Urls, ALLOWED_HOSTS=["*"]):
        got = [test.Client(headers=headers).get(PATH) for headers in asked]
        return [(answer.status_code, answer.content.decode()) for answer in got]


FRAMEWORKS: list[Callable[[Shop, Endpoint | None, Asked], list[Answer]]] = [
    starlette,
    aiohttp,
    flask,
    django,
]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_metrics_are_shown_to_whoever_has_the_token_alone(shop: Shop, framework: Any) -> None:
    registry = CollectorRegistry()
    observe(shop.checkout.gauges(), registry)
    shop.open(expires=900)
    endpoint = MetricsEndpoint(token=TOKEN, registry=registry)
    shown, hidden = framework(shop, endpoint, [SHOWN, {}])
    assert shown[0] == 200
    line = 'dgspay_checkout_orders{dgspay_environment="emulator",dgspay_state="open"} 1.0'
    assert line in shown[1].splitlines()
    assert hidden == (401, "")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_no_metrics_are_served_unless_that_was_asked_for(shop: Shop, framework: Any) -> None:
    ((status, _),) = framework(shop, None, [SHOWN])
    assert status == 404

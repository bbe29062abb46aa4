"""The routes of a checkout in each web framework, asked by the framework's own test client."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import anyio
import attrs
import httpx
import pytest

from dgspay import AsyncDGSPay
from dgspay.checkout import AsyncCheckout, SqliteOrders
from dgspay.metrics.endpoint import Endpoint
from dgspay.testing import client_options
from tests.checkout.conftest import URL, Shop
from tests.support.framework_servers import configure_django


@attrs.frozen
class Asked:
    """A request, its path relative to where the checkout is mounted."""

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def whole_path(self) -> str:
        return f"/dgspay/{self.path}"


@attrs.frozen
class Answer:
    """What a request was answered with; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): text for name, text in headers.items()}


def _with_await(shop: Shop) -> AsyncCheckout:
    dgs = AsyncDGSPay(**client_options(shop.emulator))
    return AsyncCheckout(dgs, SqliteOrders(shop.path, clock=shop.clock), url=URL)


def starlette(shop: Shop, asked: list[Asked], metrics: Endpoint | None = None) -> list[Answer]:
    from starlette.applications import Starlette

    from dgspay.checkout.frameworks.starlette import routes

    checkout = _with_await(shop)
    app = Starlette(routes=[*routes(checkout, metrics=metrics)])

    async def answers() -> list[Answer]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as browser:
            got = [
                await browser.request(each.method, each.whole_path, headers=dict(each.headers))
                for each in asked
            ]
            return [Answer(one.status_code, _lower(one.headers), one.text) for one in got]

    try:
        return anyio.run(answers)
    finally:
        checkout.close()


def aiohttp(shop: Shop, asked: list[Asked], metrics: Endpoint | None = None) -> list[Answer]:
    test_utils = pytest.importorskip("aiohttp.test_utils")
    from aiohttp import web

    from dgspay.checkout.frameworks.aiohttp import routes

    checkout = _with_await(shop)

    async def answers() -> list[Answer]:
        app = web.Application()
        app.add_routes(routes(checkout, metrics=metrics))
        async with test_utils.TestClient(test_utils.TestServer(app)) as browser:
            got = [
                await browser.request(each.method, each.whole_path, headers=each.headers)
                for each in asked
            ]
            return [Answer(one.status, _lower(one.headers), await one.text()) for one in got]

    try:
        return anyio.run(answers)
    finally:
        checkout.close()


def flask(shop: Shop, asked: list[Asked], metrics: Endpoint | None = None) -> list[Answer]:
    app = pytest.importorskip("flask").Flask("shop")
    from dgspay.checkout.frameworks.flask import blueprint

    app.register_blueprint(blueprint(shop.checkout, metrics=metrics))
    got = [
        app.test_client().open(each.whole_path, method=each.method, headers=each.headers)
        for each in asked
    ]
    return [Answer(one.status_code, _lower(one.headers), one.text) for one in got]


def django(shop: Shop, asked: list[Asked], metrics: Endpoint | None = None) -> list[Answer]:
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
        got = [
            test.Client(headers=each.headers).generic(each.method, each.whole_path)
            for each in asked
        ]
        return [Answer(one.status_code, _lower(one.headers), one.content.decode()) for one in got]


FRAMEWORKS: list[Callable[[Shop, list[Asked], Endpoint | None], list[Answer]]] = [
    starlette,
    aiohttp,
    flask,
    django,
]

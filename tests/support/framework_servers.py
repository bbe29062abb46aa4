"""A shop's webhook endpoint in each web framework, on a real socket of loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dgspay.webhooks import WebhookReceiver

PATH = "/webhooks/dgspay"
"""Where the receiver is; each framework has a second route, to a token below it."""


@contextlib.contextmanager
def uvicorn_server(app: Any) -> Iterator[str]:
    """Serve an ASGI application in a thread."""
    import uvicorn

    listening = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            listening.set()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none")
        server = Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            assert listening.wait(60)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}{PATH}"
        finally:
            server.should_exit = True
            thread.join()


@contextlib.contextmanager
def threaded(server: Any) -> Iterator[str]:
    """Run a server of the standard library's kind in a thread."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{PATH}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def starlette(receiver: WebhookReceiver) -> Iterator[str]:
    from starlette.applications import Starlette
    from starlette.routing import Route

    from dgspay.webhooks.frameworks.starlette import endpoint

    paths = (PATH, PATH + "/{token}")
    routes = [Route(path, endpoint(receiver), methods=["POST"]) for path in paths]
    with uvicorn_server(Starlette(routes=routes)) as url:
        yield url


@contextlib.contextmanager
def fastapi(receiver: WebhookReceiver) -> Iterator[str]:
    from fastapi import FastAPI

    from dgspay.webhooks.frameworks.starlette import endpoint

    app = FastAPI()
    app.add_api_route(PATH, endpoint(receiver), methods=["POST"])
    app.add_api_route(PATH + "/{token}", endpoint(receiver), methods=["POST"])
    with uvicorn_server(app) as url:
        yield url


@contextlib.contextmanager
def aiohttp(receiver: WebhookReceiver) -> Iterator[str]:
    from aiohttp import web
    from anyio.from_thread import start_blocking_portal

    from dgspay.webhooks.frameworks.aiohttp import handler

    app = web.Application()
    app.router.add_post(PATH, handler(receiver))
    app.router.add_post(PATH + "/{token}", handler(receiver))

    async def start() -> Any:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    with start_blocking_portal("asyncio") as portal:
        runner = portal.call(start)
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
        finally:
            portal.call(runner.cleanup)


@contextlib.contextmanager
def flask(receiver: WebhookReceiver) -> Iterator[str]:
    from flask import Flask
    from werkzeug.serving import make_server

    from dgspay.webhooks.frameworks.flask import view

    app = Flask("shop")
    receive = view(receiver)
    app.add_url_rule(PATH, view_func=receive, methods=["POST"])
    app.add_url_rule(PATH + "/<token>", view_func=receive, methods=["POST"])
    with threaded(make_server("127.0.0.1", 0, app, threaded=True)) as url:
        yield url


class _Urls:
    """Django takes an object with `urlpatterns` where a module's name is usual."""

    def __init__(self, view: Callable[..., Any]) -> None:
        urls = pytest.importorskip("django.urls")
        path = PATH.removeprefix("/")
        self.urlpatterns = [urls.path(path, view), urls.path(path + "/<str:token>", view)]


def configure_django() -> None:
    """Give Django the settings that all tests of this process share: it takes them once."""
    settings = pytest.importorskip("django.conf").settings
    if not settings.configured:
        settings.configure(
            SECRET_KEY="of a shop that only tests visit",
            ALLOWED_HOSTS=["127.0.0.1"],
            MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
            DATA_UPLOAD_MAX_MEMORY_SIZE=2048,
            LOGGING_CONFIG=None,
        )
        pytest.importorskip("django").setup()


@contextlib.contextmanager
def _django_project(view: Callable[..., Any]) -> Iterator[None]:
    configure_django()
    with pytest.importorskip("django.test").override_settings(ROOT_URLCONF=_Urls(view)):
        yield


@contextlib.contextmanager
def django(receiver: WebhookReceiver) -> Iterator[str]:
    basehttp = pytest.importorskip("django.core.servers.basehttp")
    wsgi = pytest.importorskip("django.core.handlers.wsgi")
    from dgspay.webhooks.frameworks.django import view

    quiet = type("Quiet", (basehttp.WSGIRequestHandler,), {"log_message": lambda *_: None})
    with _django_project(view(receiver)):
        server = basehttp.ThreadedWSGIServer(("127.0.0.1", 0), quiet)
        server.set_app(wsgi.WSGIHandler())
        with threaded(server) as url:
            yield url


@contextlib.contextmanager
def django_async(receiver: WebhookReceiver) -> Iterator[str]:
    asgi = pytest.importorskip("django.core.handlers.asgi")
    from dgspay.webhooks.frameworks.django import async_view

    with _django_project(async_view(receiver)), uvicorn_server(asgi.ASGIHandler()) as url:
        yield url


FRAMEWORKS = {
    "starlette": starlette,
    "fastapi": fastapi,
    "aiohttp": aiohttp,
    "flask": flask,
    "django": django,
    "django_async": django_async,
}

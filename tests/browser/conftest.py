"""A real Chromium and a real server for the card form."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from starlette.types import ASGIApp

Scheme = Literal["light", "dark"]

VECTORS = Path(__file__).parents[1] / "vectors" / "card.json"


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    vectors: dict[str, Any] = json.loads(VECTORS.read_text())
    return vectors


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[int]:
    """Run an application on a free loopback port, and stop it."""
    uvicorn = pytest.importorskip("uvicorn")
    config = uvicorn.Config(app, log_level="warning", lifespan="auto", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="session")
def serve() -> Callable[[ASGIApp], contextlib.AbstractContextManager[int]]:
    """`with serve(app) as port:` runs an application for a test."""
    return serving


# Not for the whole session: while playwright's blocking API is open, an event loop counts as
# running in this thread, and no asynchronous test could start its own.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. `shop.test` is this machine by a name that is not localhost."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=executable,
            args=[
                "--no-sandbox",
                "--disable-background-networking",
                "--disable-gpu",
                "--host-resolver-rules=MAP shop.test 127.0.0.1",
            ],
        )
        yield browser
        browser.close()


PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>Pay</title>
{tag}<script type="module" src="{folder}/page.js"></script>
<main><h1>Kigali Coffee</h1><div id="card"></div></main>"""

# What the page of a shop would do, and a window into it for the tests.
PAGE_SCRIPT = """
import * as dgspay from "/dgspay/dgspay-card.js";
window.dgspay = dgspay;
window.posted = [];
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(event.violatedDirective);
});
window.options = {
  key: "KEY",
  now: () => new Date(2026, 5, 15),
  onEncrypted: async (fields) => {
    window.posted.push(fields);
    await window.answer?.();
  },
};
window.form = dgspay.mountCardForm(document.querySelector("#card"), window.options);
"""

POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


@pytest.fixture(scope="session")
def shop_port(vectors: dict[str, Any]) -> Iterator[int]:
    """A page with the card form under a strict Content-Security-Policy."""
    starlette = pytest.importorskip("starlette.applications", reason="starlette is not installed")
    from starlette.responses import Response
    from starlette.routing import Route

    from dgspay.browser import script, script_tag
    from dgspay.browser.starlette import card_script_route

    def page(tag: str, folder: str = "") -> Response:
        headers = {"Content-Security-Policy": POLICY}
        return Response(
            PAGE.format(tag=tag, folder=folder), media_type="text/html", headers=headers
        )

    def javascript(text: str | bytes) -> Callable[[object], Response]:
        return lambda _: Response(text, media_type="text/javascript")

    page_script = PAGE_SCRIPT.replace("KEY", vectors["cards"][0]["key"])
    tampered = script() + b"\nwindow.tampered = true;\n"
    app = starlette.Starlette(
        routes=[
            Route("/", lambda _: page(script_tag())),
            Route("/page.js", javascript(page_script)),
            # The same page, the same tag, and a module that is not what the tag promises.
            Route("/tampered/", lambda _: page(script_tag("/tampered/card.js"), "/tampered")),
            Route("/tampered/card.js", javascript(tampered)),
            Route(
                "/tampered/page.js",
                javascript(page_script.replace("/dgspay/dgspay-card.js", "/tampered/card.js")),
            ),
            Route("/favicon.ico", lambda _: Response(status_code=204)),
            card_script_route(),
        ]
    )
    with serving(app) as port:
        yield port


@pytest.fixture
def opened(chromium: Browser, shop_port: int) -> Iterator[Callable[..., Page]]:
    """Open the page in a fresh browser profile."""
    with contextlib.ExitStack() as contexts:

        def open_page(
            path: str = "/", *, host: str = "127.0.0.1", width: int = 1000, scheme: Scheme = "light"
        ) -> Page:
            context = chromium.new_context(
                viewport={"width": width, "height": 700}, color_scheme=scheme
            )
            contexts.callback(context.close)
            context.set_default_timeout(30_000)
            page = context.new_page()
            page.goto(f"http://{host}:{shop_port}{path}")
            return page

        yield open_page

"""A real Chromium, a real Firefox, and a real server for the card form."""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright
    from starlette.types import ASGIApp

Scheme = Literal["light", "dark"]

VECTORS = Path(__file__).parents[1] / "vectors" / "card.json"

# How long a page may take to show what it should, in milliseconds: it says that something is
# broken, not that a machine is busy.
PATIENCE = 90_000

# The same engine without the windows around it, where that is installed: a third of the work.
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser")

FIREFOX = ("firefox-esr", "firefox")

# It is not to look for updates, captive portals or what is new.
QUIET_FIREFOX: dict[str, str | float | bool] = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.blockedURIs.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "",
    "toolkit.telemetry.enabled": False,
}

# Only the last such list counts, so it begins with what Playwright itself switches off. The others
# are what a window has of its own: suggestions for an address line without any typing, a page
# each, and a process kept in reserve. They cost more than the page under test.
SWITCHED_OFF = (
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
    "SpareRendererForSitePerProcess",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopup",
)


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    vectors: dict[str, Any] = json.loads(VECTORS.read_text())
    return vectors


@contextlib.contextmanager
def serving(app: ASGIApp, listener: socket.socket | None = None) -> Iterator[int]:
    """Run an application on a free loopback port, or on that of a listener, and stop it."""
    uvicorn = pytest.importorskip("uvicorn")
    config = uvicorn.Config(app, log_level="warning", lifespan="auto", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with contextlib.ExitStack() as opened:
        if listener is None:
            listener = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
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
def driver() -> Iterator[Playwright]:
    """What drives the browsers; there may be one of it at a time."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    playwright.expect.set_options(timeout=PATIENCE)
    with playwright.sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def chromium(driver: Playwright) -> Iterator[Browser]:
    """Debian's Chromium. `shop.test` is this machine by a name that is not localhost."""
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if executable is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    browser = driver.chromium.launch(
        executable_path=executable,
        args=[
            "--no-sandbox",
            "--disable-background-networking",
            f"--disable-features={','.join(SWITCHED_OFF)}",
            "--disable-gpu",
            "--host-resolver-rules=MAP shop.test 127.0.0.1",
        ],
    )
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def firefox(driver: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's Firefox, as it is."""
    executable = next(filter(None, map(shutil.which, FIREFOX)), None)
    if executable is None:
        pytest.skip("firefox is not installed (apt-get install firefox-esr)")
    pytest.importorskip("websockets", reason="websockets is not installed")
    line = tmp_path_factory.mktemp("firefox") / "firefox"
    program = [sys.executable, str(Path(__file__).with_name("bidi_line.py")), executable]
    line.write_text(f'#!/bin/sh\nexec {shlex.join(program)} "$@"\n')
    line.chmod(0o700)
    browser = driver.firefox.launch(
        executable_path=line,
        channel="moz-firefox",
        timeout=PATIENCE,
        firefox_user_prefs=QUIET_FIREFOX,
    )
    yield browser
    browser.close()


@contextlib.contextmanager
def profile(
    chromium: Browser, *, width: int, height: int = 700, scheme: Scheme = "light"
) -> Iterator[BrowserContext]:
    """A fresh browser profile, which has all the patience a test may need."""
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE)
    try:
        yield context
    finally:
        context.close()


def look_as(page: Page, width: int, scheme: Scheme) -> None:
    """Make the screen another one, as a payer does who turns the phone or dims the light."""
    height = page.viewport_size["height"] if page.viewport_size else 700
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)


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
window.draw = () => {
  window.form?.destroy();
  window.posted.length = 0;
  window.form = dgspay.mountCardForm(document.querySelector("#card"), window.options);
};
window.draw();
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
    with contextlib.ExitStack() as profiles:

        def open_page(
            path: str = "/", *, host: str = "127.0.0.1", width: int = 1000, scheme: Scheme = "light"
        ) -> Page:
            page = profiles.enter_context(profile(chromium, width=width, scheme=scheme)).new_page()
            page.goto(f"http://{host}:{shop_port}{path}")
            return page

        yield open_page

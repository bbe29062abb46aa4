"""The console finds its emulator again, and the payer's errors are read aloud."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx

from tests.emulator.emulator_calls import MOBILE_MONEY, credentials
from tests.emulator.in_browser.conftest import Opener

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

MakeLink = Callable[..., dict[str, Any]]


def test_the_console_goes_on_with_the_next_run_at_its_address(chromium: Browser) -> None:
    """The emulator was restarted: the page shows what there is now, with no reload."""
    from dgspay.emulator import Emulator

    with closing(chromium.new_context()) as desk:
        page = desk.new_page()
        page.set_default_timeout(60_000)
        with Emulator(settle_after=None) as first, first.serve() as served:
            address, port = served.origin, served.port
            with httpx.Client(base_url=served.url, headers=credentials(first)) as client:
                client.post("/charges", json=MOBILE_MONEY)
            page.goto(address)
            page.get_by_role("button", name="Approve").wait_for()
        page.get_by_text("Not connected").wait_for()
        with Emulator(settle_after=None) as second, second.serve(port):
            page.get_by_text("Live", exact=True).wait_for()
            page.get_by_text("No payment is pending.").wait_for()


def test_a_stream_that_was_refused_is_asked_for_again(opened: Opener) -> None:
    """A browser gives up a stream for good where something else answers for it."""
    page = opened("/_emulator/fidelity")
    refused: list[str] = []

    def once(route: Route) -> None:
        if refused:
            route.continue_()
            return
        refused.append(route.request.url)
        route.fulfill(status=502, body="<h1>502 Bad Gateway</h1>", content_type="text/html")

    page.route("**/_emulator/events", once)
    page.goto(page.url.removesuffix("_emulator/fidelity"))
    page.get_by_text("Live", exact=True).wait_for()
    assert refused

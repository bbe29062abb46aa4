"""Many tabs of the console in one browser: they share one stream, and nobody waits for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.browser.conftest import profile
from tests.emulator.emulator_calls import MOBILE_MONEY, credentials
from tests.emulator.in_browser.test_payment_pages import path_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from dgspay.emulator import Emulator, Served

MakeLink = Callable[..., dict[str, Any]]

# A browser opens six connections to one address.
TABS = 7

HIDE = """isHidden => {
  Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture
def desk(chromium: Browser) -> Iterator[BrowserContext]:
    with profile(chromium, width=1280) as desk:
        yield desk


def opened_tabs(desk: BrowserContext, served: Served) -> list[Page]:
    tabs = [desk.new_page() for _ in range(TABS)]
    for tab in tabs:
        tab.goto(served.origin)
        tab.get_by_text("Live", exact=True).wait_for()
    return tabs


def charge(emulator: Emulator) -> None:
    with emulator.http_client() as client:
        client.post("/charges", json=MOBILE_MONEY, headers=credentials(emulator))


def test_seven_tabs_share_one_stream_and_leave_the_payer_a_connection(
    desk: BrowserContext, emulator: Emulator, served: Served, link: MakeLink
) -> None:
    streams: list[str] = []
    desk.on("request", lambda asked: streams.append(asked.url) if "events" in asked.url else None)
    tabs = opened_tabs(desk, served)
    charge(emulator)
    for tab in tabs:
        tab.get_by_role("button", name="Approve").wait_for()
    payer = desk.new_page()
    payer.goto(f"{served.origin}{path_of(link())}")
    payer.get_by_role("button", name="Pay").wait_for()
    assert len(streams) == 1


def test_another_tab_listens_when_the_one_that_did_is_closed(
    desk: BrowserContext, emulator: Emulator, served: Served
) -> None:
    first, *others = opened_tabs(desk, served)
    with desk.expect_event("request", lambda asked: asked.url.endswith("/events")):
        first.close()
    charge(emulator)
    for tab in others:
        tab.get_by_role("button", name="Approve").wait_for()


def test_a_hidden_tab_holds_no_stream_and_catches_up_when_it_is_seen(
    desk: BrowserContext, emulator: Emulator, served: Served
) -> None:
    tab = desk.new_page()
    tab.goto(served.origin)
    tab.get_by_text("Live", exact=True).wait_for()
    with tab.expect_event("requestfailed", lambda asked: asked.url.endswith("/events")):
        tab.evaluate(HIDE, True)
    charge(emulator)
    tab.evaluate(HIDE, False)
    tab.get_by_role("button", name="Approve").wait_for()


def test_a_page_without_locks_listens_by_itself(
    desk: BrowserContext, emulator: Emulator, served: Served
) -> None:
    """As under a name that is neither local nor secure, in a container's network."""
    desk.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined });")
    tab = desk.new_page()
    tab.goto(served.origin)
    tab.get_by_text("Live", exact=True).wait_for()
    with httpx.Client(base_url=served.url, headers=credentials(emulator)) as client:
        client.post("/charges", json=MOBILE_MONEY)
    tab.get_by_role("button", name="Approve").wait_for()

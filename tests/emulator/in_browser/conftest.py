"""An emulator on a real socket, and browser pages that complain."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import Scheme, chromium, driver, firefox, profile

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from dgspay.emulator import Emulator, Served

__all__ = ["SCREENS", "chromium", "driver", "firefox"]

SCREENS: list[tuple[int, Scheme]] = [(1280, "light"), (360, "dark")]

Opener = Callable[..., "Page"]
Look = Callable[["Page", str], None]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Nothing settles by itself: the tests decide, as a person would."""
    from dgspay.emulator import Emulator

    with Emulator(settle_after=None, seed="console") as running:
        yield running


@pytest.fixture
def served(emulator: Emulator) -> Iterator[Served]:
    with emulator.serve() as listening:
        yield listening


@pytest.fixture
def link(emulator: Emulator) -> Callable[..., dict[str, Any]]:
    """`link(title=...)` makes a payment link as a merchant's program does."""
    from tests.emulator.emulator_calls import LINK, credentials

    def make(**changes: Any) -> dict[str, Any]:
        with emulator.http_client() as client:
            client.headers.update(credentials(emulator))
            terms = {k: v for k, v in {**LINK, **changes}.items() if v is not None}
            made: dict[str, Any] = client.post("/payment-links", json=terms).json()["link"]
        return made

    return make


@pytest.fixture
def opened(chromium: Browser, served: Served) -> Iterator[Opener]:
    """Open an address in a fresh browser profile. What the page complains of fails the test."""
    complaints: list[str] = []
    with ExitStack() as profiles:

        def open_page(
            path: str, *, width: int = 1280, height: int = 900, scheme: Scheme = "light"
        ) -> Page:
            fresh = profile(chromium, width=width, height=height, scheme=scheme)
            page = profiles.enter_context(fresh).new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on(
                "console",
                lambda message: (
                    complaints.append(message.text)
                    # A refusal that the page shows is logged by the browser itself, too.
                    if message.type == "error" and "Failed to load" not in message.text
                    else None
                ),
            )
            page.goto(f"{served.origin}{path}")
            return page

        yield open_page
    assert complaints == []


@pytest.fixture
def look() -> Look:
    """Keep what the page shows in the directory DGSPAY_SCREENSHOTS names, if it names one."""
    directory = os.environ.get("DGSPAY_SCREENSHOTS")

    def shoot(page: Page, name: str) -> None:
        if directory:
            page.screenshot(
                path=Path(directory, f"{name}.png"), animations="disabled", full_page=True
            )

    return shoot

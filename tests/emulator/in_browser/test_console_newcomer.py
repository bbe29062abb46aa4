"""What a newcomer does: two commands, one URL, a link, two payments, and the webhooks."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.browser.conftest import profile
from tests.emulator.in_browser.conftest import Look
from tests.emulator.in_browser.test_payment_pages import enter_card, see

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SECONDS = 90.0


class Command:
    """A running `dgspay` command, and what it has printed so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._printed = ""
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._more:
                self._printed += line
                self._more.notify_all()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until something is printed, and return it."""
        found: re.Match[str] | None = None

        def is_there() -> bool:
            nonlocal found
            found = re.search(pattern, self._printed)
            return found is not None or self._process.poll() is not None

        with self._more:
            assert self._more.wait_for(is_there, SECONDS), self._printed
        assert found is not None, self._printed
        return found

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(SECONDS)
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


Run = Callable[..., Command]


@contextmanager
def running(*arguments: str, **environment: str) -> Generator[Command]:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "dgspay", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "200", **environment},
    )
    command = Command(process)
    try:
        yield command
    finally:
        command.stop()


def test_a_newcomer_pays_a_link_by_phone_and_card_and_sees_the_webhooks(
    chromium: Browser, look: Look
) -> None:
    """The merchant sits at a desk, the payer holds a phone."""
    from dgspay.emulator.domain.credentials import WEBHOOK_SECRET

    with (
        running(
            "webhooks", "listen", "--port", "0", DGSPAY_WEBHOOK_SECRET=WEBHOOK_SECRET
        ) as listener,
        running("emulator", "--port", "0", "--never-settle") as emulator,
        profile(chromium, width=1280, height=800) as desk,
        profile(chromium, width=360, height=800, scheme="dark") as phone,
    ):
        receiver = listener.wait_for(r"http://[0-9.]+:[0-9]+").group(0)
        console = emulator.wait_for(r"open (http://[0-9.]+:[0-9]+)").group(1)
        page = desk.new_page()
        page.goto(f"{console}/#webhooks")
        sections = page.get_by_role("navigation")
        page.get_by_label("URL for events").fill(receiver)
        with page.expect_response("**/_emulator/options"):
            page.get_by_role("button", name="Save").click()
        sections.get_by_role("link", name="Links").click()
        page.get_by_role("button", name="New link").click()
        page.get_by_label("Title").fill("Invoice #123")
        page.locator("#link").get_by_label("Amount").fill("50,000")
        page.get_by_role("button", name="Create link").click()
        url = page.get_by_role("link", name="Open Invoice #123").get_attribute("href")
        look(page, "newcomer-1-link")

        payer = phone.new_page()
        payer.goto(f"{console}{url}")
        payer.get_by_label("Your name").fill("Jane Doe")
        payer.get_by_label("Mobile money number").fill("0789 654 321")
        payer.get_by_role("button", name="Pay 50,000 RWF").click()
        see(payer, "Approve it on your phone")
        sections.get_by_role("link", name="Overview").click()
        page.get_by_role("button", name="Approve").click()
        see(payer, "Payment complete")
        listener.wait_for(r"payment\.success")

        payer.goto(f"{console}{url}")
        payer.get_by_label("Your name").fill("Jane Doe")
        payer.get_by_role("radio", name="Card").check()
        payer.get_by_label("Phone number").fill("0789 654 321")
        enter_card(payer, "4242424242424242")
        see(payer, "Payment complete")
        listener.wait_for(r"(?s)payment\.success.*payment\.success")
        sections.get_by_role("link", name="Webhooks").click()
        page.get_by_text("delivered", exact=True).nth(1).wait_for()
        look(page, "newcomer-2-webhooks")
        sections.get_by_role("link", name="Links").click()
        page.get_by_text("paid 2").wait_for()
        assert payer.evaluate("document.documentElement.scrollWidth") <= 360

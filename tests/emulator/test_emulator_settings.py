"""What cannot be meant is refused when an emulator is set up, and said in the user's words."""

from __future__ import annotations

import threading

import httpx
import pytest

from dgspay.cli.webhook_server import receive
from dgspay.emulator import Emulator
from dgspay.secret import Secret
from tests.cli.terminal import CommandLine
from tests.emulator.emulator_calls import LINK


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["settle_after", "latency", "webhook_timeout"])
def test_seconds_that_cannot_be_are_refused(name: str, seconds: float) -> None:
    """With such a delay nothing would ever settle, and without a reason given."""
    options = {name: seconds}
    with pytest.raises(ValueError, match=name):
        Emulator(**options)  # type: ignore[arg-type]


def test_no_slug_is_another_links_id(client: httpx.Client) -> None:
    """A page is found by either, so it would be either link's."""
    made = client.post("/payment-links", json=LINK).json()["link"]
    other = client.post("/payment-links", json={**LINK, "slug": made["id"]})
    assert other.json()["error_code"] == "90"
    assert "slug is taken" in other.json()["message"]


@pytest.mark.acceptance(46, "emulator-is-local")
def test_the_command_names_its_own_option_for_listening_to_others() -> None:
    said = CommandLine({})("emulator", "--host", "0.0.0.0", "--port", "0")
    assert said.code == 2
    assert "--allow-public" in said.err
    assert "allow_public" not in said.err


def test_a_listener_without_a_secret_says_where_the_emulators_is() -> None:
    said = CommandLine({})("webhooks", "listen", "--port", "0")
    assert said.code == 2
    assert "`dgspay emulator` prints its own" in said.err


def test_a_listener_opened_in_a_browser_says_what_it_is() -> None:
    told = threading.Event()

    def answer(received: object) -> int:
        told.set()
        return 200

    with receive(answer, Secret("whsec")) as url:
        opened = httpx.get(url, timeout=60)
    assert (opened.status_code, opened.headers["allow"]) == (405, "POST")
    assert "webhooks are posted to" in opened.text
    assert not told.is_set()

"""A receiver whose name cannot be is like one that is not there: it harms no other webhook."""

from __future__ import annotations

import httpx
import pytest

from dgspay.emulator import Emulator
from dgspay.emulator.webhooks.dispatcher import MAX_WORKERS
from tests.emulator.emulator_calls import MOBILE_MONEY, credentials
from tests.emulator.receivers import receiving

IMPOSSIBLE = (
    "http://a..b/",
    "http://xn--/",
    f"http://{'a' * 300}.rw/",
    "http://\N{LATIN SMALL LETTER A WITH DIAERESIS}.a..b/",
)


@pytest.mark.acceptance(51, "webhook-redelivery")
def test_names_that_cannot_be_stop_no_worker(client: httpx.Client, emulator: Emulator) -> None:
    """Each of them ended a thread, and after the eighth no webhook left any more."""
    for number in range(MAX_WORKERS + 1):
        url = IMPOSSIBLE[number % len(IMPOSSIBLE)]
        charge = client.post("/charges", json={**MOBILE_MONEY, "callback_url": url}).json()
        emulator.approve(charge["dgs_reference"])
    emulator.wait_for_deliveries()
    assert all(delivery.statuses == (None,) for delivery in emulator.webhooks.deliveries)
    assert all(delivery.attempts[0].error for delivery in emulator.webhooks.deliveries)
    with receiving() as receiver:
        charge = client.post("/charges", json={**MOBILE_MONEY, "callback_url": receiver.url}).json()
        emulator.approve(charge["dgs_reference"])
        emulator.wait_for_deliveries()
        assert emulator.webhooks.deliveries[-1].delivered


def test_a_request_is_found_by_what_the_console_shows_of_it(emulator: Emulator) -> None:
    with (
        emulator.serve() as served,
        httpx.Client(headers=credentials(emulator), timeout=60) as client,
    ):
        client.post(f"{served.url}/charges", json=MOBILE_MONEY)
        for search in ("POST /charges", "post /CHARGES", "/generation/v2/charges"):
            asked = {"list": "requests", "search": search}
            state = client.get(f"{served.origin}/_emulator/state", params=asked)
            assert len(state.json()["list"]["rows"]) == 1, search

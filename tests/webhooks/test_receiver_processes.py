"""Several processes receive the same events, and some die of it; acceptance row 43.

They race for 300 events, and with `DGSPAY_TEST_FULL=1` for a thousand.
"""

from __future__ import annotations

import collections
from pathlib import Path

import pytest

from dgspay.webhooks import PaymentSucceeded, PostgresInbox, WebhookReceiver, sign
from tests.support.webhook_race_worker import EVENTS, inbox_of
from tests.support.webhook_samples import PAYMENT_SUCCESS, SECRET, body_of
from tests.support.webhook_workers import ENOUGH, KINDS, address_of, hear, tell, worker

pytestmark = pytest.mark.acceptance(43, "handled-once")

WORKER = "tests.support.webhook_race_worker"


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_handle_each_of_hundreds_of_events_once(
    kind: str, tmp_path: Path, reference: str, request: pytest.FixtureRequest
) -> None:
    address = address_of(kind, request)
    logs = [tmp_path / "first.log", tmp_path / "second.log"]
    with (
        worker(WORKER, kind, address, logs[0], 0) as first,
        worker(WORKER, kind, address, logs[1], 1) as second,
    ):
        for each in (first, second):
            tell(each, reference)
        # Both are in the middle of an event at the same time, or there would be no race.
        assert [hear(first), hear(second)] == ["begun", "begun"]
        for each in (first, second):
            tell(each, "go on")
        assert [first.wait(ENOUGH), second.wait(ENOUGH)] == [0, 0]
    shares = [log.read_text().split() for log in logs]
    times_handled = collections.Counter(shares[0] + shares[1])
    assert set(times_handled) == {f"{reference}{number}" for number in range(EVENTS)}
    assert set(times_handled.values()) == {1}


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "redis"])
def test_an_event_whose_process_was_killed_is_handled_again(
    kind: str, tmp_path: Path, reference: str, request: pytest.FixtureRequest
) -> None:
    address, log = address_of(kind, request), tmp_path / "handled.log"
    with worker(WORKER, f"crash-{kind}", address, log, 0) as process:
        tell(process, reference)
        assert process.wait(ENOUGH) == -9
    # It died in the middle of its first event.
    (unfinished,) = log.read_text().split()
    inbox = PostgresInbox(address) if kind == "postgres" else inbox_of(kind, address)
    inbox.patience = 0.05
    receiver = WebhookReceiver(secret=SECRET, inbox=inbox)
    again: list[str] = []

    @receiver.on(PaymentSucceeded)
    def paid(event: PaymentSucceeded) -> None:
        again.append(event.dgs_reference)

    body = body_of(PAYMENT_SUCCESS, dgs_reference=unfinished)
    while receiver.receive(body, sign(body, SECRET)).status == 409:
        pass  # The lease of two milliseconds is not over yet.
    assert again == [unfinished]
    assert receiver.receive(body, sign(body, SECRET)).body == b'{"status":"duplicate"}'
    assert again == [unfinished]

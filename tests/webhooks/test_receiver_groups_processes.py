"""Two processes with events of the same references: never two handlers of one at the same time."""

from __future__ import annotations

import collections
import subprocess
from pathlib import Path

import pytest

from dgspay.webhooks import PaymentSucceeded, PostgresInbox, WebhookReceiver, sign
from tests.support.webhook_race_worker import inbox_of
from tests.support.webhook_samples import PAYMENT_SUCCESS, SECRET, body_of
from tests.support.webhook_turns_worker import BODIES, REFERENCES
from tests.support.webhook_workers import ENOUGH, KINDS, address_of, hear, tell, worker

pytestmark = pytest.mark.acceptance(44, "events-in-any-order")

WORKER = "tests.support.webhook_turns_worker"


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_waits_while_another_process_handles_one_of_its_reference(
    kind: str, tmp_path: Path, reference: str, request: pytest.FixtureRequest
) -> None:
    address = address_of(kind, request)
    with (
        worker(WORKER, kind, address, tmp_path) as first,
        worker(WORKER, kind, address, tmp_path) as second,
    ):
        tell(first, f"hold payment.failed {reference}")
        assert hear(first) == "begun"
        for _ in range(2):
            tell(second, f"deliver payment.success {reference}")
            assert hear(second) == "answered 409"
        tell(second, f"deliver payment.success {reference}0")
        assert [hear(second), hear(second)] == [
            f"handled payment.success:{reference}0",
            "answered 200",
        ]
        tell(first, "go on")
        assert [hear(first), hear(first)] == [f"handled payment.failed:{reference}", "answered 200"]
        tell(second, f"deliver payment.success {reference}")
        assert [hear(second), hear(second)] == [
            f"handled payment.success:{reference}",
            "answered 200",
        ]


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_that_race_never_handle_two_events_of_a_reference_at_once(
    kind: str, tmp_path: Path, reference: str, request: pytest.FixtureRequest
) -> None:
    address = address_of(kind, request)
    with (
        worker(WORKER, kind, address, tmp_path) as first,
        worker(WORKER, kind, address, tmp_path) as second,
    ):
        for turn, each in enumerate((first, second)):
            tell(each, f"race {reference} {turn}")
        handled = [*words_of(first), *words_of(second)]
    expected = {
        f"handled {event}:{reference}{number}" for number in range(REFERENCES) for event in BODIES
    }
    assert collections.Counter(handled) == dict.fromkeys(expected, 1)


def words_of(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdin is not None
    process.stdin.close()
    assert process.stdout is not None
    words = process.stdout.read().split("\n")
    assert process.wait(ENOUGH) == 0
    assert words[-2:] == ["raced", ""]
    return words[:-2]


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "redis"])
def test_a_reference_whose_process_was_killed_is_free_once_its_lease_is_over(
    kind: str, tmp_path: Path, reference: str, request: pytest.FixtureRequest
) -> None:
    address = address_of(kind, request)
    with worker(WORKER, f"crash-{kind}", address, tmp_path) as process:
        tell(process, f"hold payment.failed {reference}")
        assert hear(process) == "begun"
        process.kill()
        assert process.wait(ENOUGH) == -9
    inbox = PostgresInbox(address) if kind == "postgres" else inbox_of(kind, address)
    inbox.patience = 0.05
    receiver = WebhookReceiver(secret=SECRET, inbox=inbox)
    seen: list[str] = []
    receiver.on(PaymentSucceeded)(lambda event: seen.append(event.dgs_reference))
    body = body_of(PAYMENT_SUCCESS, dgs_reference=reference)
    while receiver.receive(body, sign(body, SECRET)).status == 409:
        pass  # The lease of two milliseconds is not over yet.
    assert seen == [reference]

"""Webhooks of payouts: none is answered with 200 that the ledger has no payout for."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from dgspay import errors
from dgspay.emulator import Emulator
from dgspay.payouts import (
    Batch,
    DisbursementEvent,
    PayoutWebhooks,
    SqliteLedger,
    State,
    UnknownPayoutError,
)
from dgspay.payouts.model.batch import Terms
from dgspay.webhooks import SIGNATURE_HEADER, DisbursementSucceeded, WebhookReceiver, sign, verify
from tests.payouts.ledger.test_contract import TERMS, payouts
from tests.support.crash_points import environ_of, finish, start
from tests.support.sheet_factory import RICH, ledger_in

SECRET = "secret"


def loaded(ledger: SqliteLedger, terms: Terms = TERMS) -> Batch:
    batch = Batch(name="b", digest="d", terms=attrs.evolve(terms, callback_url="https://shop.rw/p"))
    batch = ledger.load(batch, payouts(3))
    ledger.start("b")
    return batch


def event_of(reference: str, **fields: Any) -> tuple[bytes, str]:
    told = {
        "event": "disbursement.success",
        "dgs_reference": reference,
        "status": "success",
        "amount": 1000,
        "currency": "RWF",
        **fields,
    }
    body = json.dumps(told).encode()
    return body, sign(body, SECRET)


@pytest.mark.acceptance(103, "unknown-batch-event")
@pytest.mark.parametrize("path", ["/", "/p/other/1/{}", "/p/b/9/{}", "/p/b/2/{}", "/p/b/1/wrong"])
def test_an_event_that_cannot_be_placed_is_asked_for_again(tmp_path: Path, path: str) -> None:
    with ledger_in(tmp_path) as ledger:
        batch = loaded(ledger)
        webhooks = PayoutWebhooks(ledger, SECRET)
        answer = webhooks.receive(path.format(batch.token_of(1)), *event_of("DGS1"))
        assert (answer.status, json.loads(answer.body)) == (503, {"status": "unknown_payout"})
        assert "Retry-After" in answer.headers
        assert ledger.counts("b").count(State.NEW) == 3
        # The same event is taken where it belongs.
        assert webhooks.receive(f"/p/b/1/{batch.token_of(1)}", *event_of("DGS1")).status == 200
        assert ledger.counts("b").count(State.CONFIRMED) == 1


@pytest.mark.acceptance(103, "unknown-batch-event")
def test_what_is_no_event_of_a_payout_is_asked_for_again(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        batch = loaded(ledger)
        body, signature = event_of("DGS1", event="payment.success")
        path = f"/p/b/1/{batch.token_of(1)}"
        assert PayoutWebhooks(ledger, SECRET).receive(path, body, signature).status == 503


@pytest.mark.acceptance(103, "unknown-batch-event")
def test_within_a_receiver_an_event_that_cannot_be_placed_is_not_done(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        batch = loaded(ledger)
        webhooks = PayoutWebhooks(ledger, SECRET)
        receiver = WebhookReceiver(secret=SECRET, inbox=tmp_path / "inbox.sqlite3")
        receiver.on(DisbursementSucceeded)(webhooks.take)
        assert receiver.receive(*event_of("DGS1")).status == 500
        # Once the ledger knows the payout's name, the delivery that is repeated is taken.
        webhooks.receive(f"/p/b/1/{batch.token_of(1)}", *event_of("DGS1"))
        assert receiver.receive(*event_of("DGS1")).status == 200


@pytest.mark.acceptance(103, "unknown-batch-event")
def test_within_a_receiver_a_row_whose_answer_was_lost_is_found_by_its_token(
    tmp_path: Path,
) -> None:
    with ledger_in(tmp_path) as ledger:
        path = f"/p/b/2/{loaded(ledger).token_of(2)}"
        receiver = WebhookReceiver(secret=SECRET, inbox=tmp_path / "inbox.sqlite3")
        receiver.on(DisbursementSucceeded)(PayoutWebhooks(ledger, SECRET).take)
        assert receiver.receive(*event_of("DGS1"), path="/p/b/2/wrong").status == 500
        assert receiver.receive(*event_of("DGS1"), path=path).status == 200
        confirmed = ledger.page("b", states=(State.CONFIRMED,))
        assert [record.payout.number for record in confirmed] == [2]


@pytest.mark.acceptance(45, "foreign-event", 103, "unknown-batch-event")
def test_a_simulated_event_for_real_money_is_refused_and_not_swallowed(tmp_path: Path) -> None:
    with ledger_in(tmp_path) as ledger:
        batch = loaded(ledger, attrs.evolve(TERMS, environment="production"))
        path = f"/p/b/1/{batch.token_of(1)}"
        webhooks = PayoutWebhooks(ledger, SECRET)
        assert webhooks.receive(path, *event_of("DGS1", environment="test")).status == 403
        event = verify(*event_of("DGS1", environment="test"), SECRET)
        assert isinstance(event, DisbursementEvent)
        with pytest.raises(errors.WrongEnvironmentError, match="pays real money"):
            webhooks.take(event, path)
        with pytest.raises(UnknownPayoutError, match="DGS1 is no payout that this ledger knows"):
            webhooks.take(event)
        assert ledger.counts("b").count(State.NEW) == 3


@contextmanager
def listening(ledger: Path, environ: dict[str, str]) -> Iterator[tuple[str, list[str]]]:
    """`listen` as a process; what it has said is known once it has ended."""
    said: list[str] = []
    listener: subprocess.Popen[str] = start(
        "listen", "--port", "0", "--ledger", str(ledger), environ=environ
    )
    try:
        assert listener.stderr is not None
        found = re.search(r"http://[\d.:]+", listener.stderr.readline())
        assert found is not None
        yield found.group(), said
    finally:
        listener.send_signal(signal.SIGTERM)
        said.append(finish(listener, [0]))


@pytest.mark.acceptance(103, "unknown-batch-event")
def test_listen_with_another_ledger_swallows_nothing_and_says_so(tmp_path: Path) -> None:
    with SqliteLedger(tmp_path / "right.sqlite3") as ledger:
        batch = loaded(ledger)
    with Emulator(balances=RICH) as emulator:
        environ = environ_of(emulator, "http://127.0.0.1:9")
        path = f"/p/b/1/{batch.token_of(1)}"
        body, _ = event_of("DGS1")
        headers = {SIGNATURE_HEADER: sign(body, emulator.webhook_secret)}
        with listening(tmp_path / "other.sqlite3", environ) as (url, said):
            assert httpx.post(url + path, content=body, headers=headers).status_code == 503
        assert "DGS1 is no payout that this ledger knows" in said[0]
        assert "answered 503 so that DGS-Pay sends it again" in said[0]
        assert "other.sqlite3" in said[0]
        assert batch.token_of(1) not in said[0]
        with listening(tmp_path / "right.sqlite3", environ) as (url, said):
            assert httpx.post(url + path, content=body, headers=headers).status_code == 200
        assert "confirmed" in said[0]

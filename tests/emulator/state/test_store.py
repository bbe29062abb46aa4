"""What outlives the process: a state file through restarts and `kill -9`, and snapshots."""

from __future__ import annotations

import contextlib
import itertools
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from dgspay.emulator.domain.credentials import ACCOUNT_NUMBER, API_KEY, WEBHOOK_SECRET
from dgspay.emulator.http import Request, Response
from dgspay.webhooks import verify
from tests.emulator.emulator_calls import (
    CONVERT,
    GUIDE_CARD,
    LINK,
    MOBILE_MONEY,
    PATIENCE,
    TO_BANK,
    card_charge,
    credentials,
    pin_authorization,
    sealed,
)
from tests.emulator.receivers import Handler, answers, receiving

KEY = {"X-DGS-API-Key": API_KEY, "X-DGS-ACCOUNT-NUMBER": ACCOUNT_NUMBER}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "emulator.db"


@contextmanager
def started(path: Path | None, **options: Any) -> Generator[tuple[Emulator, httpx.Client]]:
    options.setdefault("clock", VirtualClock())
    with Emulator(state=path, **options) as emulator, emulator.http_client() as client:
        client.headers.update(credentials(emulator))
        yield emulator, client


def seen(client: httpx.Client) -> dict[str, Any]:
    """Everything a merchant can ask for."""
    paths = ("/transactions", "/payment-links", "/balance")
    answers = {path: client.get(path).json() for path in paths}
    for row in answers["/transactions"]["data"]:
        path = f"/transactions/{row['id']}"
        answers[path] = client.get(path).json()
    for row in answers["/payment-links"]["data"]:
        path = f"/payment-links/{row['id']}"
        answers[path] = client.get(path).json()
    return answers


def faults_of(emulator: Emulator) -> list[tuple[object, ...]]:
    return [(s.route, s.words, s.remaining, s.probability) for s in emulator.faults.standing]


def much_done(emulator: Emulator, client: httpx.Client) -> list[str]:
    """Something of every kind; return the references of what may still settle."""
    link = client.post(
        "/payment-links", json={**LINK, "max_uses": 3, "metadata": {"rate": 1, "tags": ["a"]}}
    ).json()["link"]
    emulator.pay_link(link["id"])
    pending = client.post("/charges", json=MOBILE_MONEY, headers={"Idempotency-Key": "order-1"})
    card = card_charge(emulator, scenario_key="scenario:auth_pin_3ds&issuer:approved")
    asked = client.post("/charges", json=card).json()
    client.post("/authorize", json=pin_authorization(emulator, asked["dgs_reference"]))
    declined = client.post("/charges", json=MOBILE_MONEY).json()
    emulator.decline(declined["dgs_reference"], "Customer rejected the request")
    transfer = client.post("/disburse", json=TO_BANK, headers={"Idempotency-Key": "pay-1"})
    conversion = client.post("/convert", json={**CONVERT, "from_amount": 12}).json()
    return [
        pending.json()["dgs_reference"],
        transfer.json()["dgs_reference"],
        conversion["dgs_conversion_ref"],
    ]


def test_a_restart_finds_everything_again(path: Path) -> None:
    with started(path) as (emulator, client):
        references = much_done(emulator, client)
        before = seen(client)
        replay = client.post("/charges", json=MOBILE_MONEY, headers={"Idempotency-Key": "order-1"})
        facts = (emulator.executed, [d.event for d in emulator.webhooks.deliveries])
    with started(path) as (emulator, client):
        assert seen(client) == before
        assert (emulator.executed, [d.event for d in emulator.webhooks.deliveries]) == facts
        again = client.post("/charges", json=MOBILE_MONEY, headers={"Idempotency-Key": "order-1"})
        assert (again.content, again.headers["x-idempotency-cache-hit"]) == (replay.content, "true")
        other = client.post("/disburse", json=TO_BANK, headers={"Idempotency-Key": "order-1"})
        assert other.json()["error_code"] == "93"
        # What was planned comes about, and a card goes on where it stopped.
        emulator.clock.advance(2)
        events = {d.reference: d.event for d in emulator.webhooks.deliveries}
        assert [events[reference] for reference in references] == [
            "payment.success",
            "disbursement.success",
            "conversion.success",
        ]
        (asking,) = (p for p in emulator.transactions if p.awaits)
        otp = {"dgs_reference": asking.dgs_reference, "auth_type": "otp", "auth_otp": "123456"}
        assert client.post("/authorize", json=otp).json()["transaction_status"] == "successful"
        assert client.get("/transactions?status=pending").json()["pagination"]["total"] == 0
        assert emulator.balance("USD") == 988


def test_ids_go_on_as_if_nothing_had_happened(path: Path) -> None:
    def charged(client: httpx.Client) -> str:
        reference: str = client.post("/charges", json=MOBILE_MONEY).json()["dgs_reference"]
        return reference

    with Emulator(seed="x", clock=VirtualClock()) as emulator, emulator.http_client() as client:
        client.headers.update(credentials(emulator))
        in_one_run = [charged(client) for _ in range(3)]
    in_three_runs = []
    for _ in range(3):
        with started(path, seed="x") as (_, client):
            in_three_runs.append(charged(client))
    assert in_three_runs == in_one_run


def test_merchants_the_clock_faults_and_changed_options_stay(path: Path) -> None:
    with started(path, merchants=["shop-2"]) as (emulator, _):
        emulator.clock.advance(3600)
        emulator.faults.redirect("POST /disburse", "https://elsewhere.example/", times=3)
        emulator.faults.delay("*", 0.25, probability=0.5)
        emulator.faults.bad_gateway("GET /balance", after_work=True)
        emulator.faults.send_on_twice("POST /charges")
        emulator.webhooks.delay(30)
        now = emulator.clock.time()
        with emulator.serve() as served:
            options = {"settle_after": None, "webhook_url": "http://127.0.0.1:9/hook"}
            httpx.post(
                f"{served.origin}/_emulator/options",
                json=options,
                trust_env=False,
                timeout=PATIENCE,
            )
        standing = [
            (s.route, s.words, s.remaining, s.probability) for s in emulator.faults.standing
        ]
    with started(path, merchants=["shop-3"]) as (emulator, _):
        assert [m.account_number for m in emulator.merchants] == [
            ACCOUNT_NUMBER,
            "ACC-SHOP-2",
            "ACC-SHOP-3",
        ]
        assert emulator.clock.time() == now
        assert faults_of(emulator) == standing
        assert [(m.kind, m.seconds) for m in emulator.webhooks.modes] == [("delay", 30.0)]
        found = emulator._engine.options
        assert (found.settle_after, found.webhook_url) == (None, "http://127.0.0.1:9/hook")
    # Settings given at the start of a run override changes of an earlier one.
    with started(path, settle_after=7.0) as (emulator, _):
        assert emulator._engine.options.settle_after == 7.0


def test_a_reset_is_remembered_too(path: Path) -> None:
    with started(path) as (emulator, client):
        much_done(emulator, client)
        emulator.reset()
    with started(path) as (emulator, client):
        assert (emulator.transactions, emulator.links, emulator.webhooks.deliveries) == ((), (), ())
        assert emulator.balance("RWF") == 1_000_000


def test_a_webhook_that_was_not_taken_is_tried_again_by_the_next_run(path: Path) -> None:
    with receiving(answers(500)) as receiver:
        with started(path) as (emulator, client):
            client.post("/charges", json={**MOBILE_MONEY, "callback_url": receiver.url})
            emulator.settle()
            emulator.wait_for_deliveries()
            assert len(receiver.received) == 1
        with started(path) as (emulator, client):
            emulator.wait_for_deliveries()
            assert len(receiver.received) == 1
            emulator.clock.advance(5)
            emulator.wait_for_deliveries()
            assert emulator.webhooks.deliveries[0].statuses == (500, 200)
    first, second = (body for _, _, body in receiver.received)
    assert first == second


@pytest.mark.acceptance(46, "emulator-is-local")
def test_nothing_of_a_card_a_pin_or_an_otp_is_in_the_file(path: Path) -> None:
    with started(path) as (emulator, client):
        card = card_charge(
            emulator,
            scenario_key="scenario:auth_pin_3ds&issuer:approved",
            narration=f"my card is {GUIDE_CARD}",
        )
        charge = client.post("/charges", json=card, headers={"Idempotency-Key": "card-1"}).json()
        reference = charge["dgs_reference"]
        pin = pin_authorization(emulator, reference)
        client.post("/authorize", json=pin)
        otp = {"dgs_reference": reference, "auth_type": "otp", "auth_otp": "123456"}
        assert client.post("/authorize", json=otp).json()["transaction_status"] == "successful"
        other = card_charge(emulator, number="4539578763621486")
        assert client.post("/charges", json=other).json()["error_code"] == "90"
        emulator.snapshot()
        files = sorted(path.parent.iterdir())
        stored = b"".join(file.read_bytes() for file in files)
    stored += path.read_bytes()
    assert reference.encode() in stored
    secrets = [value for name, value in {**card, **pin}.items() if "encrypted" in name]
    secrets += [GUIDE_CARD, "4539578763621486", '"123456"', "abc123def456", WEBHOOK_SECRET]
    secrets += [API_KEY, emulator.encryption_key, sealed(emulator, "123")]
    for secret in secrets:
        assert secret.encode() not in stored
    assert all(file.stat().st_mode & 0o077 == 0 for file in files if file.exists())


def test_a_file_of_something_else_is_refused_and_left_alone(path: Path, tmp_path: Path) -> None:
    path.write_text("my accounts")
    with pytest.raises(ValueError, match="not one of the emulator's"):
        Emulator(state=path)
    assert path.read_text() == "my accounts"
    theirs = tmp_path / "theirs.db"
    with sqlite3.connect(theirs) as connection:
        connection.execute("CREATE TABLE books (title)")
    connection.close()
    with pytest.raises(ValueError, match="not one of the emulator's"):
        Emulator(state=theirs)
    with pytest.raises(OSError, match="cannot be opened"):
        Emulator(state=tmp_path / "nowhere" / "emulator.db")


def test_two_emulators_cannot_have_one_file(path: Path) -> None:
    with started(path), pytest.raises(OSError, match="Another emulator"):
        Emulator(state=path)
    with started(path) as (emulator, _):
        assert emulator.transactions == ()


# --- killed -------------------------------------------------------------------------------


@contextmanager
def process(path: Path, *options: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """Run `dgspay emulator` with a state file; yields it and its URL."""
    command = [
        sys.executable,
        "-u",
        "-m",
        "dgspay",
        "emulator",
        "--port",
        "0",
        "--state",
        str(path),
    ]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            found = re.search(r"http://\S+", running.stdout.readline())
            assert found is not None
            yield running, found.group(0)
        finally:
            running.kill()


def test_what_was_answered_survives_the_end_of_the_process(path: Path) -> None:
    """Killed in the middle of its work, by someone who has read some answers and not others.

    The next run is told politely to end, and what it has answered survives, too.
    """
    arrived = threading.Event()

    def take_and_tell(handler: Handler) -> None:
        answers(200)(handler)
        arrived.set()

    answered: list[bytes] = []
    enough = threading.Event()

    def ask_on(url: str, body: dict[str, Any]) -> None:
        """Charge one after the other until there is no one to answer."""
        http = httpx.Client(headers=KEY, trust_env=False, timeout=PATIENCE)
        with http, contextlib.suppress(httpx.TransportError):
            for number in itertools.count():
                headers = {"Idempotency-Key": f"order-{number}"}
                answer = http.post(f"{url}/charges", json=body, headers=headers)
                answered.append(answer.content)
                if len(answered) == 30:
                    enough.set()

    with receiving(answers(503), take_and_tell) as receiver:
        body = {**MOBILE_MONEY, "callback_url": receiver.url}
        http = httpx.Client(headers=KEY, trust_env=False, timeout=PATIENCE)
        with http, process(path, "--never-settle") as (running, url):
            http.post(f"{url}/payment-links", json=LINK)
            first = http.post(f"{url}/charges", json=body).json()["dgs_reference"]
            settled = {"reference": first, "outcome": "approve"}
            http.post(url.replace("/generation/v2", "/_emulator/settle"), json=settled)
            asking = threading.Thread(target=ask_on, args=(url, body))
            asking.start()
            assert enough.wait(PATIENCE)
            running.kill()
            running.wait(PATIENCE)
            asking.join()
        with (
            httpx.Client(headers=KEY, trust_env=False, timeout=PATIENCE) as http,
            process(path) as (running, url),
        ):
            # One may have been carried out whose answer did not arrive any more.
            charged = http.get(f"{url}/transactions").json()["pagination"]["total"] - 1
            assert charged - len(answered) in (0, 1)
            for number, answer in enumerate(answered):
                headers = {"Idempotency-Key": f"order-{number}"}
                again = http.post(f"{url}/charges", json=body, headers=headers)
                assert again.content == answer
            assert len(http.get(f"{url}/payment-links").json()["data"]) == 1
            found = http.get(f"{url}/transactions/{first}").json()["data"]
            assert found["status"] == "success"
            # The receiver was not there, or said 503: the next run brings the event to it.
            http.post(url.replace("/generation/v2", "/_emulator/clock"), json={"advance": 60})
            assert arrived.wait(PATIENCE)
            last = {"Idempotency-Key": "the-last-one"}
            link = http.post(f"{url}/payment-links", json=LINK, headers=last).content
            running.terminate()
            assert running.wait(PATIENCE) == 0
    with started(path) as (emulator, client):
        assert client.post("/payment-links", json=LINK, headers=last).content == link
        assert (len(emulator.links), len(emulator.transactions)) == (2, charged + 1)
    for _, headers, raw in receiver.received:
        event = verify(raw, headers["X-DGS-Signature"], WEBHOOK_SECRET)
        assert event.dgs_reference == first


def test_an_event_not_delivered_yet_is_delivered_by_the_next_run(path: Path) -> None:
    """The process ends after the answer and before the webhook is written down."""
    with started(path) as (emulator, client):
        charge = {**MOBILE_MONEY, "mobile_money_phone": "789000001"}
        body = client.build_request("POST", "/charges", json=charge).read()
        headers = {name.lower(): value for name, value in credentials(emulator).items()}
        asked = Request("POST", "/generation/v2/charges", "", headers, body)
        exchange = emulator._engine.exchange(asked)
        answer = next(exchange)
        # What the file holds at this moment is what a kill would leave.
        left = path.with_name("left.db")
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{left}{suffix}")
        exchange.close()
    assert isinstance(answer, Response)
    with started(left) as (emulator, client):
        (delivery,) = emulator.webhooks.deliveries
        assert delivery.event == "payment.failed"
        event = verify(delivery.body, delivery.signature, WEBHOOK_SECRET)
        assert f'"{event.dgs_reference}"'.encode() in answer.body


# --- snapshots ----------------------------------------------------------------------------


@pytest.mark.parametrize("in_file", [True, False])
def test_a_snapshot_is_returned_to(path: Path, *, in_file: bool) -> None:
    with started(path if in_file else None) as (emulator, client):
        much_done(emulator, client)
        before = seen(client)
        now = emulator.clock.time()
        taken = emulator.snapshot("before the sale")
        assert [taken] == list(emulator.snapshots)
        first = client.post("/charges", json=MOBILE_MONEY).content
        emulator.clock.advance(10)
        emulator.settle()
        client.post("/payment-links", json=LINK)
        assert seen(client) != before
        emulator.restore("before the sale")
        assert seen(client) == before
        assert emulator.clock.time() == now
        # The same calls have the same answers, and what was pending settles again.
        assert client.post("/charges", json=MOBILE_MONEY).content == first
        emulator.clock.advance(2)
        assert client.get("/transactions?status=success").json()["pagination"]["total"] == 3
        emulator.reset()
        emulator.restore("before the sale")
        assert seen(client) == before
        emulator.forget_snapshot("before the sale")
        with pytest.raises(LookupError):
            emulator.restore("before the sale")
    for name in ("", " ", "x" * 81, "a\nb"):
        with Emulator() as emulator, pytest.raises(ValueError, match="name"):
            emulator.snapshot(name)


def test_snapshots_stay_in_the_file(path: Path) -> None:
    with started(path) as (emulator, client):
        emulator.snapshot("empty")
        client.post("/charges", json=MOBILE_MONEY)
        emulator.snapshot("one charge")
    with started(path) as (emulator, client):
        assert [s.name for s in emulator.snapshots] == ["one charge", "empty"]
        emulator.restore("empty")
        assert emulator.transactions == ()
    with started(path) as (emulator, client):
        assert emulator.transactions == ()
        emulator.restore("one charge")
        assert len(emulator.transactions) == 1


def test_snapshots_over_http(emulator: Emulator, client: httpx.Client) -> None:
    with (
        emulator.serve() as served,
        httpx.Client(base_url=served.origin, trust_env=False, timeout=PATIENCE) as http,
    ):
        client.post("/charges", json=MOBILE_MONEY)
        taken = http.post("/_emulator/snapshots", json={"name": "one/charge"}).json()["snapshot"]
        assert taken["name"] == "one/charge"
        emulator.reset()
        assert http.get("/_emulator/snapshots").json()["snapshots"] == [taken]
        assert http.post("/_emulator/snapshots/restore", json={"name": "no"}).status_code == 404
        http.post("/_emulator/snapshots/restore", json={"name": "one/charge"})
        assert len(emulator.transactions) == 1
        assert http.delete("/_emulator/snapshots/one%2Fcharge").status_code == 200
        assert emulator.snapshots == []
        assert http.post("/_emulator/snapshots", json={"name": ""}).status_code == 400

"""Answers and events that lie: about the amount, the recipient, or the name of a payout."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dgspay import errors
from dgspay.emulator.faults.kinds import Fault
from dgspay.emulator.http import Effect, Response
from dgspay.payouts import (
    AsyncPayouts,
    Batch,
    Evidence,
    Kind,
    Learned,
    Pace,
    Payout,
    PayoutWebhooks,
    PostgresLedger,
    Record,
    Source,
    SqliteLedger,
    State,
    Terms,
)
from dgspay.payouts.model.evidence import evidence_of_error
from dgspay.payouts.model.transitions import merge
from dgspay.payouts.status import require_batch
from dgspay.webhooks import sign
from tests.support.crash_points import paid
from tests.support.sheet_factory import in_process, ledger_in, write_sheet

pytestmark = pytest.mark.anyio

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1:1", account_number="ACC-1")


class Saying(Fault):
    """The work is done, and the answer says something else of it."""

    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def afterwards(self, answer: Response) -> tuple[Effect, ...]:
        told = {**json.loads(answer.body), **self.fields}
        return (Response(answer.status, json.dumps(told).encode()),)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqliteLedger]:
    with ledger_in(tmp_path) as ledger:
        yield ledger


async def run_with(
    ledger: SqliteLedger, folder: Path, times: int = 1, settle_within: float = 0, **said: Any
) -> list[Record]:
    """Pay three, the first of them answered with a lie."""
    sheet = write_sheet(folder / "salaries.csv", 3)
    with in_process() as (emulator, dgs):
        emulator.faults.add("POST /disburse", Saying(**said), times=times)
        # One by one, so that the first row is sent first: trio begins with any of its tasks.
        payouts = AsyncPayouts(dgs, ledger)
        await payouts.run(sheet, settle_within=settle_within, pace=Pace(concurrency=1))
        assert set(paid(emulator).values()) == {1}
    return ledger.page("salaries")


@pytest.mark.acceptance(58, "contradicting-evidence")
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"amount": 100_100}, "the answer reports 100100 RWF"),
        ({"currency": "USD"}, "the answer reports 1001 in USD"),
        ({"recipient": {"msisdn": "0788999999"}}, "the answer reports another account"),
    ],
)
async def test_an_answer_about_another_payment_is_held_and_shown(
    ledger: SqliteLedger, tmp_path: Path, said: dict[str, Any], shown: str
) -> None:
    first, *others = await run_with(ledger, tmp_path, **said)
    assert first.state is State.HELD
    assert shown in (first.contradiction or "")
    assert first.dgs_reference is not None  # for whoever looks it up
    assert [record.state for record in others] == [State.ACCEPTED] * 2


@pytest.mark.parametrize(
    "said",
    [
        {"amount": "1001.00", "currency": "rwf"},
        {"recipient": {"msisdn": "0780000001"}},
        {"recipient": {"msisdn": "+250 780 000 001"}},
        {"recipient": {"msisdn": "078*****01"}},
        {"recipient": "somebody"},
    ],
)
async def test_the_same_payment_in_other_words_is_no_contradiction(
    ledger: SqliteLedger, tmp_path: Path, said: dict[str, Any]
) -> None:
    for record in await run_with(ledger, tmp_path, **said):
        assert (record.state, record.contradiction) == (State.ACCEPTED, None)


@pytest.mark.acceptance(58, "contradicting-evidence")
@pytest.mark.parametrize(
    "told",
    [{"currency": "USD"}, {"recipient": {"msisdn": "0788999999"}}, {"amount": 7}],
)
async def test_an_event_about_another_payment_confirms_no_payout(
    ledger: SqliteLedger, tmp_path: Path, told: dict[str, Any]
) -> None:
    first, *_ = await run_with(ledger, tmp_path)
    fields = {
        "event": "disbursement.success",
        "dgs_reference": first.dgs_reference,
        "status": "success",
        "amount": 1001,
        "currency": "RWF",
        **told,
    }
    body = json.dumps(fields).encode()
    PayoutWebhooks(ledger, "secret").receive("/", body, sign(body, "secret"))
    record = ledger.page("salaries")[0]
    assert record.state is State.HELD
    assert (record.contradiction or "").startswith("the webhook reports")


# --- DGS-Pay's name for a payout ----------------------------------------------------------


@pytest.mark.acceptance(58, "contradicting-evidence")
async def test_one_name_for_two_payouts_confirms_neither(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    """One transfer was made, perhaps: whoever did not get it must not be shown as paid."""
    rows = await run_with(ledger, tmp_path, times=2, dgs_reference="DGS-SAME")
    batch = require_batch(ledger, "salaries")
    assert [record.state for record in rows] == [State.HELD, State.HELD, State.ACCEPTED]
    assert "DGS-SAME to more than one payout" in (rows[0].contradiction or "")
    looked_up = Evidence(learned=Learned.PAID, source=Source.LOOK_UP, dgs_reference="DGS-SAME")
    assert ledger.settle(batch, 1, looked_up).state is State.HELD
    # A person, who can ask DGS-Pay, has the last word.
    person = Evidence(learned=Learned.PAID, source=Source.PERSON)
    assert ledger.settle(batch, 1, person).state is State.CONFIRMED


@pytest.mark.acceptance(58, "contradicting-evidence")
async def test_a_name_that_another_run_was_given_confirms_neither_of_the_two(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    """Between two runs only the ledger remembers; its last state decides."""
    rows = []
    for month in ("october", "november"):
        with in_process() as (emulator, dgs), SqliteLedger(ledger.path) as own:
            emulator.faults.add("POST /disburse", Saying(dgs_reference="DGS-SAME"))
            sheet = write_sheet(tmp_path / f"{month}.csv", 1)
            await AsyncPayouts(dgs, own).run(
                sheet, batch=month, period=month, settle_within=0, repeat_days=0
            )
        rows.append(require_batch(ledger, month))
    paid_one = Evidence(learned=Learned.PAID, source=Source.WEBHOOK, dgs_reference="DGS-SAME")
    assert ledger.settle(rows[1], 1, paid_one).state is State.HELD
    for batch in rows:
        (record,) = ledger.page(batch.name)
        assert "to more than one payout" in (record.contradiction or "")


@pytest.mark.acceptance(54, "held-in-doubt")
@pytest.mark.parametrize("name", ["", " ", "a\0b", "a" * 300, "../x", "https://x/y", None])
async def test_a_name_that_cannot_be_looked_up_delays_no_other_payout(
    ledger: SqliteLedger, tmp_path: Path, name: str | None
) -> None:
    first, *others = await run_with(ledger, tmp_path, dgs_reference=name, settle_within=5)
    assert first.state is State.ACCEPTED
    assert [record.state for record in others] == [State.CONFIRMED] * 2
    with in_process() as (_, dgs):
        batch = require_batch(ledger, "salaries")
        assert batch.terms.account_number == dgs.settings.account_number
        found = [one async for one in AsyncPayouts(dgs, ledger).reconcile("salaries")]
    assert Kind.CONTRADICTION not in {difference.kind for difference in found}


@pytest.mark.acceptance(54, "held-in-doubt")
@pytest.mark.parametrize(
    "said",
    [
        {"status": "queued"},  # a word the guide does not know
        {"status": ["success"]},
        {"amount": "many"},
        {"error_code": "99"},  # no and yes at once
    ],
)
async def test_the_name_in_an_answer_of_no_other_use_is_kept_and_settles_the_row(
    ledger: SqliteLedger, tmp_path: Path, said: dict[str, Any]
) -> None:
    first, *others = await run_with(ledger, tmp_path, settle_within=0, **said)
    assert first.state is State.HELD
    assert first.dgs_reference is not None
    assert [record.state for record in others] == [State.ACCEPTED] * 2


async def test_a_name_in_an_unusable_answer_is_looked_up(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    rows = await run_with(ledger, tmp_path, settle_within=60, status="queued")
    assert [record.state for record in rows] == [State.CONFIRMED] * 3


@pytest.mark.acceptance(58, "contradicting-evidence")
async def test_an_event_about_what_was_refused_finds_its_row(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    """Refused with a name, and paid under it: whoever pays it again pays it twice."""
    said: dict[str, Any] = {"status": "failed", "transaction_status": "failed"}
    first, *_ = await run_with(ledger, tmp_path, **said)
    assert first.state is State.FAILED
    event = {
        "event": "disbursement.success",
        "dgs_reference": first.dgs_reference,
        "status": "success",
        "amount": 1001,
        "currency": "RWF",
    }
    body = json.dumps(event).encode()
    PayoutWebhooks(ledger, "secret").receive("/", body, sign(body, "secret"))
    record = ledger.page("salaries")[0]
    assert (record.state, record.contradiction is None) == (State.HELD, False)


def test_a_text_that_postgres_cannot_hold_costs_no_answer(postgres_ledger_url: str) -> None:
    """One NUL in one answer would have thrown away what was learned of all the others."""
    with PostgresLedger(postgres_ledger_url) as ledger:
        payouts = [Payout(number=n, reference=f"r{n}", amount=1000, account="1") for n in (1, 2)]
        batch = ledger.load(Batch(name="b", digest="d", terms=TERMS), payouts)
        ledger.start("b")
        chunk = ledger.claim(batch, 0, 1, 2)
        ledger.take(chunk, after=0, limit=2)
        ledger.post(batch, 1, Evidence(learned=Learned.ACCEPTED, dgs_reference="DGS1"))
        ledger.post(batch, 2, Evidence(learned=Learned.REFUSED, reason="no\0 account"))
        ledger.flush()
        first, second = ledger.page("b")
        assert (first.state, second.state) == (State.ACCEPTED, State.FAILED)
        assert second.reason == "no\N{REPLACEMENT CHARACTER} account"
        failed = Evidence(learned=Learned.NOT_PAID, source=Source.WEBHOOK, reason="closed\0account")
        assert ledger.settle(batch, 1, failed).state is State.FAILED


# --- fees and keys ------------------------------------------------------------------------


def test_the_fee_is_what_was_taken_and_not_what_was_announced() -> None:
    payout = Payout(number=1, reference="r", amount=1000, account="1")
    announced = Evidence(learned=Learned.ACCEPTED, dgs_reference="D", fee=Decimal(100))
    taken = Evidence(learned=Learned.PAID, source=Source.WEBHOOK, fee=Decimal(150))
    for order in ((announced, taken), (taken, announced)):
        record = Record(payout=payout, state=State.IN_DOUBT)
        for evidence in order:
            record = merge(record, evidence, 1.0)
        assert (record.state, record.fee) == (State.CONFIRMED, "150")


def test_a_key_that_is_in_flight_elsewhere_makes_no_payout_new_again() -> None:
    """The other call is this very payout: once this one is "new", it would be paid again."""
    busy = errors.IdempotencyError("in flight", outcome=errors.Outcome.NOT_SENT)
    assert evidence_of_error(busy).learned is Learned.LOST

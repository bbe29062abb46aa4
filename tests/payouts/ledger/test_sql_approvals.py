"""Approval by two in both databases: decided in the transaction that takes rows up."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest

from dgspay.payouts import (
    Batch,
    BatchChangedError,
    LedgerError,
    NotApprovedError,
    Payout,
    PostgresLedger,
    SqliteLedger,
    State,
    Terms,
    backup_ledger,
    confirm_compared,
    restore_ledger,
)
from tests.support.signers import ALICE, BOB, CAROL, signer, two_eyes

pytestmark = pytest.mark.acceptance(107, "approval-broken")

TERMS = Terms(environment="emulator", base_url="http://127.0.0.1", account_number="ACC")
COUNT = 250


class Clock:
    def __init__(self) -> None:
        self.now = 1_796_000_000.0

    def __call__(self) -> float:
        return self.now


def rows(count: int, start: int = 0) -> Iterator[Payout]:
    for number in range(1, count + 1):
        yield Payout(number=number, reference=f"r{start + number}", amount=1000, account=f"{start}")


def loaded(ledger: Any, name: str = "b", *, count: int = COUNT, start: int = 0) -> Batch:
    payouts = (row._replace(account=f"{start + row.number}") for row in rows(count, start))
    batch: Batch = ledger.load(Batch(name=name, digest=name, terms=TERMS), payouts)
    return batch


def prepared(ledger: Any, name: str = "b", **options: Any) -> Batch:
    return ledger.prepare(loaded(ledger, name, **options), allowed={}, signer=ALICE)  # type: ignore[no-any-return]


def taken(ledger: Any, batch: Batch, limit: int = COUNT) -> int:
    chunk = ledger.claim(batch, 0, 1, batch.count)
    return len(ledger.take(chunk, after=0, limit=limit))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Callable[[], Any]:
    """Opens each kind of ledger, always the same one."""
    if request.param == "sqlite":
        return lambda: SqliteLedger(tmp_path / "ledger.sqlite3", clock=clock)
    from dgspay.payouts import PostgresLedger

    url = request.getfixturevalue("postgres_ledger_url")
    return lambda: PostgresLedger(url, clock=clock)


@pytest.fixture
def ledger(opened: Callable[[], Any]) -> Iterator[Any]:
    with opened() as ledger:
        yield ledger


@pytest.fixture
def two_roles(ledger: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A ledger with a policy, whose users have a role of their own each, where there are roles."""
    ledger.change_policy(two_eyes)
    kind = type(ledger.transact(lambda connection: connection))
    roles = iter(["payroll", *["boss"] * 100])
    if not isinstance(ledger, SqliteLedger):
        monkeypatch.setattr(kind, "lock_audit_log", lambda _: next(roles))
    return ledger


def test_an_approved_batch_is_paid_and_no_other(two_roles: Any) -> None:
    ledger = two_roles
    batch = prepared(ledger)
    with pytest.raises(NotApprovedError, match="is not approved"):
        ledger.start("b")
    found = ledger.approve(batch, BOB, days=7)
    assert (found.preparer, found.approvers) == ("Alice", ("Bob",))
    ledger.start("b")
    assert taken(ledger, batch) == COUNT
    unprepared = loaded(ledger, "c", start=1000)
    with pytest.raises(NotApprovedError, match="was not prepared"):
        ledger.start("c")
    # Nor where it was started by other means, or before there was a policy.
    ledger.transact(lambda db: db.change("UPDATE dgspay_payout_batches SET started = 1", ()))
    with pytest.raises(NotApprovedError, match="was not prepared"):
        taken(ledger, unprepared)
    assert ledger.counts("c").count(State.NEW) == COUNT
    assert [line.action for line in ledger.audit_log("b")] == ["prepare", "approve", "confirm"]
    assert ledger.verify_audit_log() == []


def test_who_prepared_it_cannot_approve_it(two_roles: Any) -> None:
    batch = prepared(two_roles)
    with pytest.raises(NotApprovedError, match="cannot approve it"):
        two_roles.approve(batch, ALICE, days=7)
    for stranger in (signer("Mallory"), signer("Bob", "forged")):
        with pytest.raises(NotApprovedError, match="not registered"):
            two_roles.approve(batch, stranger, days=7)
    assert two_roles.approvals(batch).approvers == ()
    assert [line.action for line in two_roles.audit_log("b")] == ["prepare"]


def test_one_role_of_the_database_cannot_be_two_persons(
    postgres_ledger_url: str,
) -> None:
    with PostgresLedger(postgres_ledger_url) as ledger:
        ledger.change_policy(two_eyes)
        batch = prepared(ledger)
        with pytest.raises(NotApprovedError, match="database role that prepared"):
            ledger.approve(batch, BOB, days=7)


def test_two_roles_of_the_database_are_two_persons(postgres_ledger_url: str) -> None:
    import psycopg

    with psycopg.connect(postgres_ledger_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS boss")
        connection.execute("CREATE ROLE boss SUPERUSER LOGIN")
    with PostgresLedger(postgres_ledger_url) as ledger:
        ledger.change_policy(two_eyes)
        batch = prepared(ledger)
        with PostgresLedger(postgres_ledger_url.replace("shop@", "boss@")) as other:
            assert other.approve(batch, BOB, days=7).are_enough
        ledger.start("b")
        assert taken(ledger, batch) == COUNT


def test_an_approval_that_expires_before_the_end_stops_the_run(
    two_roles: Any, clock: Clock
) -> None:
    batch = prepared(two_roles)
    two_roles.approve(batch, BOB, days=1)
    two_roles.start("b")
    assert taken(two_roles, batch, limit=5) == 5
    clock.now += 86_400.0
    with pytest.raises(NotApprovedError, match="has expired"):
        taken(two_roles, batch)
    two_roles.approve(batch, CAROL, days=1)
    assert taken(two_roles, batch) == COUNT - 5


EDITS: dict[str, tuple[str, str]] = {
    "amount": ("UPDATE dgspay_payouts SET amount = 9000 WHERE reference = 'r150'", "are not those"),
    "account": ("UPDATE dgspay_payouts SET account = '1' WHERE reference = 'r150'", "are not"),
    "name": ("UPDATE dgspay_payouts SET name = 'Eve' WHERE reference = 'r150'", "are not those"),
    "removed": ("DELETE FROM dgspay_payouts WHERE reference = 'r150'", "are not those"),
    "digests": ("UPDATE dgspay_payout_prepared SET blocks = '00'", "another rows"),
    "allowed": (
        "INSERT INTO dgspay_payout_allowances SELECT id, 'x', 0 FROM dgspay_payouts LIMIT 1",
        "another allowed",
    ),
    "signature": (
        "UPDATE dgspay_payout_signatures SET document = replace(document, '250000', '250001')",
        "not that of the registered key",
    ),
    "unsigned": ("DELETE FROM dgspay_payout_signatures", "is not approved"),
}


@pytest.mark.parametrize("what", EDITS)
def test_what_was_edited_after_the_approval_is_not_paid(two_roles: Any, what: str) -> None:
    statement, reason = EDITS[what]
    batch = prepared(two_roles)
    two_roles.approve(batch, BOB, days=7)
    two_roles.start("b")
    two_roles.transact(lambda connection: connection.change(statement, ()))
    with pytest.raises(NotApprovedError, match=reason):
        taken(two_roles, batch)
    assert two_roles.counts("b").count(State.IN_DOUBT) == 0


def test_rows_of_untouched_blocks_are_still_those_that_were_approved(two_roles: Any) -> None:
    batch = prepared(two_roles)
    two_roles.approve(batch, BOB, days=7)
    two_roles.start("b")
    two_roles.transact(lambda connection: connection.change(EDITS["amount"][0], ()))
    assert taken(two_roles, batch, limit=100) == 100


def test_an_approval_of_another_ledger_counts_for_nothing(two_roles: Any, tmp_path: Path) -> None:
    batch = prepared(two_roles)
    two_roles.approve(batch, BOB, days=7)
    subject = f"approve {batch.id}"
    (approval,) = two_roles.transact(
        lambda database: database.query(
            "SELECT * FROM dgspay_payout_signatures WHERE subject = ?", (subject,)
        )
    )
    with SqliteLedger(tmp_path / "second.sqlite3", clock=Clock()) as second:
        second.change_policy(two_eyes)
        again = second.load(
            attrs.evolve(batch, prepared_at=None),
            (row._replace(account=str(row.number)) for row in rows(COUNT)),
        )
        second.prepare(again, allowed={}, signer=ALICE)

        def paste(database: Any) -> None:
            database.change(
                "INSERT INTO dgspay_payout_signatures VALUES (?, ?, ?, ?)",
                (f"approve {again.id}", *approval[1:]),
            )

        second.transact(paste)
        with pytest.raises(NotApprovedError, match="another ledger"):
            second.start("b")


def test_a_batch_that_is_read_anew_is_not_approved_any_more(two_roles: Any) -> None:
    batch = prepared(two_roles)
    two_roles.approve(batch, BOB, days=7)
    two_roles.discard("b")
    again = prepared(two_roles)
    with pytest.raises(NotApprovedError, match="is not approved"):
        two_roles.start("b")
    with pytest.raises(BatchChangedError, match="read again"):
        two_roles.approve(batch, BOB, days=7)
    assert again.id != batch.id


def test_no_row_is_allowed_by_name_after_the_approval(two_roles: Any) -> None:
    batch = prepared(two_roles)
    two_roles.approve(batch, BOB, days=7)
    with pytest.raises(NotApprovedError, match="approved without the rows"):
        two_roles.start("b", allowed={3: "why"})
    two_roles.start("b")


def test_little_needs_no_approval_and_many_little_ones_do(two_roles: Any, clock: Clock) -> None:
    ledger = two_roles

    def change(policy: Any) -> Any:
        return attrs.evolve(policy, limit=25_000)

    ledger.change_policy(change, signer=ALICE)
    ledger.sign_policy(BOB)
    first = loaded(ledger, "b", count=10)
    ledger.start("b")
    assert taken(ledger, first) == 10
    loaded(ledger, "c", count=10, start=100)
    ledger.start("c")
    loaded(ledger, "d", count=10, start=200)
    with pytest.raises(NotApprovedError, match="more than 25,000 RWF within 24 hours"):
        ledger.start("d")
    # The same one goes on, and so do others on another day.
    ledger.start("b")
    clock.now += 86_461.0
    ledger.start("d")


def with_limit(ledger: Any, limit: int) -> None:
    ledger.change_policy(lambda policy: attrs.evolve(policy, limit=limit), signer=ALICE)
    ledger.sign_policy(BOB)


def test_what_a_batch_sends_a_day_after_it_began_counts_on_that_day(
    two_roles: Any, clock: Clock
) -> None:
    ledger = two_roles
    with_limit(ledger, 15_000)
    late = loaded(ledger, "late", count=10)
    ledger.start("late")
    assert taken(ledger, late, limit=1) == 1
    clock.now += 86_400.0 * 2
    assert taken(ledger, late) == 9
    loaded(ledger, "next", count=10, start=100)
    with pytest.raises(NotApprovedError, match=r"all batches together \(10,000 RWF of other"):
        ledger.start("next")
    # The other way round it is the late one that stops.
    clock.now += 86_461.0
    other = loaded(ledger, "other", count=10, start=200)
    ledger.start("other")
    clock.now += 86_461.0
    ledger.start("next")
    with pytest.raises(NotApprovedError, match="more than 15,000"):
        taken(ledger, other)


@pytest.mark.parametrize("seconds", [-86_400.0 * 30, 3600.0, 86_399.0])
def test_neither_midnight_nor_a_clock_set_back_makes_the_limit_new(
    two_roles: Any, clock: Clock, seconds: float
) -> None:
    with_limit(two_roles, 15_000)
    first = loaded(two_roles, "one", count=10)
    two_roles.start("one")
    assert taken(two_roles, first) == 10
    clock.now += seconds
    loaded(two_roles, "two", count=10, start=100)
    with pytest.raises(NotApprovedError, match="more than 15,000"):
        two_roles.start("two")


def test_two_machines_that_begin_at_once_do_not_both_spend_the_limit(
    opened: Callable[[], Any], two_roles: Any
) -> None:
    with_limit(two_roles, 15_000)
    names = ["one", "two"]
    for number, name in enumerate(names):
        loaded(two_roles, name, count=10, start=100 * number)
    together, begun = threading.Barrier(2), []

    def begin(name: str) -> None:
        with opened() as machine:
            together.wait()
            try:
                machine.start(name)
            except NotApprovedError:
                return
            begun.append(name)

    threads = [threading.Thread(target=begin, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == 1


def test_one_who_prepares_can_neither_turn_it_off_nor_change_the_keys(two_roles: Any) -> None:
    ledger = two_roles

    def off(policy: Any) -> Any:
        return attrs.evolve(policy, approvals=0)

    with pytest.raises(NotApprovedError, match="asks for the key"):
        ledger.change_policy(off)
    state = ledger.change_policy(off, signer=ALICE)
    assert (state.policy.approvals, state.pending_signers) == (1, ("Alice",))
    assert ledger.sign_policy(ALICE).policy.approvals == 1
    with pytest.raises(NotApprovedError, match="not registered"):
        ledger.sign_policy(signer("Mallory"))
    own = signer("Bob", "made by Alice")
    state = ledger.change_policy(lambda policy: policy.with_key(own.key), signer=ALICE)
    assert state.policy.key(own.key.id) is None
    assert ledger.change_policy(off, signer=ALICE).pending_signers == ("Alice",)
    assert ledger.sign_policy(BOB).policy.approvals == 0
    with pytest.raises(NotApprovedError, match="no change"):
        ledger.sign_policy(BOB)
    assert [line.action for line in ledger.audit_log()] == ["policy"] * 6


POLICY_EDITS = {
    "removed": "DELETE FROM dgspay_payout_policies",
    "edited": "UPDATE dgspay_payout_policies SET document = replace(document, '\"approvals\":1', "
    "'\"approvals\":0')",
}


@pytest.mark.parametrize("what", POLICY_EDITS)
def test_a_policy_edited_by_hand_is_noticed_by_who_has_seen_it(
    opened: Callable[[], Any], what: str
) -> None:
    with opened() as ledger:
        ledger.change_policy(two_eyes)
        loaded(ledger)
        ledger.transact(lambda connection: connection.change(POLICY_EDITS[what], ()))
    with opened() as ledger:
        with pytest.raises(NotApprovedError, match="noted"):
            ledger.start("b")
        assert ledger.policy().broken is not None


def test_an_unsigned_revision_put_in_by_hand_changes_nothing(two_roles: Any) -> None:
    statement = "INSERT INTO dgspay_payout_policies SELECT 2, document FROM dgspay_payout_policies"
    two_roles.transact(lambda connection: connection.change(statement, ()))
    assert two_roles.policy().policy.approvals == 1
    assert two_roles.policy().revision == 1


def test_a_backup_from_before_the_policy_does_not_turn_it_off(tmp_path: Path) -> None:
    place, copy = tmp_path / "ledger.sqlite3", tmp_path / "copy.sqlite3"
    with SqliteLedger(place) as ledger:
        loaded(ledger)
        backup_ledger(ledger, copy)
        ledger.change_policy(two_eyes)
    restore_ledger(place, copy)
    with SqliteLedger(place) as ledger:
        confirm_compared(ledger)
        with pytest.raises(NotApprovedError, match="Set the same policy again"):
            ledger.start("b")
        with pytest.raises(NotApprovedError, match="noted"):
            ledger.change_policy(lambda policy: attrs.evolve(two_eyes(policy), limit=10**9))
            ledger.start("b")
    with sqlite3.connect(place) as connection:
        connection.execute("DELETE FROM dgspay_payout_policies")
    connection.close()
    with SqliteLedger(place) as ledger:
        ledger.change_policy(two_eyes)
        with pytest.raises(NotApprovedError, match="was not prepared"):
            ledger.start("b")


def test_without_a_policy_nothing_changes(ledger: Any) -> None:
    batch = ledger.prepare(loaded(ledger), allowed={2: "why"})
    assert ledger.approvals(batch).are_enough
    ledger.start("b", allowed={3: "why"})
    assert taken(ledger, batch) == COUNT


def test_a_role_with_the_rights_the_guide_names_prepares_and_pays_and_no_more(
    postgres_ledger_url: str,
) -> None:
    import psycopg

    guide = Path(__file__).parents[3] / "docs" / "how-to" / "approval.md"
    if not guide.exists():
        pytest.skip("docs/ is not part of this copy")
    rights = guide.read_text(encoding="utf-8").partition("```sql\n")[2].partition("```")[0]
    with PostgresLedger(postgres_ledger_url) as ledger:
        ledger.change_policy(two_eyes)
        with psycopg.connect(postgres_ledger_url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY alice" if _is_role(connection) else "SELECT 1")
            connection.execute("DROP ROLE IF EXISTS alice")
            connection.execute("CREATE ROLE alice LOGIN")
            connection.execute(rights.encode())
        with PostgresLedger(postgres_ledger_url.replace("shop@", "alice@")) as hers:
            batch = prepared(hers)
            ledger.approve(batch, BOB, days=7)
            hers.start("b")
            assert taken(hers, batch) == COUNT
            for table in ("policies", "audit_log"):
                statement = f"DELETE FROM dgspay_payout_{table}"
                with pytest.raises(LedgerError, match="InsufficientPrivilege"):
                    hers.transact(partial(_changed, statement))


def _changed(statement: str, database: Any) -> None:
    database.change(statement, ())


def _is_role(connection: Any) -> bool:
    return bool(connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'alice'").fetchone())

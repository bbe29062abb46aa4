"""The chain of the audit log: which line was changed, removed or added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest

from dgspay.payouts import AuditLine, FaultKind
from dgspay.payouts.model.audit_log import Action, LogHead, faults_of, genesis, new_line

pytestmark = pytest.mark.acceptance(108, "log-tampered")

COUNT = 8
Tampering = Callable[[list[AuditLine]], list[AuditLine]]


def written(count: int = COUNT) -> list[AuditLine]:
    lines: list[AuditLine] = []
    head = genesis("ledger")
    for _ in range(count):
        line = new_line(
            head,
            now=1_796_000_000.125,
            action=Action.CONFIRM,
            batch="b",
            role=None,
            reason="why",
            facts={"count": 3, "nothing": None},
        )
        lines.append(line)
        head = LogHead(line.number, line.hash)
    return lines


def noted(lines: Sequence[AuditLine]) -> dict[int, str]:
    return {line.number: LogHead(line.number, line.hash).noted for line in lines}


def renumbered(lines: Sequence[AuditLine]) -> list[AuditLine]:
    return [attrs.evolve(line, number=number) for number, line in enumerate(lines, 1)]


def rewritten(lines: Sequence[AuditLine]) -> list[AuditLine]:
    """The whole chain made anew, as one can who knows how it is made."""
    again: list[AuditLine] = []
    head = genesis("ledger")
    for line in lines:
        fresh = attrs.evolve(line, number=head.number + 1, previous=head.hash).hashed()
        again.append(fresh)
        head = LogHead(fresh.number, fresh.hash)
    return again


def with_line(lines: Sequence[AuditLine], number: int, **changes: Any) -> list[AuditLine]:
    return [attrs.evolve(line, **changes) if line.number == number else line for line in lines]


def inserted(lines: list[AuditLine], after: int) -> list[AuditLine]:
    forged = attrs.evolve(lines[after], number=after + 1, user="mallory", hash="").hashed()
    return renumbered([*lines[:after], forged, *lines[after:]])


CASES: dict[str, tuple[Tampering, int, FaultKind]] = {
    "a word changed": (lambda lines: with_line(lines, 3, reason="so"), 3, FaultKind.CHANGED),
    "the user changed": (lambda lines: with_line(lines, 1, user="eve"), 1, FaultKind.CHANGED),
    "changed with its own hash": (
        lambda lines: [
            attrs.evolve(line, batch="c").hashed() if line.number == 4 else line for line in lines
        ],
        4,
        FaultKind.CHANGED,
    ),
    "removed": (lambda lines: [*lines[:4], *lines[5:]], 5, FaultKind.REMOVED),
    "the first removed": (lambda lines: lines[1:], 1, FaultKind.REMOVED),
    "the last removed": (lambda lines: lines[:-1], COUNT, FaultKind.REMOVED),
    "all removed": (lambda lines: [], 1, FaultKind.REMOVED),
    "removed, and the others numbered anew": (
        lambda lines: renumbered([*lines[:2], *lines[4:]]),
        3,
        FaultKind.REMOVED,
    ),
    "added, and the others numbered anew": (lambda lines: inserted(lines, 5), 6, FaultKind.ADDED),
    "added at the end": (
        lambda lines: rewritten([*lines, attrs.evolve(lines[-1], user="mallory")]),
        COUNT + 1,
        FaultKind.ADDED,
    ),
    "changed, and all after it written anew": (
        lambda lines: rewritten(with_line(lines, 6, user="mallory")),
        6,
        FaultKind.CHANGED,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_line_that_was_tampered_with_is_named(case: str) -> None:
    tamper, number, kind = CASES[case]
    lines = written()
    found = [*faults_of(tamper(lines), "ledger", noted(lines), noted_all=True)]
    assert [(fault.number, fault.kind) for fault in found] == [(number, kind)]
    assert str(number) in found[0].message


def test_a_log_as_it_was_written_has_no_fault() -> None:
    lines = written()
    assert [*faults_of(lines, "ledger", noted(lines[3:]), noted_all=True)] == []
    assert [*faults_of(lines, "ledger", {}, noted_all=True)] == []
    assert [*faults_of([], "ledger", {}, noted_all=True)] == []
    # What other machines have written since is not noted here.
    assert [*faults_of(lines, "ledger", noted(lines[:5]), noted_all=False)] == []


def test_several_faults_are_all_named() -> None:
    lines = with_line(written(), 2, reason="so")
    del lines[4]
    found = [*faults_of(lines, "ledger", {}, noted_all=True)]
    assert [(fault.number, fault.kind) for fault in found] == [
        (2, FaultKind.CHANGED),
        (5, FaultKind.REMOVED),
    ]


def test_the_log_of_another_ledger_is_none_of_this_one() -> None:
    (fault,) = faults_of(written(3), "another", {}, noted_all=True)
    assert fault.number == 1


def test_a_line_says_who_what_and_when() -> None:
    (line,) = written(1)
    assert line.at == "2026-11-30T00:53:20.125Z"
    assert line.what == "count 3"
    assert line.who == f"{line.user}@{line.host}"
    assert attrs.evolve(line, role="payroll").who.endswith(" (role payroll)")
    assert attrs.evolve(line, facts="{").what == "{"


def test_a_reason_that_could_steer_a_terminal_is_made_harmless() -> None:
    line = new_line(
        genesis("l"),
        now=0.0,
        action=Action.PAUSE,
        batch=None,
        role=None,
        reason="\x1b[2J\ud800",
        facts={},
    )
    assert line.reason == "\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}"

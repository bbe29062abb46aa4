"""Words for a clerk: no term of a program is left in what a person reads."""

from __future__ import annotations

import pytest

from dgspay.payouts import AuditLine, State
from dgspay.payouts.model.audit_log import Action
from dgspay.payouts.report.words import STATES, action_words, facts_words, reason_words


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (None, ""),
        ("Invalid account details", "Invalid account details"),
        ("a person says so: seen in the portal", "seen in the portal"),
        ("cancelled by a person: left the company", "left the company"),
        (
            'DGS-Pay refused with code 90 ("no such bank"). It was not carried out: nothing moved.',
            "DGS-Pay refused it: no such bank (code 90)",
        ),
    ],
)
def test_a_reason_says_what_happened_without_advice_to_programmers(
    reason: str | None, words: str
) -> None:
    assert reason_words(reason) == words


def test_every_state_and_every_action_has_words() -> None:
    assert STATES.keys() == set(State)
    for action in Action:
        assert action_words(line(action, "{}")) != action.value


def line(action: str, facts: str) -> AuditLine:
    return AuditLine(
        number=1,
        at="2026-11-27T14:00:00.000Z",
        action=action,
        batch="b",
        user="u",
        host="h",
        role=None,
        reason=None,
        facts=facts,
        previous="",
    )


def test_the_facts_of_a_line_are_sums_and_states() -> None:
    confirmed = (
        '{"digest": "8ae0f04a60d3e9bacf62", "count": 420, "total": 62367963, "account": "A", '
        '"environment": "production"}'
    )
    assert facts_words(line("confirm", confirmed)) == (
        "420 payouts, 62,367,963 RWF, fingerprint 8ae0f04a60d3e9ba"
    )
    resolved = '{"row": "S-1", "amount": 85313, "from": "held", "to": "confirmed"}'
    assert facts_words(line("resolve", resolved)) == (
        "row S-1, amount 85,313 RWF, from not known, to paid"
    )
    # What a later dgspay writes is shown as it is.
    assert action_words(line("dance", "")) == "dance"
    assert facts_words(line("dance", "no JSON")) == "no JSON"

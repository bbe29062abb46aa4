"""Words of a report: what a clerk reads in place of a program's terms."""

from __future__ import annotations

import json
import re

from dgspay.payouts.model.audit_log import Action, AuditLine
from dgspay.payouts.model.payout import State

STATES = {
    State.NEW: "not sent",
    State.IN_DOUBT: "not known yet",
    State.ACCEPTED: "on its way",
    State.FAILED: "failed",
    State.CONFIRMED: "paid",
    State.HELD: "not known",
    State.BLOCKED: "not sent: looks paid",
    State.CANCELLED: "cancelled",
}
"""What each state is called."""

_STATES_BY_NAME = {state.value: words for state, words in STATES.items()}
_ACTIONS: dict[str, str] = {
    Action.UPGRADE: "record upgraded",
    Action.POLICY: "rules for approval changed",
    Action.PREPARE: "prepared",
    Action.APPROVE: "approved",
    Action.CONFIRM: "confirmed: to be paid",
    Action.RESUME: "payment went on",
    Action.PAUSE: "payment stopped",
    Action.CANCEL: "payout cancelled",
    Action.REINSTATE: "payout no longer cancelled",
    Action.CLOSE: "closed",
    Action.RESOLVE: "payout settled by hand",
    Action.WITHDRAW: "settlement by hand taken back",
    Action.BACKUP: "record copied",
    Action.RESTORE: "record restored from a copy",
    Action.HOLD: "record held",
    Action.COMPARE: "record compared with DGS-Pay",
    Action.PERMIT: "paid again by a standing permission",
}
_REFUSED = re.compile(r'DGS-Pay refused with code (\S+) \("(.*)"\)', re.DOTALL)
# What follows is advice to who writes a program.
_ADVICE = (" It was not carried out:", " This request was not carried out,")
_OF_A_PERSON = re.compile(r"a person says so: |cancelled by a person: |by a person: ")


def action_words(line: AuditLine) -> str:
    """Say what a line of the audit log is about; an action of a later dgspay keeps its name."""
    return _ACTIONS.get(line.action, line.action)


def facts_words(line: AuditLine) -> str:
    """Say what belongs to a line: its payouts and their sum, without what only programs compare."""
    try:
        facts = json.loads(line.facts)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        return line.facts
    digest, count, total = (facts.pop(name, None) for name in ("digest", "count", "total"))
    for name in ("account", "environment"):
        facts.pop(name, None)
    said = []
    if isinstance(count, int) and isinstance(total, int):
        said.append(f"{payouts(count)}, {total:,} RWF")
    if isinstance(digest, str):
        said.append(f"fingerprint {digest[:16]}")
    said += [f"{name} {_value(name, value)}" for name, value in facts.items()]
    return ", ".join(said)


def _value(name: str, value: object) -> str:
    if name == "amount" and isinstance(value, int):
        return f"{value:,} RWF"
    return _STATES_BY_NAME.get(str(value), str(value))


def reason_words(reason: str | None) -> str:
    """Say why a payout failed, is not known, or was settled, as it concerns a clerk."""
    said = reason or ""
    for advice in _ADVICE:
        said = said.partition(advice)[0]
    if refused := _REFUSED.match(said):
        said = f"DGS-Pay refused it: {refused[2]} (code {refused[1]})"
    return _OF_A_PERSON.sub("", said, count=1)


def payouts(count: int) -> str:
    """Return a count with its noun."""
    return f"{count:,} payout{'' if count == 1 else 's'}"

"""Mobile-money charges, and the phone numbers that decide how they end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from dgspay.emulator.api import schema
from dgspay.emulator.api.call import Call
from dgspay.emulator.domain.account import Account
from dgspay.emulator.domain.records import Decline, Payment
from dgspay.emulator.domain.settlement import settle_payment
from dgspay.emulator.http import invalid
from dgspay.models.phones import NETWORKS

LOCAL_PHONE: Final = r"7[2389][0-9]{7}"

NETWORK: Final = schema.choice("mobile_money_network", NETWORKS, "MTN")
PHONE: Final = schema.matching("mobile_money_phone", LOCAL_PHONE, "789654321")
SCENARIO: Final = schema.scenario("mobile_money")
FIELDS: Final = (NETWORK, PHONE, SCENARIO)


@attrs.frozen
class PhoneBehaviour:
    """Behaviour of a payer's handset.

    Attributes:
        decline: Why the payment fails; None when it succeeds.
        at_once: Whether it ends before the charge is answered.
        answers: Whether it ends by itself at all.
    """

    decline: Decline | None = None
    at_once: bool = False
    answers: bool = True


# Behaviour by the last seven digits, on either network: 789000001, 729000001.
MAGIC_PHONES: Final[Mapping[str, PhoneBehaviour]] = {
    "9000001": PhoneBehaviour(Decline("Insufficient funds"), at_once=True),
    "9000002": PhoneBehaviour(Decline("Insufficient funds")),
    "9000003": PhoneBehaviour(Decline("Customer rejected the request")),
    "9000004": PhoneBehaviour(answers=False),
}
_ORDINARY = PhoneBehaviour()
_APPROVED_AT_ONCE = PhoneBehaviour(at_once=True)
_WAITS_FOR_REDIRECT = PhoneBehaviour(answers=False)


def charge(call: Call, payment: Payment) -> None:
    """Ask the payer's handset (guide, "Initiate a Mobile Money Payment")."""
    behaviour = read(call, payment)
    call.account.add_payment(payment)
    start(call.account, payment, behaviour)


def read(call: Call, payment: Payment) -> PhoneBehaviour:
    """Read which handset pays, and return its behaviour."""
    if payment.currency != "RWF":
        raise invalid("currency must be RWF for mobile money")
    payment.network = call.fields[NETWORK]
    payment.phone = call.fields[PHONE]
    behaviour = _behaviour(call, payment.phone)
    payment.verdict = behaviour.decline
    return behaviour


def start(account: Account, payment: Payment, behaviour: PhoneBehaviour) -> None:
    """Send the push to the handset."""
    if behaviour.at_once:
        settle_payment(account, payment)
    elif behaviour.answers:
        account.settle_later(payment.dgs_reference)


def _behaviour(call: Call, phone: str) -> PhoneBehaviour:
    """Return the behaviour by the scenario, or without one by the phone number."""
    scenario = call.fields[SCENARIO]
    if scenario is None:
        return MAGIC_PHONES.get(phone[2:], _ORDINARY)
    return _APPROVED_AT_ONCE if scenario.scenario == "auth_pin" else _WAITS_FOR_REDIRECT

"""The claim: `verify` costs at most 3 times an HMAC and a `json.loads` of the same body.

What is compared is the time each subject keeps within in the quietest tenth of its rounds, which
other work on the machine moves least; the spread is that of the ratios within a round.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import importlib.util
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.report import Claim, Section, table
from benchmarks.rounds import Spread, Subject, ratios, seconds_per_call
from dgspay.webhooks import sign, verify

CALLS = 100
LIMIT = 3.0
SECRET = "whsec_benchmark_0123456789abcdef"
BODY = json.dumps(
    {
        "event": "payment.success",
        "dgs_reference": "dgs_123456789",
        "flw_charge_id": "flw_987654321",
        "amount": 5000,
        "currency": "RWF",
        "merchant_fee": 150,
        "net_amount": 4850,
        "status": "success",
        "timestamp": "2026-04-02T10:30:00Z",
        "environment": "production",
    }
).encode()


def floor() -> Subject:
    """What the guide's own Flask example does, and no more."""
    signature, key = sign(BODY, SECRET), SECRET.encode()

    def call() -> Any:
        expected = hmac.new(key, BODY, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, signature):
            raise AssertionError
        return json.loads(BODY)

    return call


def dgspay_verify() -> Subject:
    signature = sign(BODY, SECRET)
    return lambda: verify(BODY, signature, SECRET, environment="production")


def stripe_construct_event() -> Subject:
    import stripe  # noqa: PLC0415 - only this subject needs it

    moment = int(time.time())
    signed = f"{moment}.{BODY.decode()}".encode()
    v1 = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    header = f"t={moment},v1={v1}"
    # An hour's tolerance, for a run on a slow machine; the work is the same.
    construct: Any = stripe.Webhook.construct_event
    return lambda: construct(BODY, header, SECRET, tolerance=3600)


def standardwebhooks_verify() -> Subject:
    from standardwebhooks import Webhook  # noqa: PLC0415 - only this subject needs it

    webhook = Webhook(base64.b64encode(SECRET.encode()).decode())
    moment = dt.datetime.now(dt.UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": webhook.sign("msg_1", moment, BODY.decode()),
    }
    return lambda: webhook.verify(BODY, headers)


SUBJECTS: dict[str, tuple[Callable[[], Subject], str]] = {
    "floor": (floor, "HMAC and `json.loads`: a dict"),
    "dgspay": (dgspay_verify, "a typed event, amounts exact, duplicate keys refused"),
    "stripe": (stripe_construct_event, "a StripeObject; also checks a timestamp"),
    "standardwebhooks": (standardwebhooks_verify, "a dict; also checks a timestamp"),
}


def section(*, quick: bool) -> Section:
    """Run it; some seconds."""
    there = {
        name: build
        for name, (build, _) in SUBJECTS.items()
        if name in ("floor", "dgspay") or importlib.util.find_spec(name)
    }
    times = seconds_per_call(there, rounds=40 if quick else 400, calls=CALLS)
    quiet = {name: statistics.quantiles(spent, n=10)[0] for name, spent in times.items()}
    within = {name: Spread.of(ratios(spent, times["floor"])) for name, spent in times.items()}

    def row(name: str) -> tuple[str, ...]:
        return (
            name,
            f"{quiet[name] * 1e6:.1f}",
            f"{quiet[name] / quiet['floor']:.2f}",
            within[name].show(),
            SUBJECTS[name][1],
        )

    head = ("verify and read", "µs, quietest tenth", "of the floor", "within a round", "gives")
    seen = Spread(quiet["dgspay"] / quiet["floor"], within["dgspay"].low, within["dgspay"].high)
    claim = Claim(
        text="`webhooks.verify`: time of an HMAC and `json.loads`", seen=seen, target=LIMIT
    )
    return Section(
        name="webhooks",
        title="Verifying and reading a webhook",
        claims=[claim],
        text=table(head, map(row, times))
        + f"\n\nA body of {len(BODY)} bytes, turns of {CALLS} calls.",
        peers=("stripe", "standardwebhooks"),
    )

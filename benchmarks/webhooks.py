"""The claim: `verify` costs at most 3 times an HMAC and a `json.loads` of the same body.

Run it with the peers installed: `pip install stripe standardwebhooks`, then

    python benchmarks/webhooks.py [--write benchmarks/webhooks.md]

All subjects take turns in every round, so that a slow moment of the machine hits all of
them. What is compared is the time a subject keeps within in the quietest tenth of its rounds,
which other work on the machine moves least; the spread is that of the ratios within a round.
"""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import gc
import hashlib
import hmac
import importlib.metadata
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dgspay.webhooks import sign, verify

ROUNDS = 400
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

Subject = Callable[[], Any]


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


def seconds_per_call(call: Subject) -> float:
    started = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - started) / CALLS


def measure() -> dict[str, list[float]]:
    calls = {name: build() for name, (build, _) in SUBJECTS.items()}
    for call in calls.values():
        for _ in range(CALLS):
            call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    gc.disable()
    names = list(calls)
    for turn in range(ROUNDS):
        # Another one starts each round, so that no subject always runs after the same one.
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            times[name].append(seconds_per_call(calls[name]))
        gc.collect()
    gc.enable()
    return times


def version(name: str) -> str:
    return "" if name == "floor" else f" {importlib.metadata.version(name)}"


def report(times: dict[str, list[float]]) -> tuple[str, float]:
    """The table, and the ratio of dgspay to the floor."""
    lines = [
        "| what | µs, quietest tenth | ratio to the floor | 5 % to 95 % of rounds | gives |",
        "|---|---|---|---|---|",
    ]
    quiet = {name: statistics.quantiles(spent, n=10)[0] for name, spent in times.items()}
    for name, spent in times.items():
        within = [own / base for own, base in zip(spent, times["floor"], strict=True)]
        cuts = statistics.quantiles(within, n=20)
        lines.append(
            f"| {name}{version(name)} | {quiet[name] * 1e6:.1f} "
            f"| {quiet[name] / quiet['floor']:.2f} | {cuts[0]:.2f} to {cuts[-1]:.2f} "
            f"| {SUBJECTS[name][1]} |"
        )
    return "\n".join(lines), quiet["dgspay"] / quiet["floor"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", type=Path, help="also write the result to this file")
    chosen = parser.parse_args()
    table, ratio = report(measure())
    verdict = f"dgspay: {ratio:.2f} times the floor; the claim is at most {LIMIT:.0f}."
    text = (
        "# Verifying and reading a webhook\n\n"
        "`python benchmarks/webhooks.py --write benchmarks/webhooks.md` "
        f"(CPython {platform.python_version()}, {platform.machine()}, {ROUNDS} rounds of "
        f"{CALLS} calls each, a body of {len(BODY)} bytes)\n\n"
        f"{table}\n\n{verdict}\n"
    )
    print(text)
    if chosen.write is not None:
        chosen.write.write_text(text, encoding="utf-8")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())

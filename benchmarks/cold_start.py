"""The claims about a cold start: a fresh process, from its first import to its first answer.

A script in cron, a worker that is started for each job and a function in the cloud pay for it
every time. What counts is CPU as the system has charged it to the process (`wait4`), and the
instructions it takes, where valgrind is there: they are the same on a crowded machine.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator

from benchmarks import canned
from benchmarks.children import ROOT
from benchmarks.contestants import CHARGE, CREDENTIALS, INTENT
from benchmarks.instructions import counted, is_possible
from benchmarks.report import Claim, Section, table
from benchmarks.rounds import Spread, ratios, take_turns

PEERS = ("httpx", "stripe", "attrs", "cattrs", "httpcore")
TARGETS = {"httpx": 0.85, "stripe": 0.7}

# Each as its documentation shows it. `URL` is the server.
SCRIPTS = {
    "dgspay": f"""\
from dgspay import Customer, DGSPay
with DGSPay(
    api_key="sk_test_benchmark",
    account_number="ACC-0001234",
    environment="emulator",
    base_url="URL{canned.PREFIX}",
) as dgs:
    dgs.charges.mobile_money(
        amount=2000,
        network="MTN",
        phone="789654321",
        customer=Customer(
            email="jane.doe@example.com", first_name="Jane", last_name="Doe", phone="789654321"
        ),
        redirect_url="https://yourdomain.com/payment-success",
        narration="Payment for Invoice #5678",
    )
""",
    "httpx": f"""\
import uuid
import httpx
with httpx.Client(headers={CREDENTIALS}) as client:
    client.post(
        "URL{canned.PREFIX}/charges",
        json={CHARGE},
        headers={{"Idempotency-Key": uuid.uuid4().hex}},
    ).json()
""",
    "stripe": f"""\
import stripe
client = stripe.StripeClient("sk_test_benchmark", base_addresses={{"api": "URL"}})
client.v1.payment_intents.create(params={INTENT})
""",
    "an empty script": "",
}


def _command(name: str, url: str) -> list[str]:
    return [sys.executable, "-c", SCRIPTS[name].replace("URL", url)]


def _environment() -> dict[str, str]:
    """Return one in which compiled modules are kept, as in a program that is installed."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def cpu_seconds(name: str, url: str) -> float:
    """Return the CPU a fresh process of a contestant takes, in seconds."""
    with subprocess.Popen(_command(name, url), cwd=ROOT, env=_environment()) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{name} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime


def section(*, quick: bool) -> Section:
    """Run it; about a minute, or ten seconds if quick."""
    names = [name for name in SCRIPTS if name not in PEERS or importlib.util.find_spec(name)]
    peers = [name for name in names if name in TARGETS]
    with canned.running() as server:
        for name in names:
            cpu_seconds(name, server.url)  # fills the caches of compiled modules and of the disk
        times = take_turns(names, 3 if quick else 25, lambda name: cpu_seconds(name, server.url))
        counts = {
            name: counted(_command(name, server.url), _environment())
            for name in names
            if is_possible()
        }

    def rows() -> Iterator[tuple[str, ...]]:
        for name in names:
            against = Spread.of(ratios(times["dgspay"], times[name])).show()
            count = counts.get(name)
            of = f"{counts['dgspay'] / count:.3f}" if count else ""
            shown = f"{count / 1e6:,.1f}" if count else "not counted"
            yield name, Spread.of(times[name]).times(1000).show(1), against, shown, of

    def claims() -> Iterator[Claim]:
        for peer in peers:
            text = f"import, blocking client, first answer: {{}} of {peer}"
            seen = Spread.of(ratios(times["dgspay"], times[peer]))
            yield Claim(text=text.format("CPU"), seen=seen, target=TARGETS[peer])
            if counts:
                seen = Spread.of([counts["dgspay"] / counts[peer]])
                yield Claim(text=text.format("instructions"), seen=seen, target=TARGETS[peer])

    head = ("fresh process", "CPU, ms", "dgspay against it", "million instructions", "against it")
    scripts = "\n".join(f"```python\n{SCRIPTS[name]}```\n" for name in names if SCRIPTS[name])
    return Section(
        name="cold-start",
        title="Cold start",
        claims=[*claims()],
        text=f"{table(head, rows())}\n\nThe scripts, where `URL` is the server:\n\n{scripts}",
        peers=PEERS,
    )

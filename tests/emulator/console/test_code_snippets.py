"""Code the console offers to copy runs as it stands, and nothing injected runs with it."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from dgspay.emulator import Emulator, Served
from dgspay.models.json_codec import dump_json
from tests.emulator.emulator_calls import (
    CONVERT,
    LINK,
    MOBILE_MONEY,
    TO_BANK,
    TO_HANDSET,
    card_charge,
    credentials,
)

INJECTED = "x=1); __import__('os')._exit(3); print(a"
QUOTES = """it's "quoted", $HOME `id` \\ %s ! é\n{'a'}"""


@pytest.fixture
def served(emulator: Emulator) -> Iterator[Served]:
    with emulator.serve() as listening:
        yield listening


@pytest.fixture
def over_socket(emulator: Emulator, served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, headers=credentials(emulator), timeout=60) as client:
        yield client


@pytest.fixture
def environment(emulator: Emulator, served: Served) -> dict[str, str]:
    """What the console's Overview has a newcomer paste into the shell."""
    return {
        **os.environ,
        "DGSPAY_ENVIRONMENT": "emulator",
        "DGSPAY_BASE_URL": served.url,
        "DGSPAY_API_KEY": emulator.api_key,
        "DGSPAY_ACCOUNT_NUMBER": emulator.account_number,
    }


def copied(served: Served, number: int) -> dict[str, Any]:
    """What the console shows of a request."""
    shown: dict[str, Any] = httpx.get(
        f"{served.origin}/_emulator/requests/{number}", timeout=60
    ).json()
    return shown


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_copied_curl_command_sends_the_same_request_from_a_real_shell(
    over_socket: httpx.Client,
    emulator: Emulator,
    served: Served,
    environment: dict[str, str],
) -> None:
    charge = {**MOBILE_MONEY, "narration": QUOTES, "customer_last_name": "O'Brien"}
    key = {"Idempotency-Key": "it's $HOME `id`"}
    over_socket.post("/charges", content=dump_json(charge), headers=key)
    amount = b'{"amount": 123456789012345.67, "currency": "USD", "amount_type": "fixed", '
    over_socket.post(
        "/payment-links", content=amount + b'"title": "94.50", "metadata": {"n": 1.10}}'
    )
    over_socket.get("/transactions?status=success&dgs_reference=%27;id;%27")
    for target in ("/transactions?dgs_reference={a,b}[1-3]", "/transactions/%2e%2e"):
        # Sent as written: httpx would encode it.
        run = ["curl", "-s", "-g", "--path-as-is", served.url + target]
        heads = [part for pair in credentials(emulator).items() for part in ("-H", ": ".join(pair))]
        subprocess.run([*run, *heads], check=True, capture_output=True, timeout=60)
    originals = emulator.requests
    assert len(originals) == 5
    for original in originals:
        command = copied(served, original.id)["curl"]
        subprocess.run(
            ["/bin/sh", "-c", command], env=environment, check=True, capture_output=True, timeout=60
        )
        again = emulator.requests[-1]
        assert again.id == len(emulator.requests)
        for name in ("method", "path", "query", "body", "status"):
            assert getattr(again, name) == getattr(original, name), command
        assert again.headers.get("idempotency-key") == original.headers.get("idempotency-key")
    assert len(emulator.requests) == 10
    assert str(emulator.links[1].terms["amount"]) == "123456789012345.67"


def test_a_copied_program_runs_as_it_stands(
    over_socket: httpx.Client, emulator: Emulator, served: Served, environment: dict[str, str]
) -> None:
    """Nothing has to be added: neither an import nor a client."""
    over_socket.post("/charges", json={**MOBILE_MONEY, "narration": QUOTES})
    over_socket.post("/disburse", json=TO_BANK)
    over_socket.post("/disburse", json=TO_HANDSET)
    over_socket.post("/convert", json={**CONVERT, "from_amount": 94.5})
    metadata = {"rate": 1.5, "tags": ["it's", None, True]}
    over_socket.post("/payment-links", json={**LINK, "metadata": metadata})
    over_socket.get("/transactions?status=pending&page=01&limit=5")
    over_socket.get("/balance")
    originals = emulator.requests
    programs = [copied(served, original.id)["program"] for original in originals]
    # One interpreter runs them all: each would start one of its own.
    script = "\n".join(f"exec({program!r}, {{}})" for program in programs)
    subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        check=True,
        capture_output=True,
        timeout=120,
    )
    again = [r for r in emulator.requests[len(originals) :] if r.query.find("page=2") < 0]
    assert [(r.method, r.path, r.body) for r in again] == [
        (r.method, r.path, r.body) for r in originals
    ]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/payment-links", {**LINK, INJECTED: 1}),
        ("POST", "/disburse", {**TO_BANK, "recipient": {**TO_BANK["recipient"], INJECTED: "x"}}),
        ("POST", "/convert", {**CONVERT, "action": "convert(); import os #"}),
        ("POST", "/authorize", {"dgs_reference": "dgs_1", "auth_type": INJECTED}),
        ("GET", f"/transactions?{INJECTED.replace(' ', '%20').replace('=', '%3D')}=1", None),
        ("GET", "/transactions?page=%C2%B2", None),
    ],
    ids=["link", "recipient", "action", "auth_type", "query", "page"],
)
def test_what_a_sender_names_never_becomes_a_program(
    over_socket: httpx.Client, served: Served, method: str, path: str, body: Any
) -> None:
    """Names of fields come from outside just as values do."""
    over_socket.request(method, path, json=body)
    program = copied(served, 1)["program"]
    if program is not None:
        names = {node.id for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Name)}
        assert names <= {"DGSPay", "dgs", "one", "print"}


def test_a_card_has_to_be_brought(
    over_socket: httpx.Client, emulator: Emulator, served: Served
) -> None:
    over_socket.post("/charges", json=card_charge(emulator))
    program = copied(served, 1)["program"]
    assert "\ncard = ...  # the EncryptedCard from the payer's browser\n" in program
    ast.parse(program)

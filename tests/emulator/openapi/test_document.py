"""The served OpenAPI description: complete, made from the code, and nothing found against it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from dgspay.emulator.api.call import Route
from dgspay.emulator.api.fields import Field, Fields, Form
from dgspay.emulator.openapi import describe
from dgspay.emulator.routes import API_OPERATIONS, ROUTES
from tests.emulator.emulator_calls import (
    CONVERT,
    LINK,
    MOBILE_MONEY,
    PATIENCE,
    TO_BANK,
    TO_HANDSET,
    card_charge,
    credentials,
    pin_authorization,
)

FULL = os.environ.get("DGSPAY_TEST_FULL") == "1"
DOCUMENT: Any = describe("http://127.0.0.1")


def body_schemas(method: str, path: str) -> list[Any]:
    schema = DOCUMENT["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
    found: list[Any] = schema.get("anyOf", [schema])
    return found


def test_it_is_served_and_names_where_it_is_served(emulator: Emulator) -> None:
    with (
        emulator.serve() as served,
        httpx.Client(base_url=served.origin, trust_env=False, timeout=PATIENCE) as http,
    ):
        document = http.get("/openapi.json").json()
        assert document["openapi"] == "3.1.0"
        assert document["servers"] == [{"url": served.url}]
        assert http.get("/openapi.json", headers={"Host": "evil.example"}).status_code == 403
        for page in ("/", "/_emulator/fidelity"):
            assert 'href="/openapi.json"' in http.get(page).text


def test_every_operation_is_described() -> None:
    described = {
        f"{method.upper()} {path}" for path, item in DOCUMENT["paths"].items() for method in item
    }
    assert described == set(API_OPERATIONS)
    for item in DOCUMENT["paths"].values():
        for operation in item.values():
            assert operation["summary"].endswith(".")


@pytest.mark.parametrize(
    ("operation", "bodies"),
    [
        (("post", "/charges"), [MOBILE_MONEY, card_charge(Emulator())]),
        (("post", "/disburse"), [TO_BANK, TO_HANDSET]),
        (("post", "/payment-links"), [LINK]),
        (("post", "/convert"), [CONVERT]),
        (("post", "/authorize"), [pin_authorization(Emulator(), "dgs_123456789")]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_the_guides_fields_are_described(
    operation: tuple[str, str], bodies: list[dict[str, Any]]
) -> None:
    schemas = body_schemas(*operation)
    for body in bodies:
        fitting = [s for s in schemas if set(s["required"]) <= set(body) <= set(s["properties"])]
        assert fitting, body
    if operation == ("post", "/disburse"):
        recipients = [schema["properties"]["recipient"]["required"] for schema in schemas]
        assert recipients == [["bank_key", "account_number"], ["msisdn", "network", "country"]]


@pytest.mark.parametrize(
    ("route", "form"),
    [(route, form) for route in ROUTES for form in route.forms],
    ids=lambda value: value.operation if isinstance(value, Route) else value.name,
)
def test_a_handler_reads_the_fields_its_form_declares_and_no_others(
    route: Route,
    form: Form,
    emulator: Emulator,
    client: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, body = route.operation.partition(" ")[2], sendable(form, emulator, client)
    if "{id}" in path:
        link = client.post("/payment-links", json=LINK).json()["link"]["id"]
        path = path.replace("{id}", link)
    read: set[str] = set()
    take = Fields.__getitem__

    def noted(fields: Fields, field: Field[Any]) -> Any:
        read.add(field.name)
        return take(fields, field)

    monkeypatch.setattr(Fields, "__getitem__", noted)
    answer = client.request(route.method, path, json=body)
    assert answer.status_code == 200, answer.text
    declared = {field.name for field in form.fields}
    recipient = form.schema()["properties"].get("recipient", {"properties": {}})
    assert read == declared | set(recipient["properties"])


def sendable(form: Form, emulator: Emulator, client: httpx.Client) -> dict[str, Any]:
    """The example of a form, with real ciphertexts and a payment to authorize."""
    body = dict(form.example)
    scenarios = {"pin": "auth_pin", "otp": "auth_3ds", "avs": "auth_avs"}
    if form.name in scenarios:
        scenario = f"scenario:{scenarios[form.name]}"
        charge = client.post("/charges", json=card_charge(emulator, scenario_key=scenario)).json()
        body["dgs_reference"] = charge["dgs_reference"]
    real = {**card_charge(emulator), **pin_authorization(emulator, "")}
    return {name: real[name] if "encrypted" in name else value for name, value in body.items()}


def test_no_ciphertext_is_shown() -> None:
    text = json.dumps(DOCUMENT)
    assert "<card_encrypted_number>" in text
    assert "4242424242424242" not in text


def test_a_path_with_another_method_says_which_it_has(client: httpx.Client) -> None:
    answer = client.put("/payment-links/x", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, PATCH, DELETE")
    assert answer.json()["error_code"] == "90"
    assert client.get("/charges").headers["allow"] == "POST"


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    """Valid and invalid requests of all kinds, against the emulator on a real socket."""
    program = shutil.which("schemathesis")
    if program is None:
        pytest.skip("schemathesis is not installed")
    how_much = ["--phases=examples,coverage,fuzzing,stateful", "--max-examples=40"]
    if not FULL:
        how_much = ["--phases=fuzzing", "--max-examples=1"]
    emulator = Emulator(settle_after=0.0, clock=VirtualClock(), seed="schemathesis")
    with emulator, emulator.serve() as served:
        headers = [f"--header={name}: {text}" for name, text in credentials(emulator).items()]
        done = subprocess.run(
            [
                program,
                "run",
                f"{served.origin}/openapi.json",
                *headers,
                *how_much,
                # A value may have the right form and still be refused: a bank that is not there.
                "--exclude-checks=positive_data_acceptance",
                "--continue-on-failure",
                "--seed=1",
                "--no-color",
            ],
            check=False,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=900 if FULL else 300,
            env={**os.environ, "no_proxy": "*"},
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Tested: {len(API_OPERATIONS)}" in done.stdout
    assert len(emulator.requests) > (50 if FULL else len(API_OPERATIONS))

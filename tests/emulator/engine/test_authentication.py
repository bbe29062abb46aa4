"""Who may come in, what a body must be, and where the emulator listens."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from dgspay.emulator import Emulator, VirtualClock
from dgspay.emulator.engine import request_log
from tests.emulator.emulator_calls import MOBILE_MONEY, PATIENCE, TO_BANK, credentials


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"X-DGS-API-Key": None}, "X-DGS-API-Key"),
        ({"X-DGS-API-Key": ""}, "X-DGS-API-Key"),
        ({"X-DGS-API-Key": "sk_test_other"}, "X-DGS-API-Key"),
        ({"X-DGS-API-Key": "clé"}, "X-DGS-API-Key"),
        ({"X-DGS-ACCOUNT-NUMBER": None}, "X-DGS-ACCOUNT-NUMBER"),
        ({"X-DGS-ACCOUNT-NUMBER": "ACC-0000001"}, "X-DGS-ACCOUNT-NUMBER"),
    ],
)
def test_wrong_credentials_are_refused(
    emulator: Emulator, headers: dict[str, str | None], named: str
) -> None:
    wanted = {**credentials(emulator), **headers}
    sent = {k.encode(): v.encode() for k, v in wanted.items() if v is not None}
    with emulator.http_client() as client:
        answer = client.post("/disburse", json=TO_BANK, headers=sent)
    assert (answer.status_code, answer.json()["error_code"]) == (401, "91")
    assert named in answer.json()["message"]
    assert emulator.executed == ()


def test_the_account_number_can_be_made_optional_and_never_wrong(clock: VirtualClock) -> None:
    with (
        Emulator(clock=clock, require_account_number=False) as emulator,
        emulator.http_client() as client,
    ):
        key = {"X-DGS-API-Key": emulator.api_key}
        assert client.get("/balance", headers=key).status_code == 200
        wrong = {**key, "X-DGS-ACCOUNT-NUMBER": "ACC-1"}
        assert client.get("/balance", headers=wrong).status_code == 401


@pytest.mark.acceptance(46, "emulator-is-local")
def test_a_live_key_is_refused_and_not_kept(emulator: Emulator) -> None:
    key = "sk_live_0123456789"
    with emulator.http_client() as client:
        answer = client.get("/balance", headers={"X-DGS-API-Key": key})
    assert (answer.status_code, answer.json()["error_code"]) == (401, "91")
    assert "live" in answer.json()["message"]
    assert key not in answer.text
    assert key not in repr(emulator.requests)
    assert emulator.api_key not in repr(emulator.requests)


@pytest.mark.acceptance(46, "emulator-is-local")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_it_does_not_listen_where_others_can_reach_it(emulator: Emulator, host: str) -> None:
    with pytest.raises(ValueError, match="loopback"), emulator.serve(host=host):
        pass


@pytest.mark.acceptance(46, "emulator-is-local")
def test_it_listens_on_loopback_by_default(emulator: Emulator) -> None:
    with emulator.serve() as served:
        assert served.host == "127.0.0.1"
        assert served.url == f"http://127.0.0.1:{served.port}/generation/v2"


def test_it_listens_to_other_machines_only_when_configured_to(emulator: Emulator) -> None:
    with emulator.serve(host="0.0.0.0", allow_public=True) as served:
        assert served.port


def test_a_taken_port_is_an_error(emulator: Emulator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"), emulator.serve(port=port):
            pass


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"{",
        b"\xff",
        b'{"amount": NaN}',
        b'{"amount": 1, "amount": 2}',
        b"[" * 200_000,
        b'{"amount": ' + b"9" * 5000 + b"}",
        b'{"narration": "\\ud800"}',
        b'{"narration": "' + b"x" * 1024 * 1024 + b'"}',
    ],
)
def test_a_body_that_is_not_json_is_refused(
    client: httpx.Client, emulator: Emulator, body: bytes
) -> None:
    answer = client.post("/disburse", content=body)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "90")
    assert emulator.executed == ()


def test_a_body_without_end_is_cut_off(emulator: Emulator) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b" " * 65536

    with (
        emulator.serve() as served,
        httpx.Client(headers=credentials(emulator), trust_env=False, timeout=PATIENCE) as client,
    ):
        try:
            answer = client.post(f"{served.url}/disburse", content=endless())
        except httpx.HTTPError:
            pass  # the server may close while we still write
        else:
            assert answer.json()["error_code"] == "90"
        assert emulator.executed == ()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nowhere"),
        ("POST", "/charges/"),
        ("GET", "/transactions/a/b"),
        ("GET", "/../balance"),
    ],
)
def test_an_unknown_endpoint_is_not_found(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, f"http://127.0.0.1/generation/v2{path}")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "92")


def test_requests_are_kept_masked(client: httpx.Client, emulator: Emulator) -> None:
    client.post("/charges", json=MOBILE_MONEY)
    client.get("/transactions?limit=5")
    first, second = emulator.requests
    assert (first.method, first.path, first.operation) == (
        "POST",
        "/generation/v2/charges",
        "POST /charges",
    )
    assert first.body["amount"] == 2000
    assert first.headers["x-dgs-api-key"] == "***"
    assert (second.query, second.body, second.status) == ("limit=5", None, 200)


def test_only_so_many_requests_are_kept(
    client: httpx.Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_log, "_KEPT_REQUESTS", 20)
    for _ in range(21):
        client.get("/banks/RW")
    assert len(emulator.requests) == 20


def test_large_answers_push_out_older_requests(
    client: httpx.Client, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_log, "_KEPT_BYTES", 30_000)
    emulator.generate(100)
    for _ in range(5):
        shown = client.get("/transactions?limit=100")
    assert len(shown.content) > 15_000
    kept = emulator.requests
    assert len(kept) == 1
    assert kept[-1].answer == shown.content
    # What is still in flight when it is let go counts for nothing afterwards.
    client.get("/banks/RW")
    assert len(emulator.requests) <= 2


def test_another_sites_name_for_this_machine_opens_nothing(emulator: Emulator) -> None:
    """A page may point its own name at loopback, and the keys are published."""
    with (
        emulator.serve() as served,
        httpx.Client(headers=credentials(emulator), trust_env=False, timeout=PATIENCE) as client,
    ):
        port = served.port
        for path in ("/generation/v2/balance", "/generation/pay/any", "/_emulator/state", "/"):
            rebound = client.get(served.origin + path, headers={"Host": f"evil.example:{port}"})
            assert rebound.status_code in (401, 403), path
        refused = client.post(
            f"{served.url}/disburse", json=TO_BANK, headers={"Host": f"evil.example:{port}"}
        )
        assert (refused.status_code, refused.json()["error_code"]) == (401, "91")
        for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
            allowed = client.get(f"{served.url}/balance", headers={"Host": host})
            assert allowed.status_code == 200
    assert emulator.executed == ()


def test_without_its_extra_the_import_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['starlette'] = None\n"
        "try:\n    import dgspay.emulator\n"
        "except ImportError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "pip install 'dgspay[emulator]'" in done.stdout

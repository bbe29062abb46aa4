"""Foreign clients: curl as in the guide, requests, Node, and the guide's handlers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from dgspay.emulator import Emulator, Served, VirtualClock
from tests.emulator.emulator_calls import (
    MOBILE_MONEY,
    NONCE,
    PATIENCE,
    TO_BANK,
    credentials,
    sealed,
)

GUIDE_ORIGIN = "https://pay.digitalservicescenter.rw"

# Every curl command of the guide, word for word; only the ends of lines are put back.
GUIDE_COMMANDS = (Path(__file__).parent / "guide_commands.txt").read_text("utf-8").split("\n\n")

# What the examples are answered with, where it is not success: some stand for something else.
# The first shows the form of a request with two of its fields, others name things that are not
# there, and two are to be filled in with ciphertexts.
NOT_A_SUCCESS = {0: "90", 3: "90", 5: "92", 11: "92", 12: "90"}

# The guide's Node handler ("Signature Verification"), on Node's own server in place of express.
NODE_HANDLER = """
const crypto = require('crypto');
require('http').createServer((req, res) => {
  const chunks = [];
  req.on('data', (chunk) => chunks.push(chunk));
  req.on('end', () => {
    const body = Buffer.concat(chunks);
    const sig = req.headers['x-dgs-signature'];
    const expected = crypto.createHmac('sha256', process.env.DGS_WEBHOOK_SECRET)
      .update(body).digest('hex');
    if (!crypto.timingSafeEqual(Buffer.from(sig), Buffer.from(expected))) {
      res.writeHead(401); return res.end('Unauthorized');
    }
    const event = JSON.parse(body);
    res.writeHead(200, { 'Content-Type': 'application/json' });
    res.end(JSON.stringify({ status: 'received', saw: event.event }));
  });
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });
"""

NODE_CLIENT = """
const [url, key, account, body] = process.argv.slice(1);
fetch(url + '/charges', { method: 'POST', body, headers: {
  'X-DGS-API-Key': key, 'X-DGS-ACCOUNT-NUMBER': account, 'Content-Type': 'application/json' } })
  .then((answer) => answer.json()).then((answer) => console.log(JSON.stringify(answer)));
"""


@pytest.fixture
def emulator(clock: VirtualClock) -> Iterator[Emulator]:
    with Emulator(clock=clock, require_account_number=False) as emulator:
        yield emulator


@pytest.fixture
def served(emulator: Emulator) -> Iterator[Served]:
    with emulator.serve() as served:
        yield served


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def curl(command: str, served: Served) -> Any:
    """Run a command of the guide against the emulator, changed in nothing but the host."""
    program("curl")
    assert command.count(GUIDE_ORIGIN) == 1
    done = subprocess.run(
        ["bash", "-c", command.replace(GUIDE_ORIGIN, served.origin)],
        capture_output=True,
        check=True,
        timeout=PATIENCE,
        # What a person at a terminal has around the command, and not in it.
        env={"PATH": os.environ["PATH"], "no_proxy": "*"},
    )
    return json.loads(done.stdout)


def test_the_guides_curl_commands_work_as_they_stand(clock: VirtualClock) -> None:
    """The guide's placeholders are its credentials, with or without the account number."""
    with Emulator(clock=clock, guide_credentials=True) as emulator, emulator.serve() as served:
        answers = [curl(command, served) for command in GUIDE_COMMANDS]
    assert len(answers) == 13
    for place, answer in enumerate(answers):
        if place in NOT_A_SUCCESS:
            assert (answer["status"], answer["error_code"]) == ("failed", NOT_A_SUCCESS[place])
        else:
            assert answer["status"] == "success", (GUIDE_COMMANDS[place], answer)
    assert [len(emulator.transactions), len(emulator.links), len(emulator.disbursements)] == [
        1,
        1,
        2,
    ]


def test_the_guides_commands_work_once_they_are_filled_in(clock: VirtualClock) -> None:
    with Emulator(clock=clock, guide_credentials=True) as emulator, emulator.serve() as served:
        link = curl(GUIDE_COMMANDS[4], served)["link"]
        shown = GUIDE_COMMANDS[5].replace("25a5643d-31de-490d-808d-82af72fdd097", link["id"])
        assert curl(shown, served)["link"] == link
        fields = {
            "<encrypted_number>": "4532123456789010",
            "<encrypted_month>": "12",
            "<encrypted_year>": "2028",
            "<encrypted_cvv>": "123",
        }
        for place in (3, 12):
            command = GUIDE_COMMANDS[place]
            for placeholder, text in fields.items():
                command = command.replace(placeholder, sealed(emulator, text))
            paid = curl(command.replace("<24_hex_nonce>", NONCE), served)
            assert paid["transaction_status"] == "successful"
        found = GUIDE_COMMANDS[11].replace("/dgs-reference", f"/{paid['dgs_reference']}")
        assert curl(found, served)["data"]["status"] == "success"


@pytest.mark.acceptance(46, "emulator-is-local")
def test_placeholders_are_no_keys_unless_that_is_asked_for(client: httpx.Client) -> None:
    for key in ("YOUR_API_KEY", "sk_live_xxxxxxxxxxxxxxxxxxxx"):
        answer = client.get("/balance", headers={"X-DGS-API-Key": key}).json()
        assert answer["error_code"] == "91"


@pytest.mark.acceptance(46, "emulator-is-local")
def test_the_guides_placeholders_open_no_door_to_other_keys(clock: VirtualClock) -> None:
    emulator = Emulator(clock=clock, guide_credentials=True)
    with emulator, emulator.http_client() as client:
        for key, number in (
            ("sk_live_0123456789abcdef0123", "ACC-0001234"),
            ("sk_live_xxxxxxxxxxxxxxxxxxxx", "ACC-7777777"),
            (emulator.api_key, "ACC-0001234"),
        ):
            headers = {"X-DGS-API-Key": key, "X-DGS-ACCOUNT-NUMBER": number}
            assert client.get("/balance", headers=headers).json()["error_code"] == "91"


def test_requests_reaches_it(emulator: Emulator, served: Served) -> None:
    requests: Any = pytest.importorskip("requests")
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(credentials(emulator))
        charge = session.post(f"{served.url}/charges", json=MOBILE_MONEY).json()
        assert charge["transaction_status"] == "pending"
        refused = session.post(f"{served.url}/disburse", data="{")
        assert (refused.status_code, refused.json()["error_code"]) == (400, "90")
        emulator.faults.lose_answer("POST /disburse")
        with pytest.raises(requests.ConnectionError):
            session.post(f"{served.url}/disburse", json=TO_BANK)
    assert len(emulator.disbursements) == 1


def test_nodes_fetch_reaches_it(emulator: Emulator, served: Served) -> None:
    done = subprocess.run(
        [
            program("node"),
            "-e",
            NODE_CLIENT,
            served.url,
            emulator.api_key,
            emulator.account_number,
            json.dumps(MOBILE_MONEY),
        ],
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    assert json.loads(done.stdout)["dgs_reference"] == emulator.transactions[0].dgs_reference


def delivered_to(emulator: Emulator, clock: VirtualClock, url: str) -> Any:
    """Send one good and one badly signed webhook; return how they went."""
    with emulator.http_client() as client:
        client.headers.update(credentials(emulator))
        for _ in range(2):
            client.post("/charges", json={**MOBILE_MONEY, "callback_url": url})
    emulator.approve(emulator.transactions[0].dgs_reference)
    emulator.wait_for_deliveries()
    emulator.webhooks.sign_wrongly()
    emulator.approve(emulator.transactions[1].dgs_reference)
    emulator.wait_for_deliveries()
    return [delivery.attempts[0] for delivery in emulator.webhooks.deliveries]


def test_the_guides_node_handler_takes_its_webhooks(
    emulator: Emulator, clock: VirtualClock
) -> None:
    handler = subprocess.Popen(
        [program("node"), "-e", NODE_HANDLER],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DGS_WEBHOOK_SECRET": emulator.webhook_secret},
    )
    assert handler.stdout is not None
    try:
        port = int(handler.stdout.readline())
        good, bad = delivered_to(emulator, clock, f"http://127.0.0.1:{port}/webhook")
    finally:
        handler.terminate()
        handler.wait(PATIENCE)
        handler.stdout.close()
    assert (good.status, good.warning, bad.status) == (200, None, 401)
    assert json.loads(good.answer)["saw"] == "payment.success"


def guide_app(secret: str) -> Any:
    """The guide's Flask handler ("Signature Verification")."""
    flask: Any = pytest.importorskip("flask")
    import hashlib
    import hmac

    app = flask.Flask(__name__)

    def webhook() -> Any:
        sig = flask.request.headers.get("X-DGS-Signature", "")
        expected = hmac.new(secret.encode(), flask.request.data, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(sig, expected):
            return "Unauthorized", 401
        event = flask.request.get_json()
        return flask.jsonify({"status": "received", "saw": event["event"]})

    app.add_url_rule("/webhook", view_func=webhook, methods=["POST"])
    return app


def test_the_guides_flask_handler_takes_its_webhooks(
    emulator: Emulator, clock: VirtualClock
) -> None:
    from wsgiref.simple_server import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            """Print nothing."""

    app: Callable[..., Any] = guide_app(emulator.webhook_secret)
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/webhook"
            good, bad = delivered_to(emulator, clock, url)
        finally:
            server.shutdown()
            thread.join()
    assert (good.status, good.warning, bad.status) == (200, None, 401)
    assert json.loads(good.answer)["saw"] == "payment.success"

"""Clients nobody here wrote: curl as in the guide, requests, Node, and the guide's handlers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dgspay.emulator import Emulator, Served, VirtualClock
from tests.emulator.emulator_calls import MOBILE_MONEY, TO_BANK, credentials

GUIDE_ORIGIN = "https://pay.digitalservicescenter.rw"

# The guide's own curl commands, word for word ("Initiate a Mobile Money Payment", "Create a
# Payment Link", "Disburse Funds", "Transactions"); its examples leave the account number out.
GUIDE_COMMANDS = {
    "charge": """curl -X POST \\
  https://pay.digitalservicescenter.rw/generation/v2/charges \\
  -H "X-DGS-API-Key: YOUR_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{ "amount": 2000, "currency": "RWF", "payment_type": "mobile_money", "customer_email": "jane.doe@example.com", "customer_first_name": "Jane", "customer_last_name": "Doe", "customer_phone": "789654321", "customer_phone_country_code": "250", "redirect_url": "https://yourdomain.com/payment-success", "narration": "Payment for Invoice #5678", "mobile_money_network": "MTN", "mobile_money_phone": "789654321" }'""",  # noqa: E501
    "link": """curl -X POST \\
  https://pay.digitalservicescenter.rw/generation/v2/payment-links \\
  -H "X-DGS-API-Key: YOUR_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{ "title": "Invoice #123", "amount_type": "fixed", "amount": 50000, "currency": "RWF", "payment_types": ["card", "mobile_money"], "max_uses": 1, "expires_at": "2026-12-31 23:59:59" }'""",  # noqa: E501
    "disburse": """curl -X POST \\
  https://pay.digitalservicescenter.rw/generation/v2/disburse \\
  -H "X-DGS-API-Key: YOUR_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{ "amount": 5000, "destination_type": "mobile_money", "recipient": { "msisdn": "+250788123456", "network": "MTN", "country": "RW", "name": "Jane Doe" } }'""",  # noqa: E501
    "list": """curl -X GET \\
 "https://pay.digitalservicescenter.rw/generation/v2/transactions?page=1&limit=20&status=success" \\
  -H "X-DGS-API-Key: YOUR_API_KEY\"""",
}

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


@pytest.mark.parametrize("name", GUIDE_COMMANDS)
def test_the_guides_curl_commands_work_as_they_stand(
    emulator: Emulator, served: Served, name: str
) -> None:
    program("curl")
    command = GUIDE_COMMANDS[name].replace(GUIDE_ORIGIN, served.origin)
    command = command.replace("YOUR_API_KEY", emulator.api_key)
    done = subprocess.run(
        ["bash", "-c", command.replace("curl ", "curl --silent --noproxy '*' ", 1)],
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert json.loads(done.stdout)["status"] == "success"


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
        timeout=30,
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
    return [delivery.attempts[0] for delivery in emulator.deliveries]


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
        handler.wait(10)
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

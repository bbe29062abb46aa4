"""`dgspay webhooks`: listening, forwarding, sending and verifying, over real sockets."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from dgspay import webhooks
from dgspay.cli.sample_events import SAMPLES, sample
from dgspay.cli.streams import OutputLostError
from dgspay.cli.webhook_server import MAX_BODY, Arrived, Received, Refused, receive
from dgspay.cli.webhooks import _Listener as Listener
from dgspay.models.json_codec import dump_json
from dgspay.secret import Secret
from tests.cli.terminal import PATIENCE, CommandLine, process

SECRET = "whsec-of-a-test"
WHEN = "2026-04-02T10:30:00Z"


@pytest.fixture
def dgspay() -> CommandLine:
    return CommandLine({"DGSPAY_WEBHOOK_SECRET": SECRET})


class Shop:
    """A program that receives webhooks, and answers with a set status."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.status = 200

    def answer(self, received: Received) -> int:
        self.received.append(received)
        return self.status


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def shop_url(shop: Shop) -> Iterator[str]:
    with receive(shop.answer, Secret(SECRET)) as url:
        yield url


def post(url: str, body: bytes, signature: str | None) -> int:
    headers = {} if signature is None else {webhooks.SIGNATURE_HEADER: signature}
    answer = httpx.post(url, content=body, headers=headers, trust_env=False, timeout=PATIENCE)
    return answer.status_code


# --- send ---------------------------------------------------------------------------------


@pytest.mark.parametrize("event", SAMPLES)
def test_every_event_of_the_guide_can_be_sent(
    dgspay: CommandLine, shop: Shop, shop_url: str, event: str
) -> None:
    said = dgspay("webhooks", "send", event, "--to", f"{shop_url}/hook", "--reference", "dgs_7")
    assert said.code == 0, said.err
    assert said.out == f"{event} sent; the receiver answered 200.\n"
    (received,) = shop.received
    assert isinstance(received, Arrived)
    assert received.path == "/hook"
    assert (received.event.event, received.event.dgs_reference) == (event, "dgs_7")
    assert not isinstance(received.event, webhooks.UnknownEvent)
    assert received.event.extra == {}


@pytest.mark.parametrize(
    ("event", "options", "expected"),
    [
        (
            "payment.success",
            ("--amount", "2001"),
            {"amount": 2001, "currency": "RWF", "merchant_fee": 60, "net_amount": 1941},
        ),
        (
            "payment.success",
            ("--amount", "12.34", "--currency", "usd"),
            {
                "amount": Decimal("12.34"),
                "currency": "USD",
                "merchant_fee": Decimal("0.37"),
                "net_amount": Decimal("11.97"),
            },
        ),
        (
            "payment.failed",
            ("--amount", "2001"),
            {"amount": 2001, "merchant_fee": 0, "net_amount": 0},
        ),
        (
            "disbursement.success",
            ("--amount", "2001"),
            {"amount": 2001, "fee": 20, "recipient_gets": 1981},
        ),
        (
            "conversion.success",
            ("--amount", "3.33", "--currency", "GBP"),
            {
                "from_amount": Decimal("3.33"),
                "from_currency": "GBP",
                "to_amount": Decimal("3.15"),
                "rate_display": "1 GBP = 0.9450 EUR",
            },
        ),
        (
            "conversion.failed",
            ("--amount", "7", "--currency", "GBP"),
            {
                "from_amount": 7,
                "from_currency": "GBP",
                "refund_amount": 7,
                "refund_currency": "GBP",
            },
        ),
    ],
)
def test_event_about_an_amount_of_ones_own_adds_up(
    dgspay: CommandLine, event: str, options: tuple[str, ...], expected: dict[str, object]
) -> None:
    shop = Shop()
    with receive(shop.answer, Secret(SECRET)) as url:
        said = dgspay("webhooks", "send", event, "--url", url, *options)
    assert said.code == 0, said.err
    (received,) = shop.received
    assert isinstance(received, Arrived)
    sent = {name: getattr(received.event, name) for name in expected}
    assert sent == expected


@pytest.mark.parametrize("event", SAMPLES)
def test_event_without_options_is_the_guides(event: str) -> None:
    made = sample(event, timestamp=WHEN)
    assert made == {
        "event": event,
        "status": event.rpartition(".")[2],
        **SAMPLES[event],
        **({"timestamp": WHEN} if event.startswith("payment.") else {}),
    }


def test_a_receiver_that_says_no(dgspay: CommandLine, shop: Shop, shop_url: str) -> None:
    shop.status = 503
    said = dgspay("webhooks", "send", "payment.failed", "--to", shop_url)
    assert said.code == 1
    assert "503" in said.out
    other = dgspay.having(DGSPAY_WEBHOOK_SECRET="another")
    assert "401" in other("webhooks", "send", "payment.failed", "--to", shop_url).out


def test_sending_to_a_port_without_a_listener_ends_with_4(dgspay: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    said = dgspay("webhooks", "send", "payment.success", "--to", f"http://127.0.0.1:{port}")
    assert said.code == 4


def test_a_made_up_event_for_another_machine_is_asked_for(dgspay: CommandLine) -> None:
    said = dgspay("webhooks", "send", "payment.success", "--to", "https://shop.invalid/hook")
    assert said.code == 1
    assert "validly signed" in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("payment.refunded", "--to", "http://127.0.0.1:9"),
        ("payment.success", "--to", "ftp://127.0.0.1"),
        ("payment.success", "--to", "http://127.0.0.1:99999"),
    ],
)
def test_wrong_ways_to_send(dgspay: CommandLine, arguments: tuple[str, ...]) -> None:
    assert dgspay("webhooks", "send", *arguments).code == 2


@pytest.mark.parametrize(
    ("options", "because"),
    [
        (("--amount", "12.5"), "amount has a fraction, and RWF has no minor unit"),
        (("--amount", "1,000"), "amount must be a plain number"),
        (("--amount", "-1"), "amount must be a plain number"),
        (("--currency", "francs"), "currency must be an ISO 4217 code"),
    ],
)
def test_event_with_no_amount_of_money_is_not_sent(
    dgspay: CommandLine, shop: Shop, shop_url: str, options: tuple[str, ...], because: str
) -> None:
    said = dgspay("webhooks", "send", "payment.success", "--to", shop_url, *options)
    assert said.code == 2
    assert because in said.err
    assert "Nothing was sent." in said.err
    assert shop.received == []


def test_conversion_into_the_same_currency_is_not_sent(dgspay: CommandLine) -> None:
    said = dgspay(
        "webhooks", "send", "conversion.success", "--to", "http://127.0.0.1:9", "--currency", "EUR"
    )
    assert said.code == 2
    assert "currency must be another one than EUR" in said.err


@pytest.mark.acceptance(41, "webhook-secrets")
@pytest.mark.parametrize(
    "arguments",
    [
        ("send", "payment.success", "--to", "http://127.0.0.1:9"),
        ("verify", "-", "--signature", "0" * 64),
        ("listen", "--port", "0"),
    ],
)
def test_without_a_secret_nothing_is_done(arguments: tuple[str, ...]) -> None:
    said = CommandLine({})("webhooks", *arguments)
    assert said.code == 2
    assert "DGSPAY_WEBHOOK_SECRET" in said.err


# --- verify -------------------------------------------------------------------------------


def test_a_stored_body_is_verified(dgspay: CommandLine, tmp_path: Path) -> None:
    body = dump_json(sample("payment.success", timestamp=WHEN))
    stored = tmp_path / "body"
    stored.write_bytes(body)
    signature = webhooks.sign(body, SECRET)
    said = dgspay("webhooks", "verify", str(stored), "--signature", signature)
    assert said.code == 0, said.err
    assert said.out.startswith("The signature is valid.\n")
    assert "dgs_123456789" in said.out
    as_json = dgspay("webhooks", "verify", str(stored), "--signature", signature, "--json")
    assert json.loads(as_json.out)["amount"] == 5000
    production = ("--environment", "production")
    assert (
        dgspay("webhooks", "verify", str(stored), "--signature", signature, *production).code == 1
    )
    moon = ("--environment", "moon")
    assert dgspay("webhooks", "verify", str(stored), "--signature", signature, *moon).code == 2


@pytest.mark.acceptance(40, "bad-signature")
@pytest.mark.parametrize("signature", ["", "abc", "é" * 64, "0" * 64, "sha256=" + "0" * 64])
def test_a_bad_signature_is_a_no(dgspay: CommandLine, tmp_path: Path, signature: str) -> None:
    stored = tmp_path / "body"
    stored.write_bytes(b"{}")
    said = dgspay("webhooks", "verify", str(stored), "--signature", signature)
    assert (said.code, said.out) == (1, "")
    assert SECRET not in said.err


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


# --- listen -------------------------------------------------------------------------------


def first_url(running: subprocess.Popen[str]) -> str:
    assert running.stderr is not None
    line = running.stderr.readline()
    found = re.search(r"http://\S+", line)
    assert found, line + running.stderr.read()
    return found[0]


def end(running: subprocess.Popen[str]) -> tuple[str, str]:
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0
    return out, err


@needs_ipv6
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_it_listens_on_ipv6(dgspay: CommandLine, host: str) -> None:
    with process(
        "webhooks", "listen", "--port", "0", "--host", host, environ=dgspay.environ
    ) as running:
        assert running.stderr is not None
        line = running.stderr.readline()
        url = re.search(r"http://\[::1\]:\d+", line)
        assert url is not None, line
        sent = dgspay("webhooks", "send", "payment.success", "--to", url.group())
        assert sent.code == 0, sent.err
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=PATIENCE)
    assert "payment.success" in out


@needs_ipv6
def test_every_address_is_every_address_of_both_families(shop: Shop) -> None:
    with receive(shop.answer, Secret(SECRET), host="::") as url:
        port = url.rpartition(":")[2]
        assert url == f"http://[::]:{port}"
        for address in ("[::1]", "127.0.0.1"):
            assert post(f"http://{address}:{port}", b"{}", None) == 401


def test_a_name_of_both_families_is_listened_to_on_ipv4(shop: Shop) -> None:
    with receive(shop.answer, Secret(SECRET), host="localhost") as url:
        assert post(url.replace("localhost", "127.0.0.1"), b"{}", None) == 401


@pytest.mark.parametrize("host", ["1.2.3.4", "::2", "nowhere.invalid", "[::1"])
def test_a_host_that_is_not_here_is_named(dgspay: CommandLine, host: str) -> None:
    said = dgspay("webhooks", "listen", "--port", "0", "--host", host)
    assert said.code == 2
    assert f"Cannot listen on {host}" in said.err


def test_listening_prints_what_verifies_refuses_the_rest_and_nothing_steers_the_terminal(
    dgspay: CommandLine,
) -> None:
    fields = sample("disbursement.failed", timestamp=WHEN)
    steering = dump_json({**fields, "dgs_reference": "r1", "fail_reason": "\x1b[2J[red]\u202e"})
    unknown = dump_json({"event": "odd\x1b.thing", "dgs_reference": "r2"})
    with process("webhooks", "listen", "--port", "0", environ=dgspay.environ) as running:
        url = first_url(running)
        for event in SAMPLES:
            assert dgspay("webhooks", "send", event, "--to", url).code == 0
        assert dgspay("webhooks", "send", "payment.success", "--to", url).code == 0
        assert post(url, b'{"event": "payment.success"}', "0" * 64) == 401
        for body in (steering, unknown):
            assert post(url, body, webhooks.sign(body, SECRET)) in (200, 422)
        out, err = end(running)
    assert (out + err).replace("\n", "").isprintable()
    assert r"\x1b[2J[red]\u202e" in out
    lines = [line.partition("  ")[2] for line in out.splitlines()]
    assert lines[:7] == [
        "payment.success  dgs_123456789  5,000 RWF paid, 4,850 RWF net",
        "payment.failed  dgs_123456789  5,000 RWF not paid",
        "disbursement.success  DGS123456789  10,000 RWF sent, 9,900 RWF arrived",
        "disbursement.failed  DGS123456789  10,000 RWF not sent: Invalid account details",
        "conversion.success  DGSCONV1A2B3C4D  100.00 USD became 94.50 EUR",
        "conversion.failed  DGSCONV1A2B3C4D  100.00 USD not converted: Insufficient balance",
        "payment.success  dgs_123456789  5,000 RWF paid, 4,850 RWF net  (delivered again)",
    ]
    assert "Rejected with 401" in err
    assert SECRET not in out + err


def test_an_event_is_passed_on_as_it_came(dgspay: CommandLine, shop: Shop, shop_url: str) -> None:
    target = f"{shop_url}/hook?a=1"
    arguments = ("webhooks", "listen", "--port", "0", "--json", "--forward-to", target)
    with process(*arguments, environ=dgspay.environ) as running:
        url = first_url(running)
        assert dgspay("webhooks", "send", "payment.success", "--to", url).code == 0
        shop.status = 500
        assert "500" in dgspay("webhooks", "send", "payment.failed", "--to", url).out
        out, _ = end(running)
    first, second = shop.received
    assert isinstance(first, Arrived)
    assert isinstance(second, Arrived)
    assert first.path == "/hook?a=1"
    assert [json.loads(line)["event"] for line in out.splitlines()] == [
        "payment.success",
        "payment.failed",
    ]


def test_an_event_that_cannot_be_passed_on_is_delivered_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    body = dump_json(sample("payment.success", timestamp=WHEN))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    listener = Listener(f"http://127.0.0.1:{port}", as_json=False, stopped=threading.Event())
    with receive(listener.answer, Secret(SECRET)) as url:
        assert post(url, body, webhooks.sign(body, SECRET)) == 502
    assert "not forwarded: ConnectError" in capsys.readouterr().out


@pytest.mark.parametrize(
    "target", ["https://shop.example/hook", "file:///x", "http://127.0.0.1:0x"]
)
def test_events_are_passed_on_within_this_machine_only(dgspay: CommandLine, target: str) -> None:
    assert dgspay("webhooks", "listen", "--port", "0", "--forward-to", target).code == 2


def test_a_taken_port_is_an_error_in_words(dgspay: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = dgspay("webhooks", "listen", "--port", str(taken.getsockname()[1]))
    assert said.code == 2
    assert "--port 0" in said.err


# --- the receiver -------------------------------------------------------------------------


def raw(url: str, *lines: str, body: bytes = b"") -> int:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection:
        head = "\r\n".join(["POST / HTTP/1.1", "Host: x", *lines, "", ""])
        connection.sendall(head.encode() + body)
        return int(connection.makefile("rb").readline().split()[1])


@pytest.mark.acceptance(45, "foreign-event")
def test_the_receiver_takes_no_more_than_it_can_hold(shop: Shop, shop_url: str) -> None:
    assert raw(shop_url, f"Content-Length: {MAX_BODY + 1}") == 413
    assert raw(shop_url, "Content-Length: " + "9" * 5000) == 413
    assert raw(shop_url, "Content-Length: -1") == 411
    assert raw(shop_url) == 411
    assert raw(shop_url, "Content-Length: 2", body=b"{}") == 401
    assert post(shop_url, b"[]", webhooks.sign(b"[]", SECRET)) == 422
    assert all(isinstance(received, Refused) for received in shop.received)


def test_an_event_that_cannot_be_shown_comes_again_and_ends_the_listener(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lost(*_: object) -> None:
        raise OutputLostError(28, "No space left on device")

    body = dump_json(sample("payment.success", timestamp=WHEN))
    stopped = threading.Event()
    listener = Listener(None, as_json=False, stopped=stopped)
    monkeypatch.setattr(listener, "_print", lost)
    with receive(listener.answer, Secret(SECRET)) as url:
        assert post(url, body, webhooks.sign(body, SECRET)) == 503
    assert stopped.is_set()
    with pytest.raises(OutputLostError):
        listener.require_output()

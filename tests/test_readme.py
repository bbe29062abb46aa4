"""Each code block of the README, and of the pages it leads to, does what it says it does."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from dgspay import DGSPay
from dgspay.core.assessment import Assessment, Verdict
from dgspay.core.errors_from import CallContext, Stopped, outcome_of
from dgspay.core.operation import Operation, Repeat
from dgspay.core.retry import History, Step, decide
from dgspay.emulator import Emulator
from dgspay.encryption import CardEncryptor
from dgspay.errors import Outcome
from dgspay.webhooks import sign
from tests.cli.terminal import CommandLine, Said, variables
from tests.support.real_servers import postgres_binaries, running_postgres
from tests.system.examples.shops import POOR_PHONE, FastAPIShop

ROOT = Path(__file__).parent.parent
PAGES = (
    "README.md",
    "docs/how-to/calls.md",
    "docs/how-to/card-form.md",
    "docs/explanation/failures.md",
    "docs/how-to/events.md",
    "docs/how-to/telemetry.md",
    "docs/how-to/settings.md",
    "docs/how-to/command-line.md",
)
README = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES)

_BLOCK = re.compile(
    r"^##+ (?P<title>.+?)$|^```(?P<kind>\w+)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
_SAID = re.compile(r"^\s*print\(.*\)  # (.+)$", re.MULTILINE)


def blocks(kind: str) -> dict[str, str]:
    """The blocks of a language, by the heading they stand under."""
    found: dict[str, str] = {}
    title = ""
    for match in _BLOCK.finditer(README):
        if match["title"]:
            title = match["title"]
        elif match["kind"] == kind:
            name = title
            while name in found:
                name += ", again"
            found[name] = match["code"]
    return found


PYTHON = blocks("python")
SHELL = blocks("sh")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """What a reader has after copying the lines `dgspay emulator` prints."""
    with Emulator(settle_after=0.0) as emulator, emulator.serve() as served:
        monkeypatch.setenv("DGSPAY_API_KEY", emulator.api_key)
        monkeypatch.setenv("DGSPAY_ACCOUNT_NUMBER", emulator.account_number)
        monkeypatch.setenv("DGSPAY_ENVIRONMENT", "emulator")
        monkeypatch.setenv("DGSPAY_BASE_URL", served.url)
        yield emulator


def run(title: str) -> dict[str, Any]:
    """Run a block, hold what it prints against its comments, and return its names."""
    code = PYTHON[title]
    names: dict[str, Any] = {"__name__": "readme"}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, f"README.md, {title}", "exec"), names)
    assert printed.getvalue().split("\n")[:-1] == _SAID.findall(code)
    return names


def dgspay(line: str, *more: str) -> Said:
    """Give a command as it stands in the README, with the environment as it is."""
    program, *arguments = shlex.split(line)
    assert program == "dgspay"
    return CommandLine({})(*arguments, *more)


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """A PostgreSQL for the blocks that have one, or a skip."""
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL: install postgresql")
    with running_postgres(binaries) as database:
        yield database


def test_there_is_a_test_for_every_block() -> None:
    assert list(PYTHON) == [
        "Take a payment",
        "In a FastAPI shop",
        "Take a payment, again",
        "Lists",
        "Cards",
        "Cards, again",
        "When something goes wrong",
        "Webhooks",
        "Each event exactly once",
        "Each event exactly once, again",
        "Watching it work",
        "Settings",
        "Which transport",
    ]
    assert list(blocks("js")) == ["Cards"]
    assert list(SHELL) == [
        "See a payment succeed",
        "See a payment succeed, again",
        "Payroll on Friday",
        "On the command line",
    ]


@pytest.mark.parametrize(
    "title", ["Take a payment", "Take a payment, again", "Lists", "Settings", "Which transport"]
)
def test_a_script_of_the_readme_prints_what_it_says(environment: Emulator, title: str) -> None:
    run(title)


def test_the_payroll_of_the_readme_pays_each_amount_once(
    environment: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("salaries.csv").write_text(
        "reference,amount,destination_type,msisdn,network,country\n"
        "2026-11-jane,10100,mobile_money,0788123456,MTN,RW\n"
        "2026-11-eric,20100,mobile_money,0738123456,Airtel,RW\n",
        encoding="utf-8",
    )
    for _ in range(2):
        dgspay(SHELL["Payroll on Friday"], "--yes")
    assert {deed.amount for deed in environment.executed} == {10_100, 20_100}
    assert len(environment.executed) == 2


def test_the_telemetry_of_the_readme_shows_what_it_says(environment: Emulator) -> None:
    pytest.importorskip("opentelemetry")
    run("Watching it work")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FastAPIShop]:
    """The README's shop on a real socket, and its only customer."""
    pytest.importorskip("fastapi")
    monkeypatch.chdir(tmp_path)
    with (
        Emulator(settle_after=None) as emulator,
        emulator.serve() as served,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environ = {
            **variables(emulator, served.url),
            "DGSPAY_ENCRYPTION_KEY": emulator.encryption_key,
            "SHOP_URL": url,
        }
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        names = run("In a FastAPI shop")
        with (
            contextlib.closing(names["checkout"]),
            serving(names["app"], listener),
            httpx.Client(base_url=url) as client,
        ):
            yield FastAPIShop(tmp_path, emulator, environ, client)


@contextlib.contextmanager
def serving(app: Any, listener: socket.socket) -> Iterator[None]:
    """Serve an application in a thread until the block is left."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def test_the_fastapi_shop_of_the_readme_is_the_example_and_has_less_than_40_lines() -> None:
    code = PYTHON["In a FastAPI shop"]
    assert code == (ROOT / "examples" / "fastapi_shop.py").read_text(encoding="utf-8")
    assert len([line for line in code.splitlines() if line]) < 40


def test_the_fastapi_shop_of_the_readme_prompts_once_and_ships_once(
    shop: FastAPIShop, capfd: pytest.CaptureFixture[str]
) -> None:
    shop.pay(POOR_PHONE)
    assert shop.state() == ("open", "failed")
    shop.emulator.faults.lose_answer("POST /charges")
    shop.pay()
    assert shop.state() == ("paying", "in_doubt")
    shop.pay()
    assert shop.prompts == 2, "a second click is no second prompt"
    shop.approve()
    assert shop.state() == ("paid", "paid")
    shop.pay()
    assert shop.prompts == 2
    assert capfd.readouterr().out.splitlines() == ["ship ticket-17"]


@pytest.mark.anyio
async def test_the_page_with_the_card_form() -> None:
    pytest.importorskip("fastapi")
    transport = httpx.ASGITransport(run("Cards")["app"])
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as shop:
        page = (await shop.get("/checkout")).text
        (source,) = re.findall(r'src="([^"]*dgspay-card[^"]*)"', page)
        assert 'integrity="sha' in page
        module = await shop.get(source)
        assert module.headers["content-type"].startswith("text/javascript")
        imported = re.findall(r'import \{ ([\w, ]+) \} from "([^"]+)"', blocks("js")["Cards"])
        assert imported == [("mountCardForm, PaymentError", source)]
        assert "export function mountCardForm" in module.text
        assert "export class PaymentError" in module.text


def test_the_javascript_is_javascript(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    script = tmp_path / "checkout.mjs"
    script.write_text(blocks("js")["Cards"], encoding="utf-8")
    subprocess.run([node, "--check", str(script)], check=True, timeout=170)


def test_a_card_is_charged_as_the_readme_shows(dgs: DGSPay, emulator: Emulator) -> None:
    names = run("Cards, again")
    what_next = names["what_next"]
    encryptor = CardEncryptor(emulator.encryption_key)
    card = encryptor.encrypt_card(
        number="4111111111111111", expiry_month=12, expiry_year=2030, cvv="123"
    )
    charge = names["pay_by_card"](dgs, card.to_wire())
    assert what_next(charge) == "show the PIN form"
    pin = encryptor.encrypt_pin("1234").to_wire()
    charge = names["with_pin"](dgs, charge.dgs_reference, pin)
    assert what_next(charge) == "ask for the code the bank has sent"
    assert what_next(names["with_otp"](dgs, charge.dgs_reference, "123456")) == "paid"


def test_a_lost_payout_is_in_doubt_under_its_key_as_the_readme_says(
    dgs: DGSPay, emulator: Emulator
) -> None:
    pay_out = run("When something goes wrong")["pay_out"]
    assert pay_out(dgs, "key-1").startswith("queued: ")
    emulator.faults.lose_answer("POST /disburse")
    assert pay_out(dgs, "key-2") == "in doubt: key-2"
    emulator.faults.fail_next("POST /disburse", error_code="93")
    assert pay_out(dgs, "key-2") == "in doubt: key-2"
    emulator.faults.fail_next("POST /disburse", error_code="90")
    assert pay_out(dgs, "key-3").startswith("not paid: POST /disburse: DGS-Pay refused")
    body = (
        b'{"status":"failed","error_code":"VALIDATION_ERROR","available_balance":50,'
        b'"required":5000,"currency":"RWF"}'
    )
    emulator.faults.answer_next("POST /disburse", status=400, body=body, headers={})
    assert pay_out(dgs, "key-4") == "the wallet holds 50 RWF"


def test_the_webhook_of_the_readme_is_verified_and_read() -> None:
    receive = run("Webhooks")["receive"]
    body = (
        b'{"event":"disbursement.success","dgs_reference":"DGS1","flw_transfer_id":1,'
        b'"status":"success","amount":10000,"fee":100,"recipient_gets":9900,"currency":"RWF",'
        b'"destination_type":"bank"}'
    )
    assert receive(body, sign(body, "s"), "s") == "DGS1 arrived, 9900 after the fee"
    assert receive(body, sign(body, "t"), "s") == "not from DGS-Pay"
    failed = body.replace(b"success", b"failed")[:-1] + b',"fail_reason":"Closed account"}'
    assert receive(failed, sign(failed, "s"), "s") == "DGS1 failed: Closed account"
    new = b'{"event":"refund.success","dgs_reference":"DGS1"}'
    assert receive(new, sign(new, "s"), "s") == "refund.success is newer than this version"


PAID = (
    b'{"event":"payment.success","dgs_reference":"dgs_1","amount":5000,"currency":"RWF",'
    b'"merchant_fee":150,"net_amount":4850,"status":"success",'
    b'"timestamp":"2026-04-02T10:30:00Z","environment":"production"}'
)


@pytest.mark.anyio
async def test_each_event_exactly_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fastapi")
    monkeypatch.chdir(tmp_path)
    names = run("Each event exactly once")
    headers = {"X-DGS-Signature": sign(PAID, "whsec_from_the_portal")}
    transport = httpx.ASGITransport(names["app"])
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as shop:
        for _ in range(2):
            told = await shop.post("/webhooks/dgs-pay", content=PAID, headers=headers)
            assert told.status_code == 200
            assert names["orders"] == {"dgs_1": "paid, 4850 after the fee"}


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # psycopg knows no other
async def test_the_update_and_done_in_one_commit(database: str) -> None:
    psycopg = pytest.importorskip("psycopg", reason="psycopg is not installed")
    async with await psycopg.AsyncConnection.connect(database) as connection:
        await connection.execute("CREATE TABLE orders (reference text, paid boolean)")
        await connection.execute("INSERT INTO orders VALUES ('dgs_1', false)")
        await connection.commit()
        receiver = await run("Each event exactly once, again")["build_receiver"](database)
        told = await receiver.areceive(PAID, sign(PAID, "whsec_from_the_portal"))
        assert told.status == 200
        found = await connection.execute("SELECT paid FROM orders")
        assert await found.fetchall() == [(True,)]


def test_the_two_commands_are_those_ci_runs() -> None:
    assert SHELL["See a payment succeed"] == "pip install '.[emulator,cli]' && dgspay demo\n"
    assert SHELL["See a payment succeed, again"] == "pip install nox && nox\n"
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"pip install [-a-z ]*nox && nox;", ci)
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    assert '"dgspay", "demo"' in noxfile


@pytest.mark.parametrize("line", SHELL["On the command line"].splitlines())
def test_a_command_of_the_readme_ends_well_and_prints_something(
    environment: Emulator, line: str
) -> None:
    said = dgspay(line)
    assert said.code == 0, said
    assert said.out


# --- the failure table -----------------------------------------------------------------------

ROWS = {
    Verdict.NOT_SENT: "refused, DNS failure, no connection in time",
    Verdict.NOT_SENT_FOR_GOOD: "the certificate does not verify",
    Verdict.UNKNOWN: "no usable answer: timeout, reset, cut, no JSON, contradiction, redirect, 5xx",
    Verdict.REJECTED_BY_STATUS: "4xx without a code, in HTML or JSON: a proxy may have made it",
    Verdict.UNREADABLE: "an answer that is not what the guide describes",
    Verdict.RATE_LIMITED: "429",
    Verdict.SAFE_TO_RETRY: "code 99, unless `retry_99=False`",
    Verdict.KEY_CONFLICT: "code 93, generated key or later attempt",
    Verdict.REJECTED: "codes 90, 91, 92, VALIDATION_ERROR",
    Verdict.UNCONFIRMED: "any other code; `status: failed` with no code and no payment",
}
# What is not known to have failed ends as unknown, wherever money could have moved.
LEAVES_DOUBT = (
    Verdict.UNKNOWN,
    Verdict.REJECTED_BY_STATUS,
    Verdict.UNREADABLE,
    Verdict.SAFE_TO_RETRY,
    Verdict.UNCONFIRMED,
)
COLUMNS = {
    "reads": Repeat.READ,
    "charges, address, links": Repeat.CHARGE,
    "payouts, conversions": Repeat.PAYOUT,
    "PIN, OTP": Repeat.NEVER_AFTER_UNKNOWN,
}


def cell(verdict: Verdict, repeat: Repeat) -> str:
    plain = decide(verdict, repeat, History(own_key=True), trusted=False)
    trusted = decide(verdict, repeat, History(own_key=True), trusted=True)
    unknown = verdict in LEAVES_DOUBT and repeat is not Repeat.READ
    stop = "`OutcomeUnknownError`" if unknown else "raised"
    if plain is Step.STOP and trusted is Step.AGAIN:
        return f"{stop}; if trusted: again, same key"
    again = "again" if repeat is Repeat.READ else "again, same key"
    if verdict is Verdict.RATE_LIMITED:
        again += ", when told"
    elif verdict is Verdict.SAFE_TO_RETRY and unknown:
        again += f"; then {stop}"
    elif verdict is Verdict.KEY_CONFLICT:
        again += "; then `OutcomeUnknownError(likely_accepted=True)`"
    return stop if plain is Step.STOP else again


def outcome_after(verdict: Verdict, repeat: Repeat) -> Outcome:
    call = CallContext(
        operation=Operation(
            method="POST", path="/x", read=dict, repeat=repeat, idempotency_key="mine"
        ),
        attempts=1,
        key="mine",
        earlier_unknown=False,
        earlier_reached=False,
        earlier_accepted=False,
        earlier_answer=None,
        stopped=Stopped.NO,
        secrets=(),
    )
    return outcome_of(Assessment(verdict=verdict), call)


def failure_table() -> str:
    lines = [
        "| what an attempt came to | " + " | ".join(COLUMNS) + " |",
        "|---" * (len(COLUMNS) + 1) + "|",
    ]
    for verdict, name in ROWS.items():
        cells = [cell(verdict, repeat) for repeat in COLUMNS.values()]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
        if verdict is Verdict.KEY_CONFLICT:
            assert all(
                decide(verdict, repeat, History(own_key=own, reached=True), trusted=False)
                is Step.AGAIN
                for repeat in (Repeat.CHARGE, Repeat.PAYOUT, Repeat.NEVER_AFTER_UNKNOWN)
                for own in (True, False)
            )
            assert all(
                decide(verdict, repeat, History(own_key=False), trusted=True) is Step.STOP
                for repeat in Repeat
            )
            first = "code 93, your own key, first attempt"
            lines.append(f"| {first} | raised | raised | raised | raised |")
    return "\n".join(lines)


@pytest.mark.acceptance(31, "retry-table", 61, "unclear-refusal")
@pytest.mark.parametrize("repeat", Repeat)
@pytest.mark.parametrize("verdict", ROWS)
def test_the_failure_table_says_unknown_where_the_outcome_is(
    verdict: Verdict, repeat: Repeat
) -> None:
    unknown = verdict in LEAVES_DOUBT and repeat is not Repeat.READ
    if repeat is Repeat.READ and verdict in (Verdict.UNKNOWN, Verdict.UNREADABLE):
        return  # nothing of a read can have been carried out
    assert (outcome_after(verdict, repeat) is Outcome.UNKNOWN) == unknown


def test_the_failure_table_is_the_one_in_the_code() -> None:
    begin = "checked by tests/test_readme.py -->\n"
    end = "<!-- end of the failure table -->"
    shown = README.partition(begin)[2].partition(end)[0].strip()
    assert shown == failure_table()

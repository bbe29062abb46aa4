"""Results as values: hashable, plain, of one status by each of its words, shown without secrets."""

from __future__ import annotations

import copy
import datetime as dt
import itertools
import json
import operator
import pickle
import subprocess
import sys
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import attrs
import cattrs
import msgspec
import pytest
from fastapi import Body, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, TypeAdapter, ValidationError

from dgspay import DGSPay, Result
from dgspay.emulator import Emulator
from dgspay.models.charges import Charge
from dgspay.models.enums import CallStatus, ConversionStatus, PaymentStatus
from dgspay.models.next_actions import RedirectRequired, UnknownAction
from dgspay.models.payment_links import PaymentLink, PaymentLinkDetails, RecentCharge
from dgspay.models.structuring import structure
from dgspay.models.times import in_zone
from dgspay.models.transactions import Transaction
from dgspay.secret import MASK
from dgspay.testing import client_options
from dgspay.transports.httpx import HttpxTransport
from dgspay.webhooks import PaymentSucceeded

KIGALI = ZoneInfo("Africa/Kigali")
PAN = "4111111111111111"
ROW: dict[str, Any] = {
    "id": "t1",
    "dgs_reference": "d1",
    "status": "success",
    "amount": "94.50",
    "currency": "RWF",
    "created_at": "2026-11-01 08:00:00",
    "steps": [{"took": 1.5}, None],
    "seen": {PAN: PAN, "auth_otp": "1"},
}


def row(**changes: Any) -> Transaction:
    return structure(json.loads(json.dumps({**ROW, **changes}), parse_float=Decimal), Transaction)


def test_results_can_be_members_of_sets_and_keys() -> None:
    link = structure({"id": "l", "metadata": {"order": [7]}}, PaymentLink)
    details = PaymentLinkDetails(link=link, recent_charges=(RecentCharge(id="c"),))
    event = PaymentSucceeded(dgs_reference="d", amount=Decimal(5), currency="RWF", extra={"a": []})
    for result in (row(), link, details, event):
        assert {result: 1}[copy.copy(result)] == 1
        assert pickle.loads(pickle.dumps(result)) == result
    assert row() != row(seen=None)


def test_plain_values_are_exact_and_without_secrets() -> None:
    plain = row().to_dict()
    assert json.loads(json.dumps(plain)) == plain == json.loads(row().to_json())
    assert (plain["amount"], plain["status"]) == ("94.50", "successful")
    assert plain["created_at"] == "2026-11-01T08:00:00"
    assert plain["extra"]["steps"] == [{"took": "1.5"}, None]
    assert plain["extra"]["seen"] == {MASK: MASK, "auth_otp": MASK}
    assert row().extra["seen"][PAN] == PAN
    link = structure({"id": "l", "payment_types": ["card"], "amount": 5000}, PaymentLink)
    assert PaymentLinkDetails(link=link).to_dict()["link"]["payment_types"] == ["card"]
    assert structure({"status": "success", "amount": 5}, Transaction).to_dict()["amount"] == "5"
    event = PaymentSucceeded(
        dgs_reference="d",
        amount=Decimal("1E+3"),
        currency="RWF",
        timestamp=dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    )
    assert event.to_dict()["amount"] == "1000"
    assert event.to_dict()["event"] == "payment.success"


RESULTS: list[Result] = [
    row(steps=None, seen=None),
    # Odd values, which are in `extra` under the names of their fields.
    row(created_at="0000-00-00", narration=[], steps=["1.5"], seen=None),
    row(amount=5, status="odd", extra={"extra": 1}, steps=None, seen=None),
    structure(
        {
            "status": "success",
            "link": {
                "id": "l",
                "payment_types": ["card"],
                "metadata": {"a": [1]},
                "logo_url": 7,
                "created_at": "2026-11-01 08:00:00",
            },
            "stats": {"total_collected": Decimal("94.50"), "odd": True},
            "recent_charges": [{"id": "c", "status": "success", "amount": "94.50"}],
        },
        PaymentLinkDetails,
    ),
    structure(
        {"status": "success", "dgs_reference": "d", "transaction_status": "successful"}, Charge
    ),
    PaymentSucceeded(
        dgs_reference="d",
        amount=Decimal("94.50"),
        currency="RWF",
        timestamp=dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    ),
]


@pytest.mark.parametrize("result", RESULTS)
def test_a_result_comes_back_from_its_plain_values(result: Result) -> None:
    kind = type(result)
    assert kind.from_dict(result.to_dict()) == result
    assert kind.from_dict(result.to_dict(amounts="number")) == result
    assert kind.from_json(result.to_json()) == result
    assert kind.from_json(result.to_json(amounts="number").encode()) == result
    assert copy.deepcopy(result) == result == pickle.loads(pickle.dumps(result))


@pytest.mark.parametrize("result", RESULTS)
def test_a_result_comes_back_from_msgspec_cattrs_and_pydantic(result: Result) -> None:
    kind = type(result)
    assert msgspec.json.decode(msgspec.json.encode(result), type=kind) == result
    converter = cattrs.Converter()
    converter.register_unstructure_hook(Result, lambda result: result.to_dict())
    converter.register_structure_hook(Result, lambda plain, kind: kind.from_dict(plain))
    assert converter.structure(converter.unstructure(result), kind) == result
    adapter = TypeAdapter(kind)
    assert adapter.validate_json(adapter.dump_json(result)) == result
    assert adapter.validate_python(adapter.dump_python(result)) == result
    assert adapter.validate_python(result) is result


def test_amounts_are_written_digit_for_digit_in_either_form() -> None:
    transaction = row(seen=None)
    assert transaction.to_dict(amounts="number")["amount"] == Decimal("94.50")
    assert transaction.to_dict(amounts="number")["extra"]["steps"] == [
        {"took": Decimal("1.5")},
        None,
    ]
    assert '"amount":94.50,' in transaction.to_json(amounts="number")
    assert '"took":1.5' in transaction.to_json(amounts="number")
    assert '"amount":"94.50",' in transaction.to_json()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"amount": 94.5}, "at amount: .* float, which cannot hold an amount exactly"),
        ({"status": None}, "at status"),
        ({"extra": []}, "an object was expected"),
        ({"currency": 7}, "at currency"),
    ],
)
def test_plain_values_that_decide_are_read_strictly(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Transaction.from_dict({**row().to_dict(), **changes})
    with pytest.raises(TypeError, match="takes a mapping, not list"):
        Transaction.from_dict([])  # type: ignore[arg-type]


def test_an_endpoint_of_fastapi_returns_and_documents_a_charge() -> None:
    app = FastAPI()
    charge = structure(
        {"status": "success", "dgs_reference": "d", "amount": "94.50", "odd": 1}, Charge
    )

    @app.get("/pay")
    def pay() -> Charge:
        return charge

    @app.post("/keep")
    def keep(payment: Annotated[Transaction, Body()]) -> list[PaymentLinkDetails]:
        return [PaymentLinkDetails(link=PaymentLink(id=str(payment.amount)))]

    with TestClient(app) as browser:
        assert browser.get("/pay").json() == charge.to_dict()
        (kept,) = browser.post("/keep", json=row().to_dict()).json()
        assert kept["link"]["id"] == "94.50"
        wrongs: list[Any] = [{"status": 1}, [], {**row().to_dict(), "amount": "x"}]
        for wrong in wrongs:
            assert browser.post("/keep", json=wrong).status_code == 422
        document = browser.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    (answer,) = document["paths"]["/pay"]["get"]["responses"]["200"]["content"].values()
    assert answer["schema"] == {"$ref": "#/components/schemas/Charge"}
    assert schemas["Charge"]["description"].startswith("A payment that was started")
    assert "Attributes" not in schemas["Charge"]["description"]
    assert "does not mean that anything was paid" in schemas["Charge"]["properties"]["status"][
        "description"
    ].replace("\n", " ")
    assert schemas["Charge"]["properties"].keys() == charge.to_dict().keys()
    assert schemas["Charge"]["required"] == [*charge.to_dict()]
    link = schemas["PaymentLinkDetails"]["properties"]["link"]
    assert link["$ref"] == "#/components/schemas/PaymentLink"


def test_a_result_is_a_field_of_a_pydantic_model() -> None:
    class Order(BaseModel):
        payment: Transaction

    transaction = row(steps=None)
    order = Order(payment=transaction)
    assert order.payment is transaction
    assert order.model_dump(mode="json") == {"payment": transaction.to_dict()}
    with pytest.raises(ValidationError, match="at amount"):
        Order.model_validate({"payment": {**transaction.to_dict(), "amount": "x"}})


def test_a_program_without_pydantic_loads_none_for_results() -> None:
    program = (
        "import sys, dgspay; "
        "dgspay.Charge.from_dict({'status': 'success', 'dgs_reference': 'd'}).to_json(); "
        "assert not {'pydantic', 'pydantic_core', 'msgspec'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_status_is_each_of_the_vendors_words_for_it() -> None:
    for said in ("success", "successful"):
        status = row(status=said).status
        assert status == "success"
        assert status == "successful"
        assert status == PaymentStatus.SUCCESSFUL
        assert status is PaymentStatus.SUCCESSFUL
        assert status in ("failed", "success")
        assert status not in ("failed", "pending")
        for one, other in ((status, "success"), ("success", status)):
            assert not operator.ne(one, other)  # it must agree with ==
    assert PaymentStatus.FAILED != "success"
    assert PaymentStatus.PENDING != PaymentStatus.SUCCESSFUL
    assert PaymentStatus.SUCCESSFUL != 7
    assert ConversionStatus.SUCCESSFUL == "success"
    assert ConversionStatus.SUCCESSFUL != PaymentStatus.SUCCESSFUL
    unknown = row(status="successfull").status
    assert unknown != "successful"
    assert unknown == "successfull"


def test_that_a_call_was_accepted_is_never_taken_for_a_payment() -> None:
    charge = structure(
        {"status": "success", "dgs_reference": "d", "transaction_status": "pending"}, Charge
    )
    assert charge.status == "success"  # the guide's word
    assert charge.status is CallStatus.ACCEPTED
    for one, other in itertools.permutations((charge.status, PaymentStatus.SUCCESSFUL)):
        assert not operator.eq(one, other)
        assert operator.ne(one, other)
    assert charge.status not in (PaymentStatus.SUCCESSFUL, "successful")
    assert charge.status not in {PaymentStatus.SUCCESSFUL, "successful"}
    assert not charge.is_paid
    assert not charge.is_complete
    assert attrs.evolve(charge, transaction_status=PaymentStatus.SUCCESSFUL).is_paid


@pytest.mark.acceptance(68, "hostile-server-text")
def test_texts_of_the_server_are_shown_masked_and_printable() -> None:
    charge = structure(
        {
            "status": "success",
            "dgs_reference": "d",
            "message": f"card {PAN}\n\x1b[2J \u202egnp",
            "processor_response": "key sk_live_1234567 seen",
            "transaction_status": f"odd {PAN}\x1b",
        },
        Charge,
    )
    assert charge.message is not None
    assert PAN in charge.message
    shown = f"{charge!r} {charge} {charge.transaction_status} {charge.transaction_status!r}"
    assert PAN not in shown
    assert "sk_live" not in shown
    assert shown.isprintable()
    link = structure({"id": "l", "title": PAN, "metadata": {"pin": "1"}}, PaymentLink)
    assert PAN not in repr(link)
    assert "'pin': '***'" in repr(link)


# --- links for payers --------------------------------------------------------------------------

BAD_LINKS = [
    "javascript:alert(1)",
    "JavaScript://pay.example/%0aalert(1)",
    "data:text/html,x",
    "http://pay.example/1",
    "http://10.0.0.1/1",
    "https://user:pw@pay.example/1",
    "https://pay.example@evil.example/1",
    "https://pay.example\\@evil.example/",
    "//pay.example/1",
    "/relative",
    "https:///nohost",
    "https://pay.example/\r\nSet-Cookie: a=b",
    "https://pay.example/\x1b",
    " https://pay.example/1",
    "https://pay.example:99999/",
    "https://p\u0430y.example/",
    f"https://pay.example/{'x' * 2100}",
    "",
    7,
    ["https://pay.example/1"],
]


def redirect(url: Any) -> Charge:
    return structure(
        {
            "status": "success",
            "dgs_reference": "d",
            "transaction_status": "pending",
            "next_action_type": "redirect_url",
            "next_action_redirect_url": url,
        },
        Charge,
    )


@pytest.mark.parametrize("url", BAD_LINKS)
def test_no_payer_is_sent_to_a_link_that_is_not_one(url: Any) -> None:
    charge = redirect(url)
    assert charge.next_action == UnknownAction(type="redirect_url")
    assert charge.next_action_redirect_url is None
    assert charge.extra["next_action_redirect_url"] == url
    link = structure({"id": "l", "url": url}, PaymentLink)
    assert link.url is None
    assert link.extra == {"url": url}
    if isinstance(url, str):
        by_hand = Charge(
            status=CallStatus.ACCEPTED,
            dgs_reference="d",
            next_action_type="redirect_url",
            next_action_redirect_url=url,
        )
        assert by_hand.next_action == UnknownAction(type="redirect_url")


@pytest.mark.parametrize(
    "url",
    [
        "https://provider.com/authorize?x=1&y=%2F#z",
        "https://provider.com:8443/",
        "http://127.0.0.1:8250/generation/authorize/d",
        "http://localhost/x",
        "http://[::1]:8250/x",
    ],
)
def test_payers_are_sent_to_https_and_to_the_emulator(url: str) -> None:
    assert redirect(url).next_action == RedirectRequired(url=url)


def test_bad_link_beside_a_success_still_says_that_it_goes_on() -> None:
    charge = structure(
        {
            "status": "success",
            "dgs_reference": "d",
            "transaction_status": "successful",
            "next_action_redirect_url": "javascript:alert(1)",
        },
        Charge,
    )
    assert not charge.is_complete
    assert not charge.is_declined


def test_merchants_own_urls_may_be_http_as_where_they_are_given() -> None:
    link = structure(
        {"id": "l", "redirect_url": "http://shop.example/", "logo_url": ""}, PaymentLink
    )
    assert link.redirect_url == "http://shop.example/"
    assert link.logo_url is None


# --- times --------------------------------------------------------------------------------------


def test_times_have_the_zone_of_the_client() -> None:
    with Emulator() as emulator:
        emulator.generate(3)
        transport = HttpxTransport(emulator.http_client())
        options = {**client_options(emulator), "transport": transport}
        with DGSPay(**options, api_timezone=KIGALI) as dgs:
            rows = list(dgs.transactions.list())
            now = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)
            assert all(row.created_at is not None and row.created_at < now for row in rows)
            assert {row.created_at.tzinfo for row in rows if row.created_at} == {KIGALI}
            link = dgs.payment_links.create(title="x", amount_type="fixed", amount=500)
            details = dgs.payment_links.retrieve(link.id)
            assert details.link.created_at is not None
            assert details.link.created_at.tzinfo is KIGALI
        transport = HttpxTransport(emulator.http_client())
        with DGSPay(**{**options, "transport": transport}) as dgs:
            (first, *_) = dgs.transactions.list()
            assert first.created_at is not None
            assert first.created_at.tzinfo is None


def test_a_zone_that_came_with_a_time_stays() -> None:
    aware = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    assert in_zone((aware, None, "x"), KIGALI) == (aware, None, "x")
    unchanged = row(created_at=None)
    assert in_zone(unchanged, KIGALI) is unchanged


def test_line_breaks_in_what_a_program_keeps_stay() -> None:
    link = structure({"id": "l", "metadata": {"note": "a\r\nb\u2028c sk_live_1"}}, PaymentLink)
    assert link.to_dict()["metadata"] == {"note": f"a\r\nb\u2028c {MASK}"}
    assert "\n" not in repr(link)

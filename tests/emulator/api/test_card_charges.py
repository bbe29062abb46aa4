"""Card charges: really decrypted, decided by scenario or card, and no card number kept."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from dgspay.emulator import Emulator
from dgspay.emulator.api.card_charges import TEST_CARDS
from tests.emulator.emulator_calls import GUIDE_CARD, NONCE, card_charge, pin_authorization, sealed

# Made with the vendor's algorithm in another language (api-facts, known-answer test).
KNOWN_ANSWER = {
    "card_encrypted_number": "63oda1oMNeWjs//G2Dtw7hF5YVpWFUu4wUlBIDo4pjc=",
    "card_encrypted_expiry_month": "7n3Y4sC0bAetrjHFpM2zPYIQ",
    "card_encrypted_expiry_year": "7X8cYT+LT1yGAqIUbz+39JIX9ug=",
    "card_encrypted_cvv": "7n0d73RO7SL4Im0W9t46jt8Qhg==",
    "card_nonce": NONCE,
}
KNOWN_PIN = "7n0dbdlBD0SfjAvhr1FJlbderws="


def charge(client: httpx.Client, emulator: Emulator, **changes: Any) -> dict[str, Any]:
    answer = client.post("/charges", json=card_charge(emulator, **changes))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def test_the_known_answer_is_decrypted(client: httpx.Client, emulator: Emulator) -> None:
    body = {**card_charge(emulator), **KNOWN_ANSWER, "scenario_key": "scenario:auth_pin"}
    started = client.post("/charges", json=body).json()
    assert started["next_action_type"] == "requires_pin"
    done = client.post(
        "/authorize",
        json={
            "dgs_reference": started["dgs_reference"],
            "auth_type": "pin",
            "auth_pin_encrypted": KNOWN_PIN,
            "auth_pin_nonce": NONCE,
        },
    ).json()
    assert done["transaction_status"] == "successful"
    assert "next_action_type" not in done


def test_published_cards_are_real_numbers_save_the_guides_own() -> None:
    assert [number for number in TEST_CARDS if not luhn(number)] == [GUIDE_CARD]


@pytest.mark.parametrize(
    ("number", "next_action", "status"),
    [
        (GUIDE_CARD, None, "successful"),
        ("4242424242424242", None, "successful"),
        ("5555555555554444", None, "successful"),
        ("5438898014560229", "requires_pin", "pending"),
        ("4187427415564246", "requires_otp", "pending"),
        ("5531886652142950", "requires_pin", "pending"),
        ("4556052704172643", "requires_additional_fields", "pending"),
        ("4000000000000002", None, "failed"),
    ],
)
def test_without_a_scenario_the_card_decides(
    client: httpx.Client, emulator: Emulator, number: str, next_action: str | None, status: str
) -> None:
    body = charge(client, emulator, number=number)
    assert (body.get("next_action_type"), body["transaction_status"]) == (next_action, status)
    payment = emulator.transactions[0]
    assert (payment.card_brand, payment.card_last4) == (TEST_CARDS[number].brand, number[-4:])


@pytest.mark.parametrize(
    ("issuer", "code"),
    [
        ("insufficient_funds", "51"),
        ("incorrect_pin", "55"),
        ("expired_card", "54"),
        ("invalid_cvv", "N7"),
        ("do_not_honor", "05"),
        ("system_error", "96"),
    ],
)
def test_an_issuer_declines_at_once_without_authorization(
    client: httpx.Client, emulator: Emulator, issuer: str, code: str
) -> None:
    body = charge(client, emulator, scenario_key=f"issuer:{issuer}")
    assert body["status"] == body["transaction_status"] == "failed"
    assert (body["issuer_response_type"], body["issuer_response_code"]) == ("declined", code)
    assert body["processor_response"]
    assert "error_code" not in body
    assert emulator.webhooks.deliveries[0].event == "payment.failed"


@pytest.mark.acceptance(48, "odd-scenario")
@pytest.mark.parametrize(
    "key", ["scenario:auth_pin&issuer:approved", "issuer:approved&scenario:auth_pin"]
)
def test_the_parts_of_a_scenario_come_in_either_order(
    client: httpx.Client, emulator: Emulator, key: str
) -> None:
    started = charge(client, emulator, scenario_key=key)
    assert started["next_action_type"] == "requires_pin"
    done = client.post("/authorize", json=pin_authorization(emulator, started["dgs_reference"]))
    assert done.json()["transaction_status"] == "successful"


@pytest.mark.acceptance(48, "odd-scenario")
@pytest.mark.parametrize("key", ["issuer:nobody", "scenario:auth_redirect", "issuer:", "bank:x"])
def test_an_unknown_issuer_or_scenario_is_refused(
    client: httpx.Client, emulator: Emulator, key: str
) -> None:
    answer = client.post("/charges", json=card_charge(emulator, scenario_key=key))
    assert (answer.status_code, answer.json()["error_code"]) == (400, "90")
    assert emulator.transactions == ()


@pytest.mark.parametrize(
    ("pin", "issuer", "code"),
    [("4321", "approved", "55"), ("1234", "incorrect_pin", "55"), ("1234", "do_not_honor", "05")],
)
def test_a_wrong_pin_and_an_issuer_decline_after_the_pin(
    client: httpx.Client, emulator: Emulator, pin: str, issuer: str, code: str
) -> None:
    started = charge(client, emulator, scenario_key=f"scenario:auth_pin&issuer:{issuer}")
    body = client.post(
        "/authorize", json=pin_authorization(emulator, started["dgs_reference"], pin)
    ).json()
    assert (body["transaction_status"], body["issuer_response_code"]) == ("failed", code)


def test_incorrect_pin_strikes_before_the_otp_is_asked_for(
    client: httpx.Client, emulator: Emulator
) -> None:
    started = charge(client, emulator, scenario_key="scenario:auth_pin_3ds&issuer:incorrect_pin")
    body = client.post(
        "/authorize", json=pin_authorization(emulator, started["dgs_reference"])
    ).json()
    assert (body["transaction_status"], body["issuer_response_code"]) == ("failed", "55")


def test_a_pin_is_asked_for_before_the_otp(client: httpx.Client, emulator: Emulator) -> None:
    started = charge(client, emulator, scenario_key="scenario:auth_pin_3ds")
    reference = started["dgs_reference"]
    otp = {"dgs_reference": reference, "auth_type": "otp", "auth_otp": "123456"}
    too_early = client.post("/authorize", json=otp)
    assert (too_early.status_code, too_early.json()["error_code"]) == (400, "90")
    second = client.post("/authorize", json=pin_authorization(emulator, reference)).json()
    assert (second["transaction_status"], second["next_action_type"]) == (
        "pending",
        "requires_otp",
    )
    done = client.post("/authorize", json=otp).json()
    assert done["transaction_status"] == "successful"
    again = client.post("/authorize", json=otp)
    assert (again.status_code, again.json()["error_code"]) == (400, "90")


def test_a_wrong_otp_declines(client: httpx.Client, emulator: Emulator) -> None:
    reference = charge(client, emulator, scenario_key="scenario:auth_3ds")["dgs_reference"]
    otp = {"dgs_reference": reference, "auth_type": "otp", "auth_otp": "000000"}
    assert client.post("/authorize", json=otp).json()["transaction_status"] == "failed"
    assert "000000" not in repr(emulator.requests)


def test_the_guides_address_is_accepted_and_its_minimum_required(
    client: httpx.Client, emulator: Emulator
) -> None:
    reference = charge(client, emulator, scenario_key="scenario:auth_avs")["dgs_reference"]
    avs = {
        "dgs_reference": reference,
        "auth_type": "avs",
        "avs_line1": "123 Main Street",
        "avs_line2": "Apt 4B",
        "avs_city": "Kigali",
        "avs_state": "Kigali City",
        "avs_country": "RW",
        "avs_postal_code": "00000",
    }
    for name in ("avs_line1", "avs_country"):
        short = client.post("/authorize", json={k: v for k, v in avs.items() if k != name})
        assert name in short.json()["message"]
    assert client.post("/authorize", json=avs).json()["transaction_status"] == "successful"


def test_authorizing_what_is_not_there(client: httpx.Client, emulator: Emulator) -> None:
    answer = client.post("/authorize", json=pin_authorization(emulator, "dgs_0"))
    assert (answer.status_code, answer.json()["error_code"]) == (404, "92")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("card_encrypted_number", "bm90IGEgY2FyZA=="),
        ("card_encrypted_number", "not base64!"),
        ("card_encrypted_number", "é"),
        ("card_encrypted_cvv", KNOWN_ANSWER["card_encrypted_number"]),
        ("card_encrypted_expiry_month", KNOWN_ANSWER["card_encrypted_cvv"]),
        ("card_encrypted_expiry_year", KNOWN_ANSWER["card_encrypted_cvv"]),
        ("card_nonce", "abc123def45"),
        ("card_nonce", "abc123def456abc123def456"),
        ("card_nonce", "abc123def45é"),
        ("card_nonce", "abc123def457"),
    ],
)
def test_card_fields_that_cannot_be_read_are_refused(
    client: httpx.Client, emulator: Emulator, name: str, value: str
) -> None:
    answer = client.post("/charges", json=card_charge(emulator, **{name: value}))
    assert (answer.status_code, answer.json()["error_code"]) == (400, "90")
    assert value not in answer.text
    assert emulator.transactions == ()


@pytest.mark.acceptance(46, "emulator-is-local")
def test_an_unpublished_card_is_refused_and_kept_nowhere(
    client: httpx.Client, emulator: Emulator
) -> None:
    number = "4929000000006"  # passes the Luhn check, is on no list
    assert luhn(number)
    answer = client.post("/charges", json=card_charge(emulator, number=number))
    assert (answer.status_code, answer.json()["error_code"]) == (400, "90")
    assert emulator.transactions == ()
    kept = repr((emulator.requests, emulator.executed, vars(emulator), answer.text))
    assert number not in kept
    assert sealed(emulator, number) not in kept


@pytest.mark.acceptance(46, "emulator-is-local")
def test_of_a_published_card_only_brand_and_last_digits_are_kept(
    client: httpx.Client, emulator: Emulator
) -> None:
    charge(client, emulator, cvv="987")
    kept = repr((emulator.requests, emulator.transactions, emulator.executed))
    assert GUIDE_CARD not in kept
    assert not re.search(r"\b987\b", kept)
    assert sealed(emulator, GUIDE_CARD) not in kept
    assert NONCE not in kept

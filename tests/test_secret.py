"""Secrets have no printable form, and text they slipped into is masked."""

from __future__ import annotations

import copy
import pickle
from types import MappingProxyType

import pytest

from dgspay.secret import MASK, Secret, masked, masked_text


def test_no_way_of_printing_shows_it() -> None:
    secret = Secret("sk_test_1")
    for shown in (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r}",
        f"{secret:>20}",
        f"{[secret]}",
    ):
        assert "sk_test_1" not in shown
        assert MASK in shown
    assert secret.reveal() == "sk_test_1"


def test_it_cannot_be_pickled_or_copied_out() -> None:
    for escape in (pickle.dumps, copy.deepcopy, copy.copy):
        with pytest.raises(TypeError, match="pickled"):
            escape(Secret("x"))
    assert not hasattr(Secret("x"), "__dict__")


def test_equality_is_by_content() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("\ud800") == Secret("\ud800")


def test_masking_looks_into_every_kind_of_mapping_and_list() -> None:
    # As a program may give them as metadata.
    inner = MappingProxyType({"pin": "1234", "notes": ("card 4111 1111 1111 1111", "ok"), 7: "x"})
    assert masked({"metadata": inner}) == {
        "metadata": {"pin": MASK, "notes": [f"card {MASK}", "ok"], 7: "x"}
    }


def test_masking_finds_secrets_by_name_and_by_look() -> None:
    body = {
        "card_nonce": "abc",
        "Auth_OTP": "123456",
        "card_encrypted_cvv": None,
        "items": [{"note": "card 4111-1111-1111-1111, key sk_live_abc"}],
        "amount": 5,
    }
    assert masked(body) == {
        "card_nonce": MASK,
        "Auth_OTP": MASK,
        "card_encrypted_cvv": None,
        "items": [{"note": f"card {MASK}, key {MASK}"}],
        "amount": 5,
    }
    assert masked_text("own key k1", [Secret("k1")]) == f"own key {MASK}"
    assert masked_text("phone 250788123456, order 12345") == "phone 250788123456, order 12345"

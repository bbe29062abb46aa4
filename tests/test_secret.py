"""Secrets have no printable form, and text they slipped into is masked."""

from __future__ import annotations

import copy
import pickle
from types import MappingProxyType

import pytest

from dgspay.secret import MASK, Sealed, Secret, masked, masked_data, masked_text


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


def test_it_cannot_be_pickled_and_a_copy_is_itself() -> None:
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(Secret("x"))
    secret = Secret("x")
    assert copy.copy(secret) is copy.deepcopy([secret])[0] is secret
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


def test_what_is_sealed_has_no_attribute_that_holds_it() -> None:
    for sealed in (Sealed(b"the body"), Secret("the text")):
        assert not hasattr(sealed, "__dict__")
        names = {name for kind in type(sealed).__mro__ for name in getattr(kind, "__slots__", ())}
        held = [getattr(sealed, name) for name in {*names, *dir(sealed)} if name != "__doc__"]
        texts = [str(value) for value in held if isinstance(value, str | bytes)]
        assert not any("the " in text for text in texts)
    assert Sealed(b"x") == Sealed(b"x")
    assert Sealed(b"x") != Sealed(b"y")
    assert Sealed("x") != Secret("x")
    assert Sealed({"a": 1}).reveal() == {"a": 1}
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(Sealed(b"x"))


@pytest.mark.acceptance(68, "hostile-server-text")
def test_words_are_made_printable_and_keys_are_masked() -> None:
    odd = "\N{REPLACEMENT CHARACTER}"
    assert masked_text("a\nb\x1b[2J\u202e\u2028c") == f"a b{odd}[2J{odd} c"
    assert masked({"sk_live_1": {"4111111111111111": "a\nb"}}) == {MASK: {MASK: "a b"}}
    assert masked_text("SK_LIVE_abc") == MASK


def test_data_that_is_kept_loses_secrets_and_nothing_else() -> None:
    text = "a\r\nb\x1b\u202e\u2028c"
    assert masked_data(text) == text
    assert masked_data({"n\n": [text, "a\nsk_live_1"]}) == {"n\n": [text, f"a\n{MASK}"]}


@pytest.mark.acceptance(68, "hostile-server-text")
def test_secret_with_special_characters_is_found_as_each_layer_writes_it() -> None:
    secret = Secret('a"b/c&d+e==\\f')
    for text in ('a"b/c&d+e==\\f', 'a\\"b/c&d+e==\\\\f', "A%22B%2FC%26D%2BE%3D%3D%5CF"):
        assert masked_text(f"<{text}>", [secret]) == f"<{MASK}>", text
    assert masked_text("a&quot;b/c&amp;d+e==\\f", [secret]) == MASK


@pytest.mark.acceptance(68, "hostile-server-text")
@pytest.mark.parametrize("each", ["%{:02X}", "%{:02x}", "&#{};", "&#x{:X};", "\\u{:04x}"])
def test_secret_is_found_with_every_character_written_as_a_number(each: str) -> None:
    written = "".join(each.format(ord(char)) for char in "sk_test_4711")
    assert masked_text(f"<{written}>", [Secret("sk_test_4711")]) == f"<{MASK}>"


def test_letters_whose_small_form_is_longer_do_not_move_the_mask() -> None:
    assert masked_text("\u0130\u0130 SECRET-123456 \u0130", [Secret("secret-123456")]) == (
        f"\u0130\u0130 {MASK} \u0130"
    )


def test_an_empty_secret_masks_nothing() -> None:
    assert masked_text("a b", [Secret("")]) == "a b"

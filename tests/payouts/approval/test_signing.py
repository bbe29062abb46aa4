"""Signatures: of canonical bytes, by one key, and of nothing else."""

from __future__ import annotations

import attrs
import pytest

from dgspay.errors import ConfigError
from dgspay.payouts import PublicKey
from dgspay.payouts.approval.signing import Signature, canonical
from tests.support.signers import ALICE, BOB, signer

pytestmark = pytest.mark.acceptance(107, "approval-broken")


def test_a_signature_is_of_its_document_and_its_key_alone() -> None:
    signed = ALICE.sign({"count": 3, "name": "é", "none": None, "days": 5.0})
    assert signed.is_of(ALICE.key)
    assert signed.said == {"count": 3, "name": "é", "none": None, "days": 5.0, "person": "Alice"}
    assert not signed.is_of(BOB.key)
    assert not signed.is_of(signer("Alice", "another").key)
    for changed in (
        attrs.evolve(signed, document=signed.document.replace("3", "4")),
        attrs.evolve(signed, document=signed.document + " "),
        attrs.evolve(signed, signature=BOB.sign(signed.said).signature),
        attrs.evolve(signed, signature="no hex"),
        attrs.evolve(signed, signature=""),
    ):
        assert not changed.is_of(ALICE.key)


def test_the_bytes_follow_from_names_and_values_and_not_from_their_order() -> None:
    assert canonical({"b": 1, "a": "ü"}) == canonical({"a": "ü", "b": 1}) == '{"a":"\\u00fc","b":1}'


def test_a_bare_signature_of_the_document_is_none() -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from dgspay.payouts import Signer

    private = Ed25519PrivateKey.generate()
    key = Signer("Eve", private).key
    document = canonical({"a": 1})
    bare = Signature(key.id, document, private.sign(document.encode()).hex())
    assert not bare.is_of(key)


def test_a_document_that_is_none_says_nothing() -> None:
    assert Signature("k", "{", "").said == {}
    assert Signature("k", "[]", "").said == {}


@pytest.mark.parametrize("text", ["", "ed25519:", "ed25519:AAAA", "rsa:" + "A" * 44, "é"])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="public key of Jane"):
        PublicKey.parse("Jane", text)


@pytest.mark.parametrize("person", ["", " ", "a\x1bb", "x" * 65])
def test_a_person_has_a_name_that_can_be_printed(person: str) -> None:
    with pytest.raises(ConfigError, match="person's name"):
        PublicKey.parse(person, ALICE.key.text)


def test_a_public_key_may_be_typed_without_its_prefix_and_the_private_one_is_not_shown() -> None:
    bare = ALICE.key.text.removeprefix("ed25519:")
    assert PublicKey.parse(" Alice ", f" {bare}\n") == ALICE.key
    assert repr(ALICE) == f"Signer('Alice', {ALICE.key.id})"

"""Ed25519 keys of persons, and their signatures of documents in canonical bytes."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from dgspay.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Document = Mapping[str, str | int | float | None]
"""What is signed: names and plain values."""

# What is signed here must never pass for something that is signed elsewhere with the same key.
_DOMAIN = b"dgspay payouts signature 1\n"
_PREFIX = "ed25519:"
_KEY_BYTES = 32
_LONGEST_PERSON = 64


@attrs.frozen
class PublicKey:
    """The key by which a person's signatures are known.

    Attributes:
        person: Whose it is.
        text: `ed25519:` and the key's 32 bytes in base64.
    """

    person: str
    text: str

    @property
    def id(self) -> str:
        """A short name of the key, which follows from its bytes."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    @classmethod
    def parse(cls, person: str, text: str) -> PublicKey:
        """Return a key as it was typed.

        Raises:
            ConfigError: it is no such key, or the person has no name.
        """
        name = person.strip()
        if not name or not name.isprintable() or len(name) > _LONGEST_PERSON:
            raise ConfigError("a person's name is 1 to 64 printable characters")
        try:
            raw = base64.b64decode(text.strip().removeprefix(_PREFIX).encode(), validate=True)
        except (ValueError, binascii.Error):
            raw = b""
        if len(raw) != _KEY_BYTES:
            raise ConfigError(
                f"the public key of {name} must be {_PREFIX} and 44 characters, as `dgspay payouts "
                "key` shows it"
            )
        return cls(name, _text_of(raw))


def _text_of(raw: bytes) -> str:
    return _PREFIX + base64.b64encode(raw).decode()


@attrs.frozen
class Signature:
    """A signed document.

    Attributes:
        key: The id of the key.
        document: What was signed, as canonical JSON.
        signature: In hexadecimal.
    """

    key: str
    document: str
    signature: str

    @property
    def said(self) -> dict[str, str | int | float | None]:
        """What the document says; nothing where it is none."""
        try:
            found = json.loads(self.document)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def is_of(self, key: PublicKey) -> bool:
        """Say whether the key's owner signed this document."""
        return _is_signed(self.document, self.signature, key.text)


@functools.lru_cache(maxsize=1024)
def _is_signed(document: str, signature: str, public: str) -> bool:
    # Not at the top: what signs nothing needs no cryptography.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PublicKey,
    )

    try:
        raw = base64.b64decode(public.removeprefix(_PREFIX))
        Ed25519PublicKey.from_public_bytes(raw).verify(
            bytes.fromhex(signature), _DOMAIN + document.encode()
        )
    except (InvalidSignature, ValueError):
        return False
    return True


class Signer:
    """A person's private key. It has no printable form.

    Args:
        person: Whose it is.
        private: The key.
    """

    def __init__(self, person: str, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.key = PublicKey.parse(person, _text_of(private.public_key().public_bytes_raw()))

    def __repr__(self) -> str:
        return f"Signer({self.key.person!r}, {self.key.id})"

    def sign(self, document: Document) -> Signature:
        """Sign a document, with the person's name in it."""
        text = canonical({**document, "person": self.key.person})
        signature = self._private.sign(_DOMAIN + text.encode()).hex()
        return Signature(self.key.id, text, signature)


def canonical(document: Document) -> str:
    """Return a document as it is signed: always the same for the same names and values."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)

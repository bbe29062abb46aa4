"""Private keys in files that only their owner reads, encrypted with a passphrase."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from dgspay.errors import ConfigError
from dgspay.payouts.approval.signing import PublicKey, Signer
from dgspay.secret import Secret

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FEWEST_CHARACTERS = 10
"""Of a passphrase."""

_VERSION = 1
_SALT_BYTES, _NONCE_BYTES = 16, 12
# 64 MiB and a quarter of a second for each guess.
_COST, _BLOCK, _LANES, _MEMORY = 1 << 16, 8, 1, 128 * 1024 * 1024


def create_key(path: Path, person: str, passphrase: Secret) -> PublicKey:
    """Make a private key and write it into a new file.

    Args:
        path: The file.
        person: Whose key it is.
        passphrase: What the file is encrypted with.

    Returns:
        The public key, to be registered in the ledger's policy.

    Raises:
        ConfigError: the passphrase is too short, or there is something at that path.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    if len(passphrase.reveal()) < FEWEST_CHARACTERS:
        raise ConfigError(f"a passphrase has at least {FEWEST_CHARACTERS} characters")
    private = Ed25519PrivateKey.generate()
    key = Signer(person, private).key
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    sealed = _cipher(passphrase, salt).encrypt(nonce, private.private_bytes_raw(), _about(key))
    fields = {
        "version": _VERSION,
        "person": key.person,
        "public": key.text,
        "salt": _text(salt),
        "nonce": _text(nonce),
        "sealed": _text(sealed),
    }
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise ConfigError(f"{path} is there already: a key replaces nothing") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(fields, indent=1) + "\n")
        file.flush()
        os.fsync(descriptor)
    return key


def public_key_in(path: Path) -> PublicKey:
    """Return the public key of a key file; that needs no passphrase.

    Raises:
        ConfigError: it is no key file.
    """
    fields = _fields(path)
    return PublicKey.parse(fields["person"], fields["public"])


def load_key(path: Path, passphrase: Secret) -> Signer:
    """Open a key file.

    Raises:
        ConfigError: it is no key file, others may read it, or the passphrase is wrong.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PrivateKey,
    )

    fields = _fields(path)
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise ConfigError(f"others may read {path}: make it private with chmod 600, or a new key")
    key = public_key_in(path)
    try:
        raw = _cipher(passphrase, _bytes(fields["salt"])).decrypt(
            _bytes(fields["nonce"]), _bytes(fields["sealed"]), _about(key)
        )
        signer = Signer(key.person, Ed25519PrivateKey.from_private_bytes(raw))
    except (InvalidTag, ValueError):
        raise ConfigError(f"the passphrase of {path} is wrong, or the file was changed") from None
    return signer


def _cipher(passphrase: Secret, salt: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    key = hashlib.scrypt(
        passphrase.reveal().encode("utf-8", "surrogatepass"),
        salt=salt,
        n=_COST,
        r=_BLOCK,
        p=_LANES,
        maxmem=_MEMORY,
        dklen=32,
    )
    return AESGCM(key)


def _about(key: PublicKey) -> bytes:
    """Return what is authenticated with the private key: whose it is."""
    return f"dgspay payouts key {_VERSION}\n{key.person}\n{key.text}".encode()


def _fields(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["version"] == _VERSION:
            names = ("person", "public", "salt", "nonce", "sealed")
            return {name: str(found[name]) for name in names}
    except OSError as error:
        raise ConfigError(f"the key {path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        pass
    raise ConfigError(f"{path} is no key of `dgspay payouts key`")


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)

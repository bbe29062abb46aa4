"""Proof that a webhook came from DGS-Pay: HMAC-SHA256 over the raw body (guide, "Webhooks")."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from typing import Literal

from dgspay.errors import ConfigError, SignatureError, WrongEnvironmentError
from dgspay.secret import Secret
from dgspay.webhooks.events import Event, EventEnvironment, read_event

SIGNATURE_HEADER = "X-DGS-Signature"
"""The header the signature comes in."""

SecretInput = str | Secret | Sequence[str | Secret]
"""A webhook secret, or several during a rotation."""

EnvironmentInput = Literal["production", "sandbox", "test", "emulator"]
"""The environment that is expected: real money, or simulated money under any of its names."""

_EXPECTED: dict[str, EventEnvironment] = {
    "production": EventEnvironment.PRODUCTION,
    "sandbox": EventEnvironment.TEST,
    "test": EventEnvironment.TEST,
    "emulator": EventEnvironment.TEST,
}

_NOT_TEXT = "the webhook secret must be a str, or a list of them during a rotation"

_SIGNATURE = re.compile(r"[0-9a-f]{64}", re.ASCII)


def sign(body: bytes, secret: str | Secret) -> str:
    """Return the signature DGS-Pay sends with this body: 64 lowercase hex characters.

    Raises:
        TypeError: when the body is not bytes.
        ConfigError: when the secret is missing or empty.
    """
    held, fault = hold_secrets([secret])
    # From here on no local of this frame holds the secret's text, in case it ends up in a log.
    del secret
    if fault is not None:
        raise ConfigError(fault)
    require_bytes(body)
    return _digest(held[0], body)


def verify(
    body: bytes,
    signature: str | None,
    secret: SecretInput,
    *,
    environment: EnvironmentInput | None = None,
) -> Event:
    """Check that DGS-Pay signed this body, and read it (guide, "Signature Verification").

    Args:
        body: The request's body exactly as it arrived. JSON that was parsed and written again
            has other bytes and fails.
        signature: The value of the `X-DGS-Signature` header; None when it is missing.
        secret: The webhook secret of the merchant portal. Give two during a rotation: either
            passes.
        environment: What this receiver is for. An event that says it belongs to the other
            environment is rejected; only payment events are documented to say so.

    Raises:
        SignatureError: when the signature is missing, malformed or not of this body. Answer
            401 and do nothing else.
        WrongEnvironmentError: (a SignatureError) when test meets production.
        DecodeError: when the body is signed but is not an event.
        ConfigError: when a secret is missing or empty, or `environment` is not a known word.
        TypeError: when the body is not bytes.
    """
    held, fault = hold_secrets(secret)
    del secret
    if fault is not None:
        raise ConfigError(fault)
    expected = None if environment is None else expected_environment(environment)
    require_bytes(body)
    if not isinstance(signature, str) or not _SIGNATURE.fullmatch(signature):
        raise SignatureError(
            f"{SIGNATURE_HEADER} is missing or is not 64 lowercase hexadecimal characters"
        )
    if not _is_signed(body, signature, held):
        raise SignatureError(
            f"{SIGNATURE_HEADER} is not of this body under this secret: the body was changed on "
            "the way (or parsed and written again), or the secret is another one"
        )
    event = read_event(body)
    if expected is not None and not _is_of(event, expected):
        raise WrongEnvironmentError(
            f"the event is signed, but it is not of the {expected} environment"
        )
    return event


def hold_secrets(secret: object) -> tuple[tuple[Secret, ...], str | None]:
    """Return the secrets in holders without a printable form, and what is wrong with them.

    The fault is returned and not raised, so that no secret is left in a frame that raises.
    """
    if isinstance(secret, str):
        holder = Secret(secret)
        return (holder,), _fault_of(holder)
    candidates = (secret,) if isinstance(secret, Secret) else secret
    if not isinstance(candidates, Sequence):
        return (), _NOT_TEXT
    if not candidates:
        return (), "the webhook secret is missing: an event could be forged"
    held: list[Secret] = []
    for candidate in candidates:
        holder = Secret(candidate) if isinstance(candidate, str) else candidate
        if not isinstance(holder, Secret):
            return (), _NOT_TEXT
        fault = _fault_of(holder)
        if fault is not None:
            return (), fault
        held.append(holder)
    return tuple(held), None


def expected_environment(word: str) -> EventEnvironment:
    """Return what an event must say to be of this environment.

    Raises:
        ConfigError: when the word is not one of `EnvironmentInput`.
    """
    expected = _EXPECTED.get(word) if isinstance(word, str) else None
    if expected is None:
        raise ConfigError(f"environment must be one of {', '.join(_EXPECTED)}")
    return expected


def require_bytes(body: object) -> None:
    """Reject what is not bytes.

    Raises:
        TypeError: saying why only bytes will do.
    """
    if not isinstance(body, bytes):
        raise TypeError(
            f"the body must be the raw bytes of the request, not {type(body).__name__}: "
            "a signature covers bytes, and parsed or decoded text does not lead back to them"
        )


def _is_of(event: Event, expected: EventEnvironment) -> bool:
    # In any letters: an event rejected for a capital would be rejected at every redelivery.
    return event.environment is None or event.environment.casefold() == expected


def _fault_of(holder: Secret) -> str | None:
    text = holder.reveal()
    if not text:
        return "the webhook secret is empty: anyone could sign with it"
    if text != text.strip():
        return "the webhook secret begins or ends with white space: copy it without"
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        return "the webhook secret is not valid text"
    return None


def _is_signed(body: bytes, signature: str, secrets: Sequence[Secret]) -> bool:
    """Compare with every secret in constant time, also after one has passed."""
    passed = False
    for secret in secrets:
        passed |= hmac.compare_digest(_digest(secret, body), signature)
    return passed


def _digest(secret: Secret, body: bytes) -> str:
    return hmac.new(secret.reveal().encode(), body, "sha256").hexdigest()

"""The claim: `encrypt_card` costs at most twice four bare AES-GCM calls, checks and all.

"Bare" can be read in two ways, and the table has both: `AESGCM(key).encrypt(...)` as the
documentation of cryptography shows it, and `encrypt` on an object that is kept, which is the
stricter floor. The claim holds for the first and not for the second. The vendor's algorithm in
Python, as a reader of the guide would write it and without a check, stands beside them.
"""

from __future__ import annotations

import base64
import secrets
import statistics
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.report import Claim, Section, table
from benchmarks.rounds import Spread, Subject, ratios, seconds_per_call
from dgspay.encryption import CardEncryptor

CALLS = 100
LIMIT = 2.0
KEY = bytes(range(32))
NONCE = b"abc123def456"
FIELDS = ("4111111111111111", "12", "2028", "123")
PLAINTEXTS = tuple(field.encode() for field in FIELDS)


def four_bare_calls() -> Subject:
    def call() -> Any:
        return [AESGCM(KEY).encrypt(NONCE, plaintext, None) for plaintext in PLAINTEXTS]

    return call


def four_calls_on_a_kept_object() -> Subject:
    aes = AESGCM(KEY)

    def call() -> Any:
        return [aes.encrypt(NONCE, plaintext, None) for plaintext in PLAINTEXTS]

    return call


def guide_in_python() -> Subject:
    """The guide's `encryptCard`, line by line: it imports the key for every card."""
    key = base64.b64encode(KEY)

    def call() -> Any:
        aes = AESGCM(base64.b64decode(key))
        nonce = secrets.token_hex(6)
        number, month, year, cvv = (
            base64.b64encode(aes.encrypt(nonce.encode(), field.encode(), None)).decode()
            for field in FIELDS
        )
        return {
            "card_encrypted_number": number,
            "card_encrypted_expiry_month": month,
            "card_encrypted_expiry_year": year,
            "card_encrypted_cvv": cvv,
            "card_nonce": nonce,
        }

    return call


def dgspay_encrypt_card() -> Subject:
    encryptor = CardEncryptor(base64.b64encode(KEY).decode())
    number, month, year, cvv = FIELDS
    return lambda: encryptor.encrypt_card(
        number=number, expiry_month=month, expiry_year=year, cvv=cvv
    )


SUBJECTS: dict[str, tuple[Callable[[], Subject], str]] = {
    "four `AESGCM(key).encrypt`": (four_bare_calls, "four ciphertexts"),
    "four `aes.encrypt`, the object kept": (four_calls_on_a_kept_object, "four ciphertexts"),
    "the guide's algorithm": (guide_in_python, "fresh nonce, base64, a dict; nothing checked"),
    "dgspay `encrypt_card`": (
        dgspay_encrypt_card,
        "fresh nonce never used before, base64, every field checked, a value that hides itself",
    ),
}
FLOOR, KEPT, _, OURS = SUBJECTS


def section(*, quick: bool) -> Section:
    """Run it; some seconds."""
    built = {name: build for name, (build, _) in SUBJECTS.items()}
    times = seconds_per_call(built, rounds=40 if quick else 400, calls=CALLS)

    def row(name: str) -> tuple[str, ...]:
        return (
            name,
            f"{statistics.median(times[name]) * 1e6:.1f}",
            Spread.of(ratios(times[name], times[FLOOR])).show(),
            SUBJECTS[name][1],
        )

    claims = [
        Claim(
            text=f"`encrypt_card`: time of {floor}",
            seen=Spread.of(ratios(times[OURS], times[floor])),
            target=LIMIT,
        )
        for floor in (FLOOR, KEPT)
    ]
    return Section(
        name="encryption",
        title="Encrypting a card",
        claims=claims,
        text=table(("what", "µs", "of the bare calls", "gives"), map(row, times))
        + "\n\nThe calls on a kept object leave out the nonce, base64 and every check, which cost "
        "more than the ciphers.",
        peers=("cryptography",),
    )

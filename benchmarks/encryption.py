"""The claim: `encrypt_card` costs at most twice four bare AES-GCM calls, checks and all.

    python benchmarks/encryption.py [--write benchmarks/encryption.md]

"Bare" can be read in two ways, and the table has both: `AESGCM(key).encrypt(...)` as the
documentation of cryptography shows it, and `encrypt` on an object that is kept, which is the
stricter floor. The claim holds for the first and not for the second. The vendor's algorithm in
Python, as a reader of the guide would write it and without a check, stands beside them. All
subjects take turns in every round; what is compared are the ratios within a round.
"""

from __future__ import annotations

import argparse
import base64
import gc
import platform
import secrets
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cryptography
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dgspay.encryption import CardEncryptor

ROUNDS = 400
CALLS = 100
LIMIT = 2.0
KEY = bytes(range(32))
NONCE = b"abc123def456"
FIELDS = ("4111111111111111", "12", "2028", "123")
PLAINTEXTS = tuple(field.encode() for field in FIELDS)

Subject = Callable[[], Any]


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


def seconds_per_call(call: Subject) -> float:
    started = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - started) / CALLS


def measure() -> dict[str, list[float]]:
    calls = {name: build() for name, (build, _) in SUBJECTS.items()}
    for call in calls.values():
        for _ in range(CALLS):
            call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    names = list(calls)
    gc.disable()
    for turn in range(ROUNDS):
        # Another one starts each round, so that no subject always runs after the same one.
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            times[name].append(seconds_per_call(calls[name]))
        gc.collect()
    gc.enable()
    return times


def ratios(times: dict[str, list[float]], name: str, floor: str) -> list[float]:
    """The ratios of each round, sorted."""
    return sorted(ours / base for ours, base in zip(times[name], times[floor], strict=True))


def report(times: dict[str, list[float]]) -> str:
    lines = [
        "| what | median µs | ratio to the bare calls | 5 % to 95 % of rounds | gives |",
        "|---|---|---|---|---|",
    ]
    for name, (_, gives) in SUBJECTS.items():
        spread = ratios(times, name, FLOOR)
        low, high = spread[len(spread) // 20], spread[-len(spread) // 20]
        lines.append(
            f"| {name} | {statistics.median(times[name]) * 1e6:.1f} "
            f"| {statistics.median(spread):.2f} | {low:.2f} to {high:.2f} | {gives} |"
        )
    return "\n".join(lines)


def verdict(ratio: float) -> str:
    return "Held" if ratio <= LIMIT else "Not held"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="a Markdown file for the results")
    target = parser.parse_args().write
    times = measure()
    ratio = statistics.median(ratios(times, OURS, FLOOR))
    strict = statistics.median(ratios(times, OURS, KEPT))
    text = f"""\
# Encrypting a card

`python benchmarks/encryption.py --write benchmarks/encryption.md` \
(CPython {platform.python_version()}, {platform.machine()}, \
cryptography {cryptography.__version__}, {ROUNDS} rounds of {CALLS} calls each)

{report(times)}

The claim is at most {LIMIT:g} times four bare calls.

- {verdict(ratio)}: {ratio:.2f} times four `AESGCM(key).encrypt(...)`.
- {verdict(strict)}: {strict:.2f} times four `encrypt` calls on an object that is kept. They leave \
out the nonce, base64 and every check, which cost more than the ciphers.
"""
    print(text)
    if target:
        target.write_text(text, encoding="utf-8")
    if ratio > LIMIT:
        sys.exit(1)


if __name__ == "__main__":
    main()

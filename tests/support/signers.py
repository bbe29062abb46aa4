"""Keys of persons who prepare and approve, as tests need them."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dgspay.payouts import Policy, Signer


def signer(person: str, seed: str = "") -> Signer:
    """A person's key, always the same for the same seed."""
    raw = hashlib.sha256(f"{person} {seed}".encode()).digest()
    return Signer(person, Ed25519PrivateKey.from_private_bytes(raw))


ALICE, BOB, CAROL = signer("Alice"), signer("Bob"), signer("Carol")


def two_eyes(policy: Policy) -> Policy:
    """One approval by somebody else, and three who have keys."""
    return Policy(approvals=1, keys=(ALICE.key, BOB.key, CAROL.key))

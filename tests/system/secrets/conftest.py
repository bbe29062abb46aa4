"""A scanner for each of these tests, which fails where a secret was shown."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests.support.known_secrets import SECRETS
from tests.support.secret_scanner import SecretScanner


@pytest.fixture
def scanner() -> Iterator[SecretScanner]:
    """Collect what a test shows, and find no secret in it."""
    scanner = SecretScanner(SECRETS)
    with scanner.capturing():
        yield scanner
        gc.collect()
    assert scanner.places, "nothing was recorded"
    assert not scanner.leaks, "\n".join(scanner.leaks)

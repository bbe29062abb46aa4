"""What listens during each of these tests."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests.support.known_secrets import SECRETS
from tests.support.secret_scanner import Witness


@pytest.fixture
def witness() -> Iterator[Witness]:
    """Listens during a test, and after it finds nothing."""
    witness = Witness(SECRETS)
    with witness.listening():
        yield witness
        gc.collect()
    assert witness.places, "nothing was looked at"
    assert not witness.leaks, "\n".join(witness.leaks)

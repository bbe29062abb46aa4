"""Names of DGS-Pay's that come a second time are noticed, within little memory."""

from __future__ import annotations

import sys

import pytest

from dgspay.payouts.ledger.recent_references import REMEMBERED_NAMES, LatestNames

pytestmark = pytest.mark.acceptance(52, "killed-run")


def test_a_name_that_came_before_is_noticed_and_one_that_comes_twice_at_once() -> None:
    names = LatestNames()
    assert names.repeated(["a", "b"]) == set()
    assert names.repeated(["c", "b", "d", "d"]) == {"b", "d"}
    assert names.repeated([]) == set()


def test_as_many_as_it_promises_are_known_and_no_more_than_twice_that() -> None:
    names = LatestNames()
    for number in range(3 * REMEMBERED_NAMES):
        assert not names.repeated([f"DGS{number}"])
        assert len(names._young) + len(names._old) <= 2 * REMEMBERED_NAMES
    latest = [f"DGS{number}" for number in range(2 * REMEMBERED_NAMES, 3 * REMEMBERED_NAMES)]
    assert names.repeated(latest) == set(latest)
    assert sys.getsizeof(names._young) + sys.getsizeof(names._old) < 4 * 2**20

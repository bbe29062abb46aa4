"""A path of a checkout names the methods that it takes, in every framework."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checkout.conftest import Shop
from tests.support.mounted_checkouts import FRAMEWORKS, Asked

PATHS = [
    ("order", "POST", {"GET"}),
    ("order", "PUT", {"GET"}),
    ("order/changes", "DELETE", {"GET"}),
    ("order/pin", "GET", {"POST"}),
    ("order/mobile-money", "PATCH", {"POST"}),
    ("webhooks", "GET", {"POST"}),
    ("webhooks/1-a1/token", "PUT", {"POST"}),
    ("dgspay-checkout.js", "POST", {"GET", "HEAD"}),
]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_another_method_is_answered_with_those_that_are_allowed(shop: Shop, framework: Any) -> None:
    answers = framework(shop, [Asked(path, method) for path, method, _ in PATHS], None)
    found = [
        (path, method, answer.status, set(answer.headers.get("allow", "").split(", ")))
        for (path, method, _), answer in zip(PATHS, answers, strict=True)
    ]
    assert found == [(path, method, 405, allowed) for path, method, allowed in PATHS]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_path_that_is_none_is_not_found_whatever_the_method(shop: Shop, framework: Any) -> None:
    asked = [Asked("elsewhere", method) for method in ("GET", "POST", "PUT")]
    assert [answer.status for answer in framework(shop, asked, None)] == [404] * 3

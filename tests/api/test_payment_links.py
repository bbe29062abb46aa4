"""Payment links and lists: fields that would be refused are refused here, naming the field."""

from __future__ import annotations

from collections import UserDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from dgspay import PaymentMethod
from dgspay.models.enums import PaymentStatusWord
from tests.support.recorders import LINK, recording

KIGALI = timezone(timedelta(hours=2))
NEW_YEARS_EVE = datetime(2026, 12, 31, 23, 59, 59)  # noqa: DTZ001 - the API's times have no zone


@pytest.mark.acceptance(12, "odd-link-terms")
def test_aware_expiry_needs_to_know_the_zone_of_the_api() -> None:
    aware = NEW_YEARS_EVE.replace(tzinfo=UTC)
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="api_timezone"):
        dgs.payment_links.create(**LINK, expires_at=aware)
    with pytest.raises(ValueError, match="api_timezone"):
        dgs.payment_links.update("link_1", expires_at=aware)
    assert recorder.requests == []

    told, recorder = recording(api_timezone=KIGALI)
    told.payment_links.create(**LINK, expires_at=aware)
    assert recorder.last_body["expires_at"] == "2027-01-01 01:59:59"
    told.payment_links.create(**LINK, expires_at=NEW_YEARS_EVE)
    assert recorder.last_body["expires_at"] == "2026-12-31 23:59:59"


@pytest.mark.acceptance(12, "odd-link-terms")
@pytest.mark.parametrize("moment", ["2026-12-31 23:59:59", 1767225599, date(2026, 12, 31)])
def test_expiry_that_is_no_datetime_is_refused(moment: Any) -> None:
    dgs, recorder = recording()
    with pytest.raises(TypeError, match="expires_at"):
        dgs.payment_links.create(**LINK, expires_at=moment)
    assert recorder.requests == []


@pytest.mark.acceptance(12, "odd-link-terms")
@pytest.mark.parametrize(
    "fields",
    [
        {"amount_type": "flexible", "amount": 500},
        {"amount_type": "fixed"},
        {"amount_type": "fixed", "amount": 500, "min_amount": 100},
        {"amount_type": "fixed", "amount": 500, "max_amount": 900},
        {"amount_type": "flexible", "min_amount": 900, "max_amount": 100},
        {"amount_type": "free"},
        {"amount_type": ""},
        {"amount_type": "FIXED", "amount": 500},
    ],
)
def test_amounts_that_contradict_the_kind_of_link_are_refused(fields: dict[str, Any]) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="amount"):
        dgs.payment_links.create(title="x", **fields)
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("title", "", ValueError),
        ("max_uses", 0, ValueError),
        ("max_uses", -1, ValueError),
        ("max_uses", True, TypeError),
        ("max_uses", 1.0, TypeError),
        ("collect_phone", 1, TypeError),
        ("collect_phone", "false", TypeError),
        ("payment_types", [], ValueError),
        ("payment_types", ["cash"], ValueError),
        ("payment_types", "card", TypeError),
        ("payment_types", [None], TypeError),
        ("logo_url", "javascript:alert(1)", ValueError),
        ("slug", " ", ValueError),
        ("metadata", "text", TypeError),
        ("metadata", [("a", 1)], TypeError),
        ("metadata", {1: "a"}, ValueError),
        ("metadata", {"a": b"bytes"}, ValueError),
        ("metadata", {"a": {"b"}}, ValueError),
        ("metadata", {"a": float("nan")}, ValueError),
        ("metadata", {"a": Decimal("NaN")}, ValueError),
        ("metadata", {"a": Decimal("-Infinity")}, ValueError),
        ("metadata", {"a": Decimal("1E999999")}, ValueError),
        ("metadata", {"a": 10**5000}, ValueError),
        ("metadata", {"a": "\ud83d"}, ValueError),
        ("metadata", {"\ud83d": 1}, ValueError),
        ("metadata", {"a": NEW_YEARS_EVE.replace(tzinfo=UTC)}, ValueError),
        ("metadata", {"a": object()}, ValueError),
    ],
)
def test_field_of_a_link_that_would_be_refused(
    field: str, value: Any, error: type[Exception]
) -> None:
    dgs, recorder = recording()
    with pytest.raises(error, match=field):
        dgs.payment_links.create(**{**LINK, field: value})
    with pytest.raises(error, match=field):
        dgs.payment_links.update("link_1", **{field: value})
    assert recorder.requests == []


def test_metadata_that_holds_itself_or_nests_too_deeply_is_refused() -> None:
    dgs, recorder = recording()
    endless: dict[str, Any] = {}
    endless["again"] = endless
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    for metadata in (endless, {"deep": deep}):
        with pytest.raises(ValueError, match="metadata"):
            dgs.payment_links.create(**LINK, metadata=metadata)
    assert recorder.requests == []


def test_metadata_is_sent_exactly() -> None:
    dgs, recorder = recording()
    metadata = UserDict(
        {
            "order": 7,
            "price": Decimal("94.50"),
            "tags": ("a", "b"),
            "none": None,
            "when": NEW_YEARS_EVE,
        }
    )
    dgs.payment_links.create(**LINK, metadata=metadata)
    assert recorder.last_body["metadata"] == {
        "order": 7,
        "price": Decimal("94.50"),
        "tags": ["a", "b"],
        "none": None,
        "when": "2026-12-31 23:59:59",
    }
    body = recorder.requests[0].reveal_body()
    assert body is not None
    assert b'"price":94.50,' in body


def test_update_sends_only_what_was_given() -> None:
    dgs, recorder = recording()
    dgs.payment_links.update("link_1", max_uses=None, description=None, title="New")
    assert recorder.last_body == {"max_uses": None, "description": None, "title": "New"}
    with pytest.raises(ValueError, match="at least one field"):
        dgs.payment_links.update("link_1")
    assert len(recorder.requests) == 1


def test_create_leaves_out_what_was_not_given() -> None:
    dgs, recorder = recording()
    dgs.payment_links.create(**LINK, payment_types=[PaymentMethod.CARD, "mobile_money"])
    assert recorder.last_body == {
        "title": "Invoice #123",
        "amount_type": "flexible",
        "currency": "RWF",
        "payment_types": ["card", "mobile_money"],
    }


# --- lists ---


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("page", 0, ValueError),
        ("page", True, TypeError),
        ("page", "1", TypeError),
        ("limit", 0, ValueError),
        ("limit", 101, ValueError),
        ("prefetch", 0, ValueError),
        ("prefetch", 1.5, TypeError),
        ("status", "successfull", ValueError),
        ("status", 1, TypeError),
    ],
)
def test_list_with_a_wrong_argument_is_refused_at_once(
    field: str, value: Any, error: type[Exception]
) -> None:
    dgs, recorder = recording()
    with pytest.raises(error, match=field):
        dgs.transactions.list(**{field: value})
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("success", "success"),
        ("successful", "success"),
        ("failed", "failed"),
        ("pending", "pending"),
    ],
)
def test_status_filter_uses_the_words_of_the_list(status: PaymentStatusWord, word: str) -> None:
    dgs, recorder = recording()
    dgs.transactions.list(status=status).first_page()
    assert recorder.requests[0].url.endswith(f"&status={word}")


def test_limits_that_leave_nothing_to_choose_are_refused_in_an_update_too() -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="min_amount must not be above max_amount"):
        dgs.payment_links.update("link_1", min_amount=900, max_amount=100)
    assert recorder.requests == []
    dgs.payment_links.update("link_1", min_amount=900, max_amount=None)
    dgs.payment_links.update("link_1", min_amount=900, max_amount=900)

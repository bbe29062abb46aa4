"""A page of rows is let through with a glance, and what nests too deeply in one is still seen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dgspay.errors import DecodeError
from dgspay.models.json_codec import parse_json

ROWS = 150  # more than any answer nests, so that their brackets alone do not tell


def page(*last: Any) -> bytes:
    rows = [{"id": f"txn-{number}", "amount": 100} for number in range(ROWS)]
    return json.dumps({"status": "success", "data": [*rows, *last]}).encode()


def nested(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"x": value}
    return value


def test_page_of_many_rows_is_read() -> None:
    assert len(parse_json(page())["data"]) == ROWS


@pytest.mark.acceptance(28, "hostile-json")
@pytest.mark.parametrize("row", [nested(200), {"id": "x", "more": nested(120)}])
def test_last_row_that_nests_too_deeply_is_seen(row: Any) -> None:
    with pytest.raises(DecodeError, match="nested too deeply"):
        parse_json(page(row))


@pytest.mark.acceptance(28, "hostile-json")
def test_brackets_in_text_hide_no_depth() -> None:
    text = {"narration": "[{" * ROWS + "}]" * ROWS}
    assert parse_json(page(text))["data"][-1] == text
    with pytest.raises(DecodeError, match="nested too deeply"):
        parse_json(page(text, nested(120), text))


@pytest.mark.parametrize(("levels", "is_read"), [(98, True), (99, False)])
def test_depth_counts_from_the_answer_itself(levels: int, is_read: bool) -> None:
    """The answer and its list are two levels of the hundred; the last holds nothing."""
    body = page(nested(levels - 1))
    if is_read:
        parse_json(body)
    else:
        with pytest.raises(DecodeError, match="nested too deeply"):
            parse_json(body)


@pytest.mark.acceptance(28, "hostile-json")
@pytest.mark.parametrize("half", [r'"\ud800"', r'"\uD800"', r'{"\udc00": 1}'])
def test_half_a_surrogate_pair_in_a_page_is_seen(half: str) -> None:
    body = page("@").replace(b'"@"', half.encode())
    with pytest.raises(DecodeError, match="surrogate"):
        parse_json(body)

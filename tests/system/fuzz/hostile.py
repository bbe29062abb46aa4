"""Strategies for what a server, a proxy or an attacker may send instead of an answer."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

WORDS = [
    "status", "success", "failed", "pending", "successful", "error_code", "00", "90", "93", "99",
    "VALIDATION_ERROR", "message", "data", "pagination", "page", "pages", "total", "limit",
    "dgs_reference", "dgs_1", "transaction_status", "next_action_type", "redirect_url",
    "requires_pin", "amount", "currency", "RWF", "fee", "event", "payment.success",
    "disbursement.failed", "conversion.success", "balances", "banks", "link", "id", "rate",
    "to_amount", "from_amount", "dgs_conversion_ref", "conversion_status", "timestamp",
    "2026-04-02T10:30:00Z", "2026-04-03 11:00:00", "environment", "test", "500.00", "recipient",
]  # fmt: skip

ROWS_PER_BATCH = [
    "0", "-0", "1", "12.9", "94.50", "1e2", "1e400", "-1e-400", "1E+30", "1e31", "NaN", "Infinity",
    "-Infinity", "9" * 59, "9" * 61, "9" * 5000, "0." + "1" * 5000, "1e" + "9" * 100, "00", "1.",
]  # fmt: skip

texts = st.sampled_from(WORDS) | st.text(max_size=20)

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=8),
    max_leaves=25,
)

objects = st.dictionaries(texts, values, max_size=10)


def _written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


json_texts = (objects | values).map(_written)


@st.composite
def damaged(draw: st.DrawFn, whole: st.SearchStrategy[bytes] = json_texts) -> bytes:
    """A text with something cut out, put in, or put in place of something."""
    text = draw(whole)
    for _ in range(draw(st.integers(min_value=1, max_value=3))):
        start = draw(st.integers(min_value=0, max_value=len(text)))
        end = draw(st.integers(min_value=start, max_value=min(len(text), start + 8)))
        piece = draw(
            st.binary(max_size=4)
            | st.sampled_from(ROWS_PER_BATCH).map(str.encode)
            | st.sampled_from(list('{}[]",:\\\0')).map(str.encode)
            | st.sampled_from(
                [b"\\ud800", b"\xed\xa0\x80", b"\xef\xbb\xbf", b'"a":1,"a":2', b"[" * 150]
            )
        )
        text = text[:start] + piece + text[end:]
    return text


bodies = st.binary(max_size=200) | json_texts | damaged()

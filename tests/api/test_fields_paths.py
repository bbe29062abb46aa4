"""Ids and references in paths, queries and bodies: one segment, or nothing is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgspay import DGSPay, EncryptedPin, Operation
from dgspay.core.operation import Repeat
from dgspay.models.addresses import BillingAddress
from tests.support.recorders import recording, recording_async

PIN = EncryptedPin(auth_pin_encrypted="7n0dbdlBD0SfjAvhr1FJlbderws=", auth_pin_nonce="abc123def456")

CALLS: dict[str, Callable[[DGSPay, str], Any]] = {
    "transactions.retrieve": lambda dgs, id_: dgs.transactions.retrieve(id_),
    "payment_links.retrieve": lambda dgs, id_: dgs.payment_links.retrieve(id_),
    "payment_links.update": lambda dgs, id_: dgs.payment_links.update(id_, title="x"),
    "payment_links.archive": lambda dgs, id_: dgs.payment_links.archive(id_),
    "charges.wait": lambda dgs, id_: dgs.charges.wait(id_),
    "charges.authorize_otp": lambda dgs, id_: dgs.charges.authorize_otp(id_, "123456"),
    "charges.authorize_pin": lambda dgs, id_: dgs.charges.authorize_pin(id_, PIN),
    "charges.authorize_avs": lambda dgs, id_: dgs.charges.authorize_avs(
        id_, BillingAddress(line1="123 Main Street", country="RW")
    ),
    "transactions.list": lambda dgs, id_: dgs.transactions.list(dgs_reference=id_).first_page(),
    "transactions.list of a link": lambda dgs, id_: dgs.transactions.list(
        payment_link_id=id_
    ).first_page(),
}

REFUSED_IDS = {
    "parent": "../balance",
    "parent in the middle": "a/../../x",
    "parent by backslash": "a\\..\\x",
    "dot": ".",
    "dots": "..",
    "dot in the middle": "a/./b",
    "empty": "",
    "NUL": "a\0b",
    "tab": "a\tb",
    "newline": "a\nb",
    "carriage return": "a\rb",
    "delete": "a\x7fb",
    "next line": "a\x85b",
    "line separator": "a\u2028b",
    "right-to-left override": "a\u202eb",
    "zero-width space": "a\u200bb",
    "lone surrogate": "a\ud800b",
    "over 256": "x" * 257,
}

ENCODED_IDS = {
    "x?status=success": "x%3Fstatus%3Dsuccess",
    "x#f": "x%23f",
    "a/b": "a%2Fb",
    "%2e%2e": "%252e%252e",
    "%": "%25",
    "a b": "a%20b",
    "a+b": "a%2Bb",
    "a;b": "a%3Bb",
    "a&b=c": "a%26b%3Dc",
    "//evil.example": "%2F%2Fevil.example",
    "a\\b": "a%5Cb",
    "...": "...",
    "{id}": "%7Bid%7D",
    "Müller": "M%C3%BCller",
    "\N{FULLWIDTH FULL STOP}\N{FULLWIDTH FULL STOP}": "%EF%BC%8E%EF%BC%8E",
    "x" * 256: "x" * 256,
}


@pytest.mark.acceptance(1, "odd-reference")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("id_", REFUSED_IDS.values(), ids=REFUSED_IDS)
def test_id_that_leaves_its_segment_is_refused(
    call: Callable[[DGSPay, str], Any], id_: str
) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the type is the promise
        call(dgs, id_)
    assert type(caught.value) is ValueError
    assert recorder.requests == []


@pytest.mark.acceptance(1, "odd-reference")
@pytest.mark.anyio
@pytest.mark.parametrize("id_", REFUSED_IDS.values(), ids=REFUSED_IDS)
async def test_id_that_leaves_its_segment_is_refused_async(id_: str) -> None:
    dgs, recorder = recording_async()
    with pytest.raises(ValueError, match="id_or_reference"):
        await dgs.transactions.retrieve(id_)
    assert recorder.requests == []


@pytest.mark.acceptance(1, "odd-reference")
@pytest.mark.parametrize("id_", [5, b"abc", ["a"]])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_id_that_is_not_text_is_refused(call: Callable[[DGSPay, Any], Any], id_: Any) -> None:
    dgs, recorder = recording()
    with pytest.raises(TypeError):
        call(dgs, id_)
    assert recorder.requests == []


@pytest.mark.acceptance(2, "encoded-reference")
@pytest.mark.parametrize(("id_", "encoded"), ENCODED_IDS.items(), ids=[*ENCODED_IDS.values()])
def test_id_stays_one_encoded_segment(id_: str, encoded: str) -> None:
    dgs, recorder = recording()
    dgs.payment_links.archive(id_)
    prefix = dgs.settings.base_url + "/payment-links/"
    assert recorder.requests[0].url == prefix + encoded


@pytest.mark.acceptance(2, "encoded-reference")
@given(st.text(min_size=1, max_size=300))
def test_any_id_is_one_segment_or_refused(id_: str) -> None:
    dgs, recorder = recording()
    try:
        dgs.payment_links.archive(id_)
    except ValueError:
        assert recorder.requests == []
        return
    url = recorder.requests[0].url
    prefix = dgs.settings.base_url + "/payment-links/"
    segment = url.removeprefix(prefix)
    assert url == prefix + segment
    assert "/" not in segment
    assert segment not in (".", "..")
    parts = urlsplit(url)
    assert (parts.query, parts.fragment) == ("", "")
    assert unquote(segment) == id_
    assert url.isascii()


@pytest.mark.acceptance(2, "encoded-reference")
def test_filter_stays_one_query_value() -> None:
    dgs, recorder = recording()
    dgs.transactions.list(dgs_reference="x&status=success#f", limit=20).first_page()
    assert recorder.requests[0].url == (
        f"{dgs.settings.base_url}/transactions"
        "?page=1&limit=20&dgs_reference=x%26status%3Dsuccess%23f"
    )


URLS = [
    "https://provider.com/authorize",
    "http://169.254.169.254/latest",
    "HTTPS://provider.com",
    "javascript://provider.com",
    "x/https://provider.com",
]


@pytest.mark.acceptance(3, "foreign-url")
@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_url_instead_of_a_reference_is_refused(
    call: Callable[[DGSPay, str], Any], url: str
) -> None:
    dgs, recorder = recording()
    with pytest.raises(ValueError, match="URL"):
        call(dgs, url)
    assert recorder.requests == []


@pytest.mark.acceptance(3, "foreign-url")
@pytest.mark.parametrize(
    "path",
    [
        *URLS,
        "//provider.com/authorize",
        "/\\provider.com",
        "@provider.com/",
        ":80@provider.com/",
        ".provider.com/",
        "/a?b",
        "/a#b",
        "/a/../b",
        "",
        "/a\n",
        "/%2e%2e/b",
    ],
)
def test_operation_for_another_origin_is_refused(path: str) -> None:
    dgs, recorder = recording()
    operation = Operation(method="GET", path=path, read=dict, repeat=Repeat.READ)
    for run in (dgs.execute, dgs.prepare, dgs.reply):
        with pytest.raises(ValueError, match="path"):
            run(operation)
    assert recorder.requests == []

"""The request as it leaves, to the last header, and what is refused before anything leaves."""

from __future__ import annotations

import enum
import platform
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest

from dgspay import __version__
from dgspay.core.messages import Request
from dgspay.core.operation import Repeat
from dgspay.core.request_builder import RequestBuilder, check_segment, expand_path
from dgspay.errors import ConfigError
from dgspay.money import Money
from tests.support.scripted_server import Story, operation

KIGALI = timezone(timedelta(hours=2))


def wire(**changes: Any) -> RequestBuilder:
    return attrs.evolve(Story().runner.request_builder, **changes)


def sent(through: RequestBuilder, **body: Any) -> bytes | None:
    """The bytes that a charge with this body becomes."""
    return through.request(operation(Repeat.CHARGE, body=body), "k").reveal_body()


HEADERS = {
    "X-DGS-API-Key": "the-key",
    "X-DGS-ACCOUNT-NUMBER": "ACC-1",
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"dgspay/{__version__} Python/{platform.python_version()}",
}


def test_a_request_has_these_headers_and_no_others() -> None:
    read = wire().request(operation(Repeat.READ), None)
    assert read == Request("GET", "https://api.test/v2/transactions", HEADERS, None)
    write = wire(idempotency_header="X-Idempotency-Key").request(operation(Repeat.CHARGE), "k1")
    assert write == Request(
        "POST",
        "https://api.test/v2/charges",
        {**HEADERS, "X-Idempotency-Key": "k1"},
        b'{"amount":1}',
    )


def test_a_requests_headers_are_its_own() -> None:
    through = wire()
    first = through.request(operation(Repeat.READ), None)
    assert isinstance(first.headers, dict)
    first.headers["X-Mine"] = "1"
    assert through.request(operation(Repeat.READ), None).reveal_headers() == HEADERS


def test_a_query_is_encoded_with_nothing_left_to_guess() -> None:
    listing = attrs.evolve(operation(Repeat.READ), query={"status": "a b&c=d/é", "page": "2"})
    request = wire().request(listing, None)
    assert request.url == ("https://api.test/v2/transactions?status=a%20b%26c%3Dd%2F%C3%A9&page=2")


# --- the path -----------------------------------------------------------------------------


@pytest.mark.acceptance(2, "encoded-reference")
def test_each_value_fills_its_own_place_as_one_segment() -> None:
    values = {"id": "a/b?c#d", "page": "%2e é"}
    path = expand_path("/links/{id}/pages/{page}", values)
    assert path == "/links/a%2Fb%3Fc%23d/pages/%252e%20%C3%A9"


@pytest.mark.acceptance(3, "foreign-url")
@pytest.mark.parametrize(
    "template",
    ["https://evil.example/", "//evil.example", "/a//b", "charges", "/charges?x=1", "/a\n", ""],
)
def test_a_path_that_could_leave_the_prefix_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"prefix") as caught:
        expand_path(template, {})
    assert str(caught.value) == "the path must be a template under the API's prefix, never a URL"


SEGMENTS_REFUSED = {
    "dgs_reference must have 1 to 256 characters and not be blank": ("", " ", "\t", "x" * 257),
    "dgs_reference has characters that cannot be printed": ("a\0b", "a\nb", "a\x7fb", "\u200ba"),
    "dgs_reference is a URL; an id or a reference was expected": (
        "https://api.test/v2/charges/d",
        "a://b",
    ),
    "dgs_reference must not contain '.' or '..' as a path step": (
        ".",
        "..",
        "../balance",
        "a/..",
        "a/./b",
        "a\\..\\b",
        "..\\b/c",
    ),
}


@pytest.mark.acceptance(1, "odd-reference", 3, "foreign-url")
@pytest.mark.parametrize(
    ("reference", "why"),
    [(reference, why) for why, refused in SEGMENTS_REFUSED.items() for reference in refused],
)
def test_a_reference_is_refused_by_the_rule_it_breaks(reference: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"^dgs_reference ") as caught:
        check_segment(reference, field="dgs_reference")
    assert str(caught.value) == why
    # The same rule, under the name of the place it was to fill.
    with pytest.raises(ValueError, match=r"^id ") as caught:
        expand_path("/transactions/{id}", {"id": reference})
    assert str(caught.value) == why.replace("dgs_reference", "id")


@pytest.mark.parametrize("reference", ["x" * 256, "a.b", "...", "v1..2", ".hidden", "a:/b", "ключ"])
def test_a_reference_that_only_looks_odd_is_taken(reference: str) -> None:
    assert check_segment(reference, field="id") == reference


def test_a_reference_must_be_text_and_becomes_plain_text() -> None:
    class Reference(str, enum.Enum):  # noqa: UP042 - this one is formatted as its name
        FIRST = "dgs_1"

    with pytest.raises(TypeError) as caught:
        check_segment(17, field="id")  # type: ignore[arg-type]
    assert str(caught.value) == "id must be a str, not int"
    plain = check_segment(Reference.FIRST, field="id")
    assert (plain, type(plain)) == ("dgs_1", str)


# --- the body -----------------------------------------------------------------------------


@pytest.mark.acceptance(11, "scenario-in-production")
def test_a_scenario_is_refused_where_real_money_moves() -> None:
    body = {"scenario_key": "scenario:successful"}
    with pytest.raises(ConfigError) as caught:
        sent(wire(production=True), **body)
    assert caught.value.message == (
        "scenario is for the sandbox: real money moves in production. Nothing was sent."
    )
    assert sent(wire(), **body) == b'{"scenario_key":"scenario:successful"}'
    assert sent(wire(production=True), narration="rent") == b'{"narration":"rent"}'


@pytest.mark.acceptance(7, "rwf-fraction")
def test_francs_have_no_fraction_unless_the_switch_says_so() -> None:
    fraction = Money.parse("10.50", "RWF")
    with pytest.raises(ValueError, match=r"^fee has") as caught:
        sent(wire(), fee=fraction)
    assert str(caught.value) == (
        "fee has a fraction, and RWF has no minor unit (allow_rwf_fractions=True sends it as it is)"
    )
    assert sent(wire(allow_rwf_fractions=True), fee=fraction) == b'{"fee":10.50}'
    assert sent(wire(), fee=Money.parse("10.00", "RWF")) == b'{"fee":10}'
    assert sent(wire(), fee=Money.parse("10.50", "USD")) == b'{"fee":10.50}'


@pytest.mark.acceptance(12, "odd-link-terms")
def test_a_time_with_a_zone_goes_out_in_the_apis_own_zone_or_not_at_all() -> None:
    noon = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
    with pytest.raises(ValueError, match=r"^expires_at has") as caught:
        sent(wire(), expires_at=noon)
    assert str(caught.value) == (
        "expires_at has a time zone, and the API's times have none: give a naive "
        "datetime, or set the API's zone with the client's api_timezone="
    )
    assert sent(wire(api_timezone=KIGALI), expires_at=noon) == (
        b'{"expires_at":"2026-01-01 14:00:00"}'
    )
    # What has no zone is meant in the API's, whether the client knows it or not.
    for through in (wire(), wire(api_timezone=KIGALI)):
        assert sent(through, expires_at=noon.replace(tzinfo=None)) == (
            b'{"expires_at":"2026-01-01 12:00:00"}'
        )


@pytest.mark.acceptance(12, "odd-link-terms")
def test_a_time_that_is_out_of_range_in_the_apis_zone_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^expires_at is out of range$") as caught:
        sent(wire(api_timezone=KIGALI), expires_at=datetime.max.replace(tzinfo=UTC))
    assert caught.value.__suppress_context__


def test_everything_else_goes_out_as_it_is() -> None:
    body: Mapping[str, Any] = {"a": "text", "b": 7, "c": None, "d": ["card"], "e": {"f": True}}
    assert sent(wire(), **body) == b'{"a":"text","b":7,"c":null,"d":["card"],"e":{"f":true}}'

"""Whatever is posted to a webhook URL: an event, SignatureError or DecodeError, and an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dgspay.errors import ConfigError, DecodeError, SignatureError, WrongEnvironmentError
from dgspay.money import to_json_number
from dgspay.webhooks import MemoryInbox, WebhookReceiver, sign, verify
from dgspay.webhooks.events import EVENT_CLASSES
from tests.support.effort import ENOUGH_SECONDS, FUZZ, MEGABYTE, seconds_of
from tests.system.fuzz.hostile import bodies, damaged, texts, values

SECRET = "whsec_fuzz"

amounts = st.decimals(min_value=0, max_value=10**9, places=2).map(to_json_number)


@st.composite
def events(draw: st.DrawFn) -> bytes:
    """An event much like the guide's, with some fields missing, odd or added."""
    name = draw(st.sampled_from([*EVENT_CLASSES, "refund.success"]))
    fields: dict[str, Any] = {
        "event": name,
        "dgs_reference": draw(st.sampled_from(["dgs_1", "DGSCONV1"]) | texts),
        "amount": float(draw(amounts)),
        "currency": "RWF",
        "from_currency": "USD",
        "from_amount": 1,
        "to_currency": "EUR",
        "to_amount": 0.94,
        "status": draw(st.sampled_from([name.partition(".")[2], "pending"])),
        "environment": draw(st.sampled_from(["test", "production", "Test", 7])),
        **draw(st.dictionaries(texts, values, max_size=3)),
    }
    for field in draw(st.lists(st.sampled_from([*fields]), max_size=2)):
        fields.pop(field, None)
    return json.dumps(fields).encode("utf-8", "surrogatepass")


@pytest.mark.acceptance(40, "bad-signature")
@FUZZ
@given(body=bodies | events(), signature=st.none() | st.text() | st.from_regex(r"[0-9a-f]{64}\n?"))
def test_what_is_not_signed_is_refused_whatever_it_is(body: bytes, signature: str | None) -> None:
    assume(signature != sign(body, SECRET))
    with pytest.raises(SignatureError):
        verify(body, signature, SECRET)


@pytest.mark.acceptance(40, "bad-signature")
@FUZZ
@given(body=events(), bit=st.integers(min_value=0), of_signature=st.booleans())
def test_one_flipped_bit_is_refused(body: bytes, bit: int, of_signature: bool) -> None:
    signature = sign(body, SECRET)
    verified = bytearray(signature.encode() if of_signature else body)
    verified[bit // 8 % len(verified)] ^= 1 << bit % 8
    changed = bytes(verified)
    with pytest.raises(SignatureError):
        if of_signature:
            verify(body, changed.decode("latin-1"), SECRET)
        else:
            verify(changed, signature, SECRET)


@FUZZ
@given(body=bodies | events() | damaged(events()))
def test_what_is_signed_is_an_event_or_cannot_be_read(body: bytes) -> None:
    signature = sign(body, SECRET)
    try:
        event = verify(body, signature, [SECRET, "another"])
    except DecodeError:
        expected = 422
    else:
        expected = 200
        assert event == verify(body, signature, SECRET)
        assert event.dedupe_key == verify(body, signature, SECRET).dedupe_key
        assert event.dedupe_key.isprintable()
        assert len(repr(event)) < 100_000
    receiver = WebhookReceiver(secret=SECRET, inbox=MemoryInbox())
    assert receiver.receive(body, signature).status == expected


@pytest.mark.acceptance(45, "foreign-event")
@FUZZ
@given(body=events())
def test_an_event_of_the_other_environment_never_comes_through(body: bytes) -> None:
    signature = sign(body, SECRET)
    try:
        event = verify(body, signature, SECRET, environment="production")
    except (WrongEnvironmentError, DecodeError):
        return
    assert event.environment is None or event.environment.casefold() == "production"


@pytest.mark.acceptance(41, "webhook-secrets")
@FUZZ
@given(
    secret=st.text(max_size=3)
    | st.lists(st.text(max_size=2) | st.none(), max_size=3)
    | st.none()
    | st.integers()
    | st.binary(max_size=3)
    | st.dictionaries(st.text(), st.text(), max_size=1)
)
def test_a_secret_is_text_or_refused(secret: Any) -> None:
    body = b'{"event":"x"}'
    try:
        verify(body, "0" * 64, secret)
    except ConfigError:
        return
    except SignatureError:
        held = [secret] if isinstance(secret, str) else secret
        assert held
        assert all(isinstance(each, str) and each.strip() == each != "" for each in held)
        return
    raise AssertionError("nothing was refused")


@pytest.mark.acceptance(45, "foreign-event")
@pytest.mark.parametrize("piece", [b"[", b'{"event":', b"9", b'"', b"\xff"])
def test_ten_megabytes_are_refused_in_time(piece: bytes) -> None:
    body = (piece * (10 * MEGABYTE // len(piece)))[: 10 * MEGABYTE]
    signature = sign(body, SECRET)

    def refuse() -> None:
        with pytest.raises(DecodeError):
            verify(body, signature, SECRET)
        receiver = WebhookReceiver(secret=SECRET, inbox=MemoryInbox())
        assert receiver.receive(body, signature).status == 413

    assert seconds_of(refuse) < ENOUGH_SECONDS

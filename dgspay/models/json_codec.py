"""JSON text to plain values and back, strictly: no digit is lost, and no doubt is let through."""

from __future__ import annotations

import json
import math
from codecs import BOM_UTF8
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring
from typing import Any

from dgspay.errors import DecodeError
from dgspay.interruption import interruption_in
from dgspay.money import to_json_number
from dgspay.secret import Secret

JSONObject = dict[str, Any]

# No number of the vendor's has more digits; Python itself would stop at 4,300.
_MAX_NUMBER_CHARACTERS = 60
_MAX_EXPONENT = 30
# Deeper than any answer goes, and far from where Python's own recursion would end.
_MAX_DEPTH = 100
# A body is parsed in one go, and no other task of an event loop has its turn meanwhile, so what is
# parsed must not take longer than about 50 ms. The time goes into values (up to 0.8 us each, the
# search for depth included, and 0.6 us more for a model of it), hardly into text: 10 MiB of it
# take 15 ms. A page of 100 transactions, the longest there is, has about 3,000 values.
_MAX_VALUES = 30_000
_ALL_BUT_VALUES = bytes(set(range(256)) - set(b"[{,"))

_API_DATETIME = "%Y-%m-%d %H:%M:%S"


# --- text to plain values -----------------------------------------------------------------


def parse_json(body: bytes) -> Any:
    """Parse JSON as RFC 8259 has it, numbers exact, and nothing beyond.

    Raises:
        DecodeError: for bad UTF-8, lone surrogates, NaN, Infinity, duplicate keys, numbers no
            one can mean, and nesting deeper or values more than any answer has. Never another
            exception.
    """
    structure = _structure(body)
    if len(structure) > _MAX_VALUES:
        raise DecodeError(f"the body cannot be read: it holds more than {_MAX_VALUES:,} values")
    try:
        text = body.removeprefix(BOM_UTF8).decode()
        value = _decoded(text)
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except RecursionError:
        reason = "it is nested too deeply"
    except json.JSONDecodeError as error:
        reason = f"it is not JSON ({error.msg} at character {error.pos})"
    except ValueError as error:
        if interruption_in(error) is not None:
            raise
        reason = str(error)
    else:
        if _is_too_deep(structure, value):
            reason = "it is nested too deeply"
        elif _has_lone_surrogate(text, value):
            reason = "a string in it has half a surrogate pair"
        else:
            return value
    # Raised here and not above, so that the body does not hang on the error as its context.
    raise DecodeError(f"the body cannot be read: {reason}")


def _structure(body: bytes) -> bytes:
    """Return what begins a value or separates two, before any of them is built.

    What of it stands in text counts along: that is a few in a hundred characters at most. A body
    of fewer bytes than there may be values is short enough as it is.
    """
    return body if len(body) <= _MAX_VALUES else body.translate(None, _ALL_BUT_VALUES)


def _decoded(text: str) -> Any:
    if text.startswith("{"):
        # As answers come, without space around them, which `decode` looks for.
        value, end = _DECODER.raw_decode(text)
        if end == len(text):
            return value
    return _DECODER.decode(text)


def _parse_float(text: str) -> Decimal:
    if len(text) > _MAX_NUMBER_CHARACTERS:
        raise ValueError("a number in it is too long")
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent that even Decimal cannot hold
        raise ValueError("a number in it is out of range") from None
    if not number.is_finite() or abs(number.adjusted()) > _MAX_EXPONENT:
        raise ValueError("a number in it is out of range")
    return number


def _parse_int(text: str) -> int:
    if len(text) > _MAX_NUMBER_CHARACTERS:
        raise ValueError("a number in it is too long")
    return int(text)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _unique_keys(pairs: list[tuple[str, Any]]) -> JSONObject:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


# Made once: `json.loads` would build one for every body.
_DECODER = json.JSONDecoder(
    parse_float=_parse_float,
    parse_int=_parse_int,
    parse_constant=_refuse_constant,
    object_pairs_hook=_unique_keys,
)


_CONTAINERS = frozenset({dict, list})


def _is_too_deep(structure: bytes, value: Any) -> bool:
    """Walk level by level, and only where there are brackets enough.

    No object or array is without a bracket in the body, so where as many were met as there are
    brackets, nothing lies below: the rows of a list need not be looked into.
    """
    brackets = structure.count(b"[") + structure.count(b"{")
    if brackets <= _MAX_DEPTH:
        return False
    level, depth, met = _nested([value]), 0, 0
    while level:
        depth, met = depth + 1, met + len(level)
        if depth >= _MAX_DEPTH:
            # The level below may hold plain values only, and that is too deep as well.
            return any(level)
        if met == brackets:
            return False
        level = [child for item in level for child in _nested(item)]
    return False


def _nested(item: JSONObject | list[Any]) -> list[Any]:
    """Return what may hold more of what an object or an array holds."""
    values = item.values() if type(item) is dict else item
    if _CONTAINERS.isdisjoint(map(type, values)):  # as in every row of a list
        return []
    return [child for child in values if type(child) in _CONTAINERS]


def _has_lone_surrogate(text: str, value: Any) -> bool:
    # One character is looked for much faster than three, and most answers escape nothing.
    if "\\" not in text or ("\\ud" not in text and "\\uD" not in text):
        return False
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.keys())
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and not _is_encodable(item):
            return True
    return False


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# --- plain values to text -----------------------------------------------------------------


def dump_json(value: Any) -> bytes:
    """Write a request body: compact UTF-8 JSON with every Decimal digit for digit.

    Raises:
        TypeError: for a value JSON has no form for.
        ValueError: for NaN, infinity and numbers no one can mean, for text with half a
            surrogate pair, and for a datetime with a zone, which the API's form would drop.
    """
    # Every body is a dict, which would be the last thing to be looked for.
    text = _members(value) if type(value) is dict else _written(value)
    return text.encode()


def _written(value: Any) -> str:
    # Not `str(value)`: for a member of a text enum that is its name, not its text.
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, Secret):
        return encode_basestring(value.reveal())
    if value is None or isinstance(value, int):
        return json.dumps(value)
    if type(value) is dict or isinstance(value, Mapping):  # the second takes its time
        return _members(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join([_written(item) for item in value]) + "]"
    if isinstance(value, datetime):
        return encode_basestring(format_datetime(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("NaN and infinity have no form in JSON")
        return json.dumps(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _members(value: Mapping[Any, Any]) -> str:
    members = [
        # Most are plain text, and a call less for each is felt.
        f"{_NAMES[name]}:{encode_basestring(item)}"
        if type(name) is str and type(item) is str
        else _member_of(name, item)
        for name, item in value.items()
    ]
    return "{" + ",".join(members) + "}"


class _Names(dict[str, str]):
    """Names of fields as they are written. Nearly all are those of the API, time and again."""

    _MOST = 256

    def __missing__(self, name: str) -> str:
        written = encode_basestring(name)
        if len(self) < self._MOST:
            self[name] = written
        return written


_NAMES = _Names()


def _member_of(name: Any, item: Any) -> str:
    if not isinstance(name, str):
        raise TypeError(f"a JSON key must be a str, not {type(name).__name__}")
    return f"{encode_basestring(name)}:{_written(item)}"


def _number(value: Decimal) -> str:
    if not value.is_finite() or abs(value.adjusted()) > _MAX_EXPONENT:
        raise ValueError("NaN, infinity and numbers out of range have no form in JSON")
    return to_json_number(value)


def format_datetime(moment: datetime) -> str:
    """Write a naive datetime as the API does: `YYYY-MM-DD HH:MM:SS`.

    Raises:
        ValueError: when it has a zone, which this form would silently drop.
    """
    if moment.tzinfo is not None:
        raise ValueError("a time zone has no form in the API's times")
    return moment.strftime(_API_DATETIME)

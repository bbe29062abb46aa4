"""Checks of single arguments; each error names the field and the rule, never the value."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from dgspay.models.characters import named, without_invisible

_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_MAX_URL = 2048
# In this form nothing can be wrong with a URL but its length.
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,4})?(/[!-\[\]-~]*)?", re.ASCII)


def required_text(value: str, *, field: str) -> str:
    """Return text that is not blank and can be written as UTF-8.

    Raises:
        TypeError: when it is not text.
        ValueError: when it is blank, or has control characters or half a surrogate pair.
    """
    if not isinstance(value, str):
        raise TypeError(f"{field} must be a str, not {type(value).__name__}")
    if not value.strip():
        raise ValueError(f"{field} must not be empty")
    if value.isprintable():  # and so without what is looked for below
        return value
    if any(char < " " and char not in "\t\r\n" for char in value):
        raise ValueError(f"{field} has control characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{field} has half a surrogate pair") from None
    return value


def optional_text(value: str | None, *, field: str) -> str | None:
    """Return None, or text as `required_text` wants it."""
    return None if value is None else required_text(value, field=field)


def account_number(value: str, *, field: str) -> str:
    """Return the number of an account without the invisible characters that copying leaves in it.

    Raises:
        TypeError: when it is not text.
        ValueError: when it is blank, or has a line break, a control character, or a character
            that no bank has in its numbers.
    """
    number = without_invisible(required_text(value, field=field), field=field)
    required_text(number, field=field)
    if number.isascii() and number.isprintable():
        return number
    place, odd = next(
        (place, character)
        for place, character in enumerate(number, 1)
        if not (character.isascii() and character.isprintable())
    )
    if odd.isdigit():
        raise ValueError(f"{field} has a digit that is none of 0 to 9, at place {place}")
    raise ValueError(
        f"{field} has a character that no account number has ({named(odd)}), at place {place}"
    )


def country_code(value: str, *, field: str) -> str:
    """Return an ISO 3166 code of two letters in capitals, such as `RW`."""
    code = required_text(value, field=field).upper()
    if not _COUNTRY.fullmatch(code):
        raise ValueError(f"{field} must be an ISO 3166 code of two letters such as 'RW'")
    return code


def web_url(value: str, *, field: str) -> str:
    """Return an absolute http or https URL.

    Raises:
        TypeError: when it is not text.
        ValueError: for any other scheme (`javascript:` among them), no host, spaces or
            control characters.
    """
    if type(value) is str and len(value) <= _MAX_URL and _PLAIN_URL.fullmatch(value):
        return value
    required_text(value, field=field)
    if len(value) > _MAX_URL or not value.isprintable() or " " in value or "\\" in value:
        raise ValueError(f"{field} must be a URL without spaces, at most {_MAX_URL} characters")
    try:
        parts = urlsplit(value)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise ValueError(f"{field} must be a URL") from None
    if parts.scheme.lower() not in ("http", "https") or not host:
        raise ValueError(f"{field} must be an absolute http or https URL")
    return value


def is_web_url(url: str) -> bool:
    """Return whether a URL would be accepted as an argument."""
    try:
        web_url(url, field="url")
    except (TypeError, ValueError):
        return False
    return True


def is_link_for_payers(url: str) -> bool:
    """Return whether a payer may be sent to a URL of the server's.

    It is held to the rules for our own origin: https, or http on this machine, where the emulator
    is; a host in ASCII, no user name or password before it, nothing that cannot be printed.
    """
    if not is_web_url(url) or not url.isascii():
        return False
    parts = urlsplit(url)
    if "@" in parts.netloc:
        return False
    return parts.scheme == "https" or is_loopback(parts.hostname or "")


def is_loopback(host: str) -> bool:
    """Return whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    import ipaddress  # noqa: PLC0415 - hardly anything but an http URL needs it

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def optional_url(value: str | None, *, field: str) -> str | None:
    """Return None, or a URL as `web_url` wants it."""
    return None if value is None else web_url(value, field=field)


def whole_number(value: int, *, field: str, at_least: int = 1, at_most: int | None = None) -> int:
    """Return an int within bounds.

    Raises:
        TypeError: for a bool or anything else that is not an int.
        ValueError: outside the bounds.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{field} must be an int, not {type(value).__name__}")
    if value < at_least or (at_most is not None and value > at_most):
        upper = "" if at_most is None else f" and at most {at_most}"
        raise ValueError(f"{field} must be at least {at_least}{upper}")
    return value

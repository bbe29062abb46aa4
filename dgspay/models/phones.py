"""Phone numbers in the forms each endpoint wants (guide, "Mobile Money API", "Disburse Funds")."""

from __future__ import annotations

import re

from dgspay.models.characters import without_invisible

RWANDA = "250"

NETWORKS = ("MTN", "Airtel")

# Hyphens that do not break, and dashes, as text programs put them between digits.
_SEPARATORS = str.maketrans("", "", " -().\u2010\u2011\u2012\u2013\u2014\u2015\u2212")
_NUMBER = re.compile(r"\+?[0-9]{4,15}", re.ASCII)
# Rwandan mobile numbers: 72 and 73 are Airtel's, 78 and 79 MTN's; 9 digits after the 0.
_RWANDAN_MOBILE = re.compile(r"7[2389][0-9]{7}", re.ASCII)
# As such a number is usually written, which leaves nothing to work out.
_USUAL_FORM = re.compile(rf"(?:\+?{RWANDA}|0)?({_RWANDAN_MOBILE.pattern})", re.ASCII)


def local_part(phone: str, country_code: str, *, field: str) -> str:
    """Return a number without country code and leading zero, such as `789654321`.

    Raises:
        TypeError: when it is not text.
        ValueError: when it is not a phone number of that country.
    """
    if not isinstance(phone, str):
        raise TypeError(f"{field} must be a str, not {type(phone).__name__}")
    if country_code == RWANDA and (usual := _USUAL_FORM.fullmatch(phone)):
        return usual[1]
    number = _as_seen(phone, field=field).translate(_SEPARATORS)
    if not _NUMBER.fullmatch(number):
        raise ValueError(f"{field} must be a phone number such as '0788123456'")
    if number.startswith("00"):
        raise ValueError(f"{field} must have + in place of the 00 in front of a country code")
    if number.startswith("+"):
        if not number.startswith(f"+{country_code}"):
            raise ValueError(f"{field} must be a number of country code {country_code}")
        return number.removeprefix(f"+{country_code}").removeprefix("0")
    # A Rwandan number with 250 in front and no plus is 12 digits; a local one has at most 10.
    if country_code == RWANDA and len(number) == 12 and number.startswith(RWANDA):
        return number.removeprefix(RWANDA)
    return number.removeprefix("0")


def _as_seen(text: str, *, field: str) -> str:
    """Return text without invisible characters; of ASCII text, a line break is no part."""
    return text if text.isascii() else without_invisible(text, field=field)


def mobile_local(phone: str, *, field: str) -> str:
    """Return a Rwandan mobile number as its 9 local digits; see `local_part`."""
    number = local_part(phone, RWANDA, field=field)
    if not _RWANDAN_MOBILE.fullmatch(number):
        raise ValueError(f"{field} must be a Rwandan mobile number such as '0788123456'")
    return number


def network_name(network: str, *, field: str) -> str:
    """Return a network as the API spells it: `MTN` or `Airtel`.

    Raises:
        TypeError: when it is not text.
        ValueError: for any other network.
    """
    if not isinstance(network, str):
        raise TypeError(f"{field} must be a str, not {type(network).__name__}")
    if type(network) is str and network in NETWORKS:  # as it is usually given
        return network
    plain = _as_seen(network, field=field)
    for name in NETWORKS:
        if plain.casefold() == name.casefold():
            return name
    raise ValueError(f"{field} must be one of {', '.join(NETWORKS)}")

"""Phone numbers in the forms each endpoint wants (guide, "Mobile Money API", "Disburse Funds")."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, get_args

from dgspay.models.characters import named, without_invisible

RWANDA = "250"

Network = Literal["MTN", "Airtel"]
"""A mobile network, as the API spells it; any case is taken."""

NETWORKS: tuple[Network, ...] = get_args(Network)

# Hyphens that do not break, and dashes, as text programs put them between digits.
_SEPARATORS = str.maketrans("", "", " -().\u2010\u2011\u2012\u2013\u2014\u2015\u2212")
_NUMBER = re.compile(r"\+?[0-9]{4,15}", re.ASCII)
_ODD = re.compile(r"[^0-9+]", re.ASCII)
# Rwandan mobile numbers: 72 and 73 are Airtel's, 78 and 79 MTN's; 9 digits after the 0.
_RWANDAN_MOBILE = re.compile(r"7[2389][0-9]{7}", re.ASCII)
_NETWORK_OF: dict[str, Network] = {"72": "Airtel", "73": "Airtel", "78": "MTN", "79": "MTN"}
# As such a number is usually written, which leaves nothing to work out.
_USUAL_FORM = re.compile(rf"(?:\+?{RWANDA}|0)?({_RWANDAN_MOBILE.pattern})", re.ASCII)
# Digits after the country code where they are always as many: by them it shows whether a number
# without a plus begins with its country code. In others, that has to be said with a plus.
_DIGITS_AFTER = {
    "1": 10,
    "7": 10,
    "20": 10,
    "27": 9,
    "33": 9,
    "44": 10,
    "86": 11,
    "91": 10,
    "211": 9,
    "225": 10,
    "229": 10,
    "233": 9,
    "234": 10,
    "237": 9,
    "242": 9,
    "243": 9,
    "250": 9,
    "254": 9,
    "255": 9,
    "256": 9,
    "257": 8,
    "260": 9,
    "265": 9,
}


class NetworkWarning(UserWarning):
    """A network was given that a number of this prefix does not usually belong to."""


_AS_WRITTEN: ContextVar[bool] = ContextVar("dgspay_networks_as_written", default=False)


@contextmanager
def networks_as_written() -> Iterator[None]:
    """Take networks without a `NetworkWarning`: who reads them tells a person in its own way."""
    token = _AS_WRITTEN.set(True)
    try:
        yield
    finally:
        _AS_WRITTEN.reset(token)


def local_part(phone: str, country_code: str, *, field: str) -> str:
    """Return a number without its country code, such as `789654321`.

    A Rwandan number loses its leading zero. Those of other countries keep their digits: in Ivory
    Coast, the Congo and Italy the zero is a part of the number.

    Raises:
        TypeError: when it is not text.
        ValueError: when it is not a phone number of that country.
    """
    if not isinstance(phone, str):
        raise TypeError(f"{field} must be a str, not {type(phone).__name__}")
    if country_code == RWANDA and (usual := _USUAL_FORM.fullmatch(phone)):
        return usual[1]
    number = _as_seen(phone, field=field).translate(_SEPARATORS)
    if number.startswith("00"):  # as many dial it
        number = f"+{number[2:]}"
    if not _NUMBER.fullmatch(number):
        raise ValueError(f"{field} must be a phone number such as '0788123456'{_fault(number)}")
    if number.startswith("+"):
        if not number.startswith(f"+{country_code}"):
            own = ": give its own as phone_country_code" if field == "customer.phone" else ""
            raise ValueError(
                f"{field} must be a number of country code {country_code}, which it is not{own}"
            )
        local = number.removeprefix(f"+{country_code}")
    else:
        local = _without_country_code(number, country_code, field=field)
    if country_code == RWANDA:
        local = local.removeprefix("0")
    if not local:
        raise ValueError(f"{field} must have more than a country code")
    return local


def _without_country_code(number: str, country_code: str, *, field: str) -> str:
    """Return a number that has no plus without its country code: it must not be there twice."""
    if not number.startswith(country_code):
        return number
    digits = _DIGITS_AFTER.get(country_code)
    if digits is None:
        raise ValueError(
            f"{field} begins with the digits of the country code {country_code}: write the whole "
            f"number with +{country_code} in front"
        )
    local = number.removeprefix(country_code)
    is_whole = len(local) == digits or (len(local) == digits + 1 and local.startswith("0"))
    return local if is_whole else number


def _fault(number: str) -> str:
    """Name the first character that no phone number has, for no reader may see it."""
    odd = _ODD.search(number)
    return "" if odd is None else f": it has {named(odd[0])}"


def _as_seen(text: str, *, field: str) -> str:
    """Return text without invisible characters; of ASCII text, a line break is no part."""
    return text if text.isascii() else without_invisible(text, field=field)


def mobile_local(phone: str, *, field: str) -> str:
    """Return a Rwandan mobile number as its 9 local digits; see `local_part`."""
    number = local_part(phone, RWANDA, field=field)
    if not _RWANDAN_MOBILE.fullmatch(number):
        raise ValueError(f"{field} must be a Rwandan mobile number such as '0788123456'")
    return number


def network_for(local: str, network: str | None, *, field: str) -> Network:
    """Return the network of a Rwandan mobile number: as given, or by its prefix where none is.

    Args:
        local: The number as 9 local digits.
        network: What the caller gave. One that the prefix does not belong to is used, with a
            `NetworkWarning`.
        field: What to call it in an error.

    Raises:
        TypeError: when it is not text.
        ValueError: for any other network.
    """
    usual = usual_network(local)
    if network is None or network == usual:
        return usual
    name = network_name(network, field=field)
    if name != usual and not _AS_WRITTEN.get():
        warnings.warn(
            f"{field} is {name}, and a number that begins with 0{local[:2]} is one of {usual}: the "
            f"payer or recipient may not be reached. Leave {field} out to go by the number",
            NetworkWarning,
            stacklevel=2,
        )
    return name


def network_name(network: str, *, field: str) -> Network:
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
    raise ValueError(
        f"{field} must be one of {', '.join(NETWORKS)}; left out, it goes by the number"
    )


def is_mobile(phone: str) -> bool:
    """Return whether a text is a Rwandan mobile number in its usual form."""
    return _USUAL_FORM.fullmatch(phone) is not None


def usual_network(local: str) -> Network:
    """Return the network of a Rwandan mobile number by its prefix; see `mobile_local`."""
    return _NETWORK_OF[local[:2]]

"""Proposals for cells: what a value most likely is to be. Offered to a person, never assumed."""

from __future__ import annotations

import re
from typing import Any

from dgspay.models.phones import NETWORKS, is_mobile
from dgspay.payouts.sheet.cells import shown
from dgspay.payouts.sheet.words import folded

_CURRENCY = re.compile(r"(?i)\b(?:rwf|frw|rfw|rf)\b\.?|(?<=[0-9])\s*(?:rwf|frw|f)\b|^(?:rwf|frw)")
_GROUPED = re.compile(r"([0-9]{1,3})((?:([,.'\u2019 ])[0-9]{3})(?:\3[0-9]{3})*)(?:[.,]0{1,2})?")
_PLAIN = re.compile(r"[0-9]+", re.ASCII)
_PHONES = re.compile(r"(?:\+|00)?(?:250)?0?(7[2389][0-9]{7})(?![0-9])")
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])[\s.()-]+(?=[0-9(])")
_LETTERS_FOR_DIGITS = str.maketrans("OoIl", "0011")
_MTN = frozenset(
    {"momo", "mtn momo", "mtn mobile money", "mobile money mtn", "m t n", "mtm", "mnt"}
)
_FRANCS = frozenset({"frw", "rfw", "rf", "francs", "franc rwandais", "francs rwandais"})
_AIRTEL = frozenset({"tigo", "tigo cash", "tigo airtel", "airtl", "airtell", "airtal"})


def proposal_of(column: str | None, value: Any) -> str | None:
    """Return what a cell that cannot be read is most likely to be; None where that is not plain.

    Args:
        column: The column that it stands in, as the vendor names it.
        value: What stands in it.
    """
    if column not in _PROPOSE:
        return None
    text = shown(value)
    found = _PROPOSE[column](text)
    return None if found == text else found


def _amount(text: str) -> str | None:
    plain = " ".join(_CURRENCY.sub("", text).split())
    if grouped := _GROUPED.fullmatch(plain):
        return "".join(char for char in grouped[1] + grouped[2] if char.isdigit())
    return plain if _PLAIN.fullmatch(plain) else None


def _phone(text: str) -> str | None:
    dense = _BETWEEN_DIGITS.sub(
        "", text.translate(_LETTERS_FOR_DIGITS) if _has_typo(text) else text
    )
    found = {match[1] for match in _PHONES.finditer(dense)}
    if len(found) != 1:
        return None
    phone = f"0{found.pop()}"
    return phone if is_mobile(phone) else None


def _has_typo(text: str) -> bool:
    return bool(re.fullmatch(r"[OoIl0-9 +-]+", text))


def _network(text: str) -> str | None:
    words = folded(text)
    for name, others in zip(NETWORKS, (_MTN, _AIRTEL), strict=True):
        if words in others or name.casefold() in words.split():
            return name
    return None


def _currency(text: str) -> str | None:
    return "RWF" if folded(text) in _FRANCS else None


_PROPOSE = {"amount": _amount, "currency": _currency, "msisdn": _phone, "network": _network}

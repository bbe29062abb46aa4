"""Banks by their names: which key a name most likely stands for. Offered, never assumed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from dgspay.payouts.sheet.words import folded

_ALIKE = 0.8
# Words that say no more than that it is a bank, or where.
_COMMON = frozenset(
    {"bank", "banque", "of", "de", "du", "la", "the", "rwanda", "ltd", "plc", "sa", "rw", "limited"}
)
# Names that a list may not have: what banks were called, and how their names are shortened.
_ALSO_CALLED = {
    "bk": "bank of kigali",
    "i m": "i m bank",
    "imbank": "i m bank",
    "banque populaire": "bpr",
    "banque populaire du rwanda": "bpr",
}


def proposed_bank(named: str, banks: Mapping[str, str]) -> str | None:
    """Return the key of the bank that a name most likely means; None where none or two may.

    Args:
        named: What stands in the sheet.
        banks: The names of banks by their keys, as DGS-Pay lists them.
    """
    words = folded(named)
    wanted = {words, _ALSO_CALLED.get(words, words)}
    likely = [key for key, name in banks.items() if wanted & _called(key, name)]
    if len(likely) != 1:
        ranked = sorted(
            ((_likeness(words, key, name), key) for key, name in banks.items()), reverse=True
        )
        likely = [key for rank, key in ranked if rank >= _ALIKE and rank == ranked[0][0]]
    return likely[0] if len(likely) == 1 else None


def _called(key: str, name: str) -> set[str]:
    words = folded(name)
    stem = folded(key).removesuffix(" rw")
    return {words, folded(key), stem, _essential(words)} - {""} | (
        {"bank of kigali"} if "kigali" in words.split() else set()
    )


def _essential(words: str) -> str:
    return " ".join(word for word in words.split() if word not in _COMMON)


def _likeness(words: str, key: str, name: str) -> float:
    wanted = _essential(words) or words
    return max(
        difflib.SequenceMatcher(None, wanted, _essential(called) or called).ratio()
        for called in _called(key, name)
    )

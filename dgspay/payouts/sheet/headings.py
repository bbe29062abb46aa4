"""Headings of a sheet: which of its lines they are, what each means, and what it may mean.

A heading means a column where it is the column's name, or where a mapping says so. One that only
looks like it (`Net pay`, `Salaire net`, `Téléphone`) is offered to a person, and not assumed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import attrs

from dgspay.errors import ConfigError
from dgspay.models.characters import without_invisible
from dgspay.payouts.errors import HeadingsError
from dgspay.payouts.sheet.cells import has_digit, shown
from dgspay.payouts.sheet.row import COLUMNS
from dgspay.payouts.sheet.words import composed, folded, line_words

SEARCHED_LINES = 50
"""Lines of a file among which its headings are looked for."""

# What pandas (`amount.1`) and polars (`amount_duplicated_0`) make of a second `amount`.
_RENAMED = re.compile(r"(.+?)(?:\.[0-9]+|_duplicated_[0-9]+)", re.ASCII | re.DOTALL)

# What people call a column, in English, French and Kinyarwanda, the likeliest first.
_CALLED = {
    "reference": (
        "payment reference|payment ref|reference de paiement|reference paiement|ref|ref no|"
        "reference no|reference number|matricule|numero matricule|no matricule|n matricule|"
        "employee no|employee number|employee id|employee code|staff no|staff number|staff id|"
        "payroll number|payroll no|numero d employe|numero employe|code employe|code agent|"
        "invoice no|numero de facture|id|code|no|n|no d ordre|s n|sn|numero"
    ),
    "amount": (
        "net pay|net salary|net payable|net to pay|net amount|amount to pay|amount payable|"
        "take home|take home pay|salaire net|net a payer|montant net|montant a payer|"
        "salaire net a payer|umushahara utahanwa|net|montant|amafaranga|umushahara|salary|salaire|"
        "pay|payment|paiement|somme|sum"
    ),
    "msisdn": (
        "phone|phone number|phone no|telephone|telephone number|telephone no|tel|tel no|mobile|"
        "mobile number|mobile no|mobile phone|mobile money number|momo number|momo|momo no|"
        "numero de telephone|numero telephone|no de telephone|no telephone|n telephone|"
        "numero mobile money|numero momo|numero de mobile|cell|cell phone|cellphone|gsm|portable|"
        "telefone|telefoni|numero ya telefone|nimero ya telefone|contact"
    ),
    "network": (
        "network|mobile network|reseau|reseau mobile|operator|mobile operator|operateur|"
        "telecom|telco|carrier|provider|fournisseur"
    ),
    "bank_key": "bank|bank name|bank code|banque|nom de la banque|code banque|banki|nom banque",
    "account_number": (
        "account|account no|account number|acc no|acc number|a c no|a c|bank account|"
        "bank account no|bank account number|compte|numero de compte|numero compte|no de compte|"
        "no compte|n compte|compte bancaire|numero de compte bancaire|konti|numero ya konti"
    ),
    "branch": "branch|bank branch|branch name|agence|nom de l agence|succursale|ishami",
    "name": (
        "name|full name|names|employee|employee name|employee names|staff name|recipient name|"
        "beneficiary|beneficiary name|payee|payee name|account name|account holder|nom|noms|"
        "nom et prenom|nom et prenoms|noms et prenoms|nom complet|nom de l employe|nom employe|"
        "beneficiaire|nom du beneficiaire|employe|titulaire|amazina|izina"
    ),
    "narration": (
        "narration|description|comment|comments|reason|motif|libelle|commentaire|remark|remarks|"
        "observation|observations|payment details|details|impamvu"
    ),
    "currency": "currency|devise|monnaie|ccy",
    "country": "country|pays|igihugu",
}
_CALLED_FOLDED = {column: words.split("|") for column, words in _CALLED.items()}
_ALIKE = 0.86
_CURRENCY = re.compile(r" (?:(?:in|en) )?(?:rwf|frw)$")
_LEAST_TO_COMPARE = 4
_ENOUGH_FOR_A_PAYEE = 3
_PHONE_LIKE = re.compile(r"(?:\+?250|0)?7[2389][0-9]{7}", re.ASCII)


@attrs.frozen
class Headings:
    """What the headings of a sheet mean.

    Attributes:
        names: The headings, as they are written.
        columns: What each means; None for nothing.
        ignored: Those that mean nothing.
        line: The line they stand on.
    """

    names: Sequence[str]
    columns: Sequence[str | None]
    ignored: Sequence[str]
    line: int = 1

    def name_of(self, column: str | None) -> str | None:
        """Return the heading of a column, as it is written."""
        return self.names[self.columns.index(column)] if column in self.columns else None


def check_mapping(mapping: Mapping[str, str]) -> dict[str, str]:
    """Return what other headings mean, by the headings as they compare.

    Raises:
        ConfigError: it names a column that does not exist.
    """
    for heading, column in mapping.items():
        if column not in COLUMNS:
            raise ConfigError(
                f"the mapping of {heading!r} names no column; one of: {', '.join(COLUMNS)}"
            )
    return {_key(heading): column for heading, column in mapping.items()}


def headings_of(names: Sequence[str], mapping: Mapping[str, str], line: int = 1) -> Headings:
    """Say what each heading means.

    Args:
        names: The headings.
        mapping: What others mean; see `check_mapping`.
        line: The line they stand on.

    Raises:
        ConfigError: two of them mean the same.
    """
    keys = [*map(_key, names)]
    columns = [_meaning_of(key, mapping) for key in keys]
    known = [column for column in columns if column is not None]
    twice = {column for column in known if known.count(column) > 1}
    # A library that reads a sheet renames the second of two columns of one name.
    for key, column in zip(keys, columns, strict=True):
        renamed = _RENAMED.fullmatch(key) if column is None else None
        if renamed and renamed[1] in keys and (meant := _meaning_of(renamed[1], mapping)):
            twice.add(meant)
    if twice:
        raise ConfigError(
            f"more than one column maps to {', '.join(sorted(twice))}; keep one of them"
        )
    ignored = [name for name, column in zip(names, columns, strict=True) if column is None and name]
    return Headings(names, columns, ignored, line)


class Lines(NamedTuple):
    """The first lines of a file that hold anything, each with its number."""

    cells: list[tuple[int, Sequence[Any]]]

    @property
    def width(self) -> int:
        """Cells of the longest."""
        return max((len(cells) for _, cells in self.cells), default=0)

    def heading(self, mapping: Mapping[str, str]) -> Headings | None:
        """Return the first line that has all columns that are needed; None where none has.

        Raises:
            ConfigError: two of its headings mean the same.
        """
        for line, cells in self.cells:
            names = [*map(shown, cells)]
            if not missing_columns(_meaning_of(_key(name), mapping) for name in names):
                return headings_of(names, mapping, line)
        return None

    def likeliest(self, mapping: Mapping[str, str]) -> Headings:
        """Return the line that looks most like headings, to say what is wrong with it."""

        def likeness(found: tuple[int, Sequence[Any]]) -> int:
            names = [*map(shown, found[1])]
            known = sum(_meaning_of(_key(name), mapping) is not None for name in names)
            return known + len(proposed_mapping(names, mapping)[0])

        line, cells = max(self.cells, key=likeness, default=(1, ()))
        names = [*map(shown, cells)]
        return Headings(names, [_meaning_of(_key(name), mapping) for name in names], (), line)

    def above(self, line: int) -> list[tuple[int, Sequence[Any]]]:
        """Return what stands above a line."""
        return [found for found in self.cells if found[0] < line]


def looks_like_payee(cells: Sequence[Any]) -> bool:
    """Return whether a line above the headings could be somebody to pay."""
    texts = [shown(cell) for cell in cells]
    phones = [text for text in texts if _PHONE_LIKE.fullmatch(re.sub(r"[\s().-]", "", text))]
    numbers = [text for text in texts if has_digit(text)]
    filled = [text for text in texts if text]
    return bool(phones) and len(numbers) > 1 and len(filled) >= _ENOUGH_FOR_A_PAYEE


def missing_columns(columns: Iterable[str | None]) -> list[str]:
    """Name the columns that are needed and not there."""
    known = {*columns}
    missing = [name for name in ("reference", "amount") if name not in known]
    if "bank_key" not in known and "msisdn" not in known:
        missing.append("msisdn (or bank_key and account_number)")
    return missing


def require_columns(headings: Headings, mapping: Mapping[str, str], where: str = "") -> None:
    """Refuse headings that lack a column, and offer what looks like it.

    Args:
        headings: The headings.
        mapping: What others mean.
        where: The line they stand on, in words.

    Raises:
        HeadingsError: with the headings that look like the missing columns.
    """
    missing = missing_columns(headings.columns)
    if not missing:
        return
    proposed, rivals = proposed_mapping(headings.names, mapping)
    message = f"the file has no column for {', '.join(missing)}; map its headings{where}"
    if proposed:
        looks = ", ".join(f"{name!r} like {column}" for name, column in proposed.items())
        message += f". It may be there under another heading: {looks}"
    elif "reference" in missing and "reference" not in rivals:
        message += ". Add a column 'reference' that gives each row a name of your own"
    for column, names in rivals.items():
        message += f". {' and '.join(map(repr, names))} both look like {column}: choose one"
    raise HeadingsError(message, proposed)


def require_mapped(mapping: Mapping[str, str], names: Iterable[str]) -> None:
    """Refuse a mapping of headings that are not there.

    Raises:
        ConfigError: naming them.
    """
    found = {*map(_key, names)}
    unmapped = [heading for heading in mapping if heading not in found]
    if unmapped:
        raise ConfigError(f"the mapping names headings the file does not have: {unmapped}")


def proposed_mapping(
    names: Sequence[str], mapping: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Say which headings look like columns that are not there.

    Returns:
        Headings with the column of each; and columns that several headings look like alike.
    """
    taken = {_meaning_of(_key(name), mapping) for name in names}
    free = [name for name in dict.fromkeys(names) if _meaning_of(_key(name), mapping) is None]
    proposed: dict[str, str] = {}
    rivals: dict[str, list[str]] = {}
    for column in COLUMNS:
        if column in taken or column not in _CALLED_FOLDED:
            continue
        ranked = sorted(
            (rank, place, name)
            for place, name in enumerate(free)
            if name not in proposed and (rank := _likeness(name, column)) is not None
        )
        if not ranked:
            continue
        best = [name for rank, _, name in ranked if rank == ranked[0][0]]
        if len(best) == 1:
            proposed[best[0]] = column
        else:
            rivals[column] = best
    return {name: proposed[name] for name in free if name in proposed}, rivals


def _likeness(name: str, column: str) -> float | None:
    """Return how far a heading is from a column's names, 0 for one of them; None for too far."""
    words = _CURRENCY.sub("", folded(name))
    called = _CALLED_FOLDED[column]
    if not words:
        return None
    if words in called or words.replace(" ", "_") == column:
        return called.index(words) / 1000 if words in called else 0.0
    if len(words) < _LEAST_TO_COMPARE:
        return None
    close = max(
        difflib.SequenceMatcher(None, words, other).ratio()
        for other in (*called, column)
        if len(other) >= _LEAST_TO_COMPARE
    )
    return 2 - close if close >= _ALIKE else None


def _key(heading: str) -> str:
    """Return a heading as a reader sees it, in small letters, with one space between words.

    Raises:
        ConfigError: it has a mark that shows it backwards.
    """
    try:
        seen = without_invisible(composed(heading), field="a heading")
    except ValueError as error:
        reason = str(error)
    else:
        return " ".join(seen.casefold().split())
    raise ConfigError(reason)


def _meaning_of(key: str, mapping: Mapping[str, str]) -> str | None:
    meant = mapping.get(key) or key.replace(" ", "_")
    return meant if meant in COLUMNS else None


def title_words(above: Sequence[tuple[int, Sequence[Any]]]) -> str | None:
    """Say what stands above the headings and was not read; None where nothing does."""
    if not above:
        return None
    first = next(shown(cell) for cell in above[0][1] if shown(cell))
    lines = line_words([line for line, _ in above])
    return f"{lines} above the headings not read: {first[:60]!r}"

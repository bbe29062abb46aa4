"""Rows of a sheet that are no payee: totals, signatures and notes below the last one.

They are left out and named, never paid. What has a phone or an account is never left out: it is
paid, or it is a fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from dgspay.payouts.errors import RowFault
from dgspay.payouts.model.payout import Payout
from dgspay.payouts.sheet.cells import has_digit, shown
from dgspay.payouts.sheet.proposals import proposal_of
from dgspay.payouts.sheet.words import folded, line_words

_TOTALS = frozenset({"total", "totals", "totaux", "subtotal", "somme", "igiteranyo", "jumla"})
# What stands beside the word in the label of a total: anything else may be somebody's name.
_BESIDE_TOTALS = frozenset(
    {
        *("grand", "general", "generale", "generaux", "sub", "sous", "net", "nets", "nette"),
        *("brut", "gross", "rwf", "frw", "amount", "amounts", "montant", "montants", "pay"),
        *("paid", "payable", "paye", "payer", "salary", "salaries", "salaire", "salaires"),
        *("employees", "staff", "employes", "of", "for", "the", "de", "du", "des", "la", "le"),
        *("les", "a", "to", "be", "and", "et", "in", "en", "all", "page", "month", "mois"),
        *("report", "rusange", "yose"),
        *("january", "february", "march", "april", "may", "june", "july", "august"),
        *("september", "october", "november", "december", "janvier", "fevrier", "mars"),
        *("avril", "mai", "juin", "juillet", "aout", "septembre", "octobre", "novembre"),
        *("decembre"),
    }
)
_SIGNATURES = (
    *("prepared by", "checked by", "verified by", "approved by", "authorised by", "authorized by"),
    *("signed by", "reviewed by", "certified by", "validated by", "noted by", "done at", "done by"),
    *("received by", "posted by", "compiled by", "endorsed by", "recommended by", "sign", "signed"),
    *("prepare par", "verifie par", "approuve par", "autorise par", "valide par", "etabli par"),
    *("signe par", "vise par", "certifie par", "controle par", "elabore par", "dresse par"),
    *("fait a", "fait le", "lu et approuve", "vu et approuve", "pour accord", "bon pour"),
    *("byateguwe na", "byemejwe na", "byagenzuwe na", "bikorewe", "umukono"),
    *("signature", "signatures", "stamp", "cachet", "date", "note", "nb", "n b", "remarque"),
    *("nom et signature", "name and signature", "names and signature", "managing director"),
    *("director", "le directeur", "la directrice", "accountant", "le comptable", "la comptable"),
)
_SHOWN = 10
_LONGEST = 40


@attrs.frozen
class LeftOut:
    """A row that is no payee.

    Attributes:
        line: Where it stands.
        kind: What it is taken for.
        text: What stands in it, shortened.
    """

    line: int
    kind: str
    text: str


@attrs.define
class Footers:
    """What of a sheet is no payee, found while its rows go by.

    Attributes:
        names: The headings, as they are written.
        left_out: What was left out.
    """

    names: Sequence[str]
    left_out: list[LeftOut] = attrs.field(factory=list)
    _sum: int = 0
    _since_total: int = 0
    _signed: bool = False
    _totals: list[tuple[int, int, int, int]] = attrs.field(factory=list)

    def paid(self, payout: Payout) -> str | None:
        """Count a good row; say what speaks against its being one."""
        texts = payout.reference, payout.name or ""
        # A part of each of `_TOTALS`: a quick look before the long one.
        small = f"{texts[0]} {texts[1]}".lower()
        may_be = "tota" in small or "somme" in small or "igiteranyo" in small or "jumla" in small
        if may_be and any(map(is_total, texts)):
            return (
                "it looks like a total, and has a phone or an account: a total is not paid. Empty "
                "that cell; or give the payee another name and reference than the word for a total"
            )
        self._sum += payout.amount
        self._since_total += payout.amount
        return None

    def leave_out(self, line: int, cells: Sequence[Any], row: Mapping[str, Any]) -> bool:
        """Leave a row out that cannot be paid, if it is no payee; return whether it is none.

        Args:
            line: Where it stands.
            cells: All its cells.
            row: Those that mean a column.
        """
        if has_digit(row.get("msisdn")) or has_digit(row.get("account_number")):
            return False
        texts = [text for text in map(shown, cells) if text]
        kind = self._kind_of(line, texts, [*map(shown, cells)], row)
        if kind is not None and texts:
            self.left_out.append(LeftOut(line, kind, _shortened(texts)))
        return kind is not None

    def _kind_of(
        self, line: int, texts: Sequence[str], cells: Sequence[str], row: Mapping[str, Any]
    ) -> str | None:
        if cells == [*self.names]:
            return "the headings again"
        amount = _amount_of(row)
        if any(map(is_total, texts)):
            self._note_total(line, amount)
            return "a total"
        if amount is not None and len(texts) == 1 and amount in (self._sum, self._since_total):
            self._note_total(line, amount)
            return "a total"
        if has_digit(row.get("amount")):
            return None
        if self._signed or any(map(_is_signature, texts)):
            self._signed = True
            return "a signature or a note"
        return None if any(map(shown, row.values())) else "no payee"

    def _note_total(self, line: int, amount: int | None) -> None:
        if amount is not None:
            self._totals.append((line, amount, self._sum, self._since_total))
        self._since_total = 0

    def wrong_totals(self) -> list[RowFault]:
        """Return the totals that the rows do not come to; right only after the last row."""
        return [
            RowFault(
                line,
                "amount",
                f"the total says {amount:,} RWF, and the rows above it come to {above:,} RWF: one "
                "of them is wrong",
                value=f"{amount}",
            )
            for line, amount, above, part in self._totals
            if amount not in (above, part, self._sum)
        ]

    def remarks(self) -> list[str]:
        """Name what was left out, for a person."""
        by_kind: dict[str, list[LeftOut]] = {}
        for left in self.left_out:
            by_kind.setdefault(left.kind, []).append(left)
        return [_remark(kind, rows) for kind, rows in by_kind.items()]


def is_total(text: str) -> bool:
    """Return whether a text is the label of a total, and can be nothing else."""
    words = folded(text).split()
    return any(word in _TOTALS for word in words) and all(
        word in _TOTALS or word in _BESIDE_TOTALS or word.isdigit() for word in words
    )


def _is_signature(text: str) -> bool:
    words = f"{folded(text)} "
    return any(words.startswith(f"{phrase} ") for phrase in _SIGNATURES)


def _amount_of(row: Mapping[str, Any]) -> int | None:
    value = row.get("amount")
    text = shown(value)
    plain = text if text.isdecimal() and text.isascii() else proposal_of("amount", value)
    return None if plain is None else int(plain)


def _shortened(texts: Sequence[str]) -> str:
    text = " ".join(texts)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _remark(kind: str, rows: Sequence[LeftOut]) -> str:
    named = "; ".join(f"{line_words([row.line])} {row.text!r}" for row in rows[:_SHOWN])
    more = f"; and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return f"left out as {kind}, not paid: {named}{more}"

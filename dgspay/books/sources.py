"""What the sources of the books report: movements, doubts, and what they do not say."""

from __future__ import annotations

import attrs

from dgspay.books.movement import Doubt, Movement


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


@attrs.define
class Found:
    """What one source, or all of them, report.

    Attributes:
        movements: In no order.
        doubts: What may have been movements.
        notes: What the source does not say, a sentence each.
        references: Names by which DGS-Pay knows what is in it, so that nothing counts twice.
    """

    movements: list[Movement] = attrs.field(factory=list)
    doubts: list[Doubt] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    references: set[str] = attrs.field(factory=set)

    def add(self, other: Found) -> None:
        """Take in what another source reports."""
        self.movements += other.movements
        self.doubts += other.doubts
        self.notes += other.notes
        self.references |= other.references

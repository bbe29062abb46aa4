"""A bounded memory of the rows that a walk has yielded, a few bytes each.

Rows that are inserted at the head move others on to the next page, and how far back a page may
reach depends on how long the program paused before it asked for it. So all of the last million
rows are remembered, and up to a million before those. As text in a set they would take a hundred
megabytes per million; here a row is six bytes of a digest in one of 4,096 buckets, about ten
megabytes per million and never more than twice that.

With its bucket, a row is known by 60 bits. That two of a million are taken for one, so that the
second is left out, is less likely than one in a million walks of that length.

Payouts have two filters of their own: a sheet's must name both lines and forget none
(`dgspay.payouts.sheet.summary`), and the ledger's must be exact (`recent_references`).
"""

from __future__ import annotations

from hashlib import blake2b

# Rows of a generation. There are two at most, so between so many and twice as many are known.
REMEMBERED_ROWS = 1_000_000

_MARK = 6
_BUCKETS = 0xFFF


class SeenRows:
    """A bounded memory of identities."""

    def __init__(self) -> None:
        self._young = _Generation()
        self._old = _Generation()

    def add(self, identity: str) -> bool:
        """Remember an identity; return False if it is one that came before."""
        digest = blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        bucket = int.from_bytes(digest[_MARK:], "little") & _BUCKETS
        mark = digest[:_MARK]
        if self._young.has(bucket, mark) or self._old.has(bucket, mark):
            return False
        if self._young.rows >= REMEMBERED_ROWS:
            self._old, self._young = self._young, _Generation()
        self._young.add(bucket, mark)
        return True

    def __len__(self) -> int:
        return self._young.rows + self._old.rows


class _Generation:
    """Marks of equal length, one after the other in the bytes of their bucket."""

    def __init__(self) -> None:
        self._marks: dict[int, bytearray] = {}
        self.rows = 0

    def add(self, bucket: int, mark: bytes) -> None:
        self._marks.setdefault(bucket, bytearray()).extend(mark)
        self.rows += 1

    def has(self, bucket: int, mark: bytes) -> bool:
        marks = self._marks.get(bucket)
        if marks is None:
            return False
        position = marks.find(mark)
        while position > 0 and position % _MARK:  # across the border of two others
            position = marks.find(mark, position + 1)
        return position >= 0

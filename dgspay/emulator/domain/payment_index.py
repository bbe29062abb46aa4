"""Index of a merchant's payments: in the order of creation, by name, and by status."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence
from typing import overload

from dgspay.emulator.domain.records import Payment
from dgspay.emulator.domain.search_index import SearchIndex
from dgspay.models.enums import PaymentStatus


class PaymentIndex:
    """Every payment, oldest first.

    A page of the payments with one status is found without looking at the others, because the
    places of each status are kept in order beside the payments.

    Attributes:
        payments: All of them.
        words: What each is found by, in the same order: who paid how much, and every reference.
    """

    def __init__(self) -> None:
        self.payments: list[Payment] = []
        self.words = SearchIndex()
        self._by_name: dict[str, Payment] = {}
        self._places = {status: array("L") for status in PaymentStatus}
        # Of pending ones only: the place of the others is never needed again.
        self._place_of_pending: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def add(self, payment: Payment) -> None:
        """Remember a payment under each of its names."""
        place = len(self.payments)
        self.payments.append(payment)
        self.words.add(_words_of(payment))
        for name in (payment.id, payment.dgs_reference, payment.flw_reference):
            self._by_name[name] = payment
        self._places[payment.status].append(place)
        if payment.status is PaymentStatus.PENDING:
            self._place_of_pending[payment.dgs_reference] = place

    def end(self, payment: Payment) -> None:
        """Note that a payment is pending no more."""
        place = self._place_of_pending.pop(payment.dgs_reference, None)
        if place is not None:
            pending = self._places[PaymentStatus.PENDING]
            del pending[bisect_left(pending, place)]
            insort(self._places[payment.status], place)

    def find(self, name: str) -> Payment | None:
        """Find a payment by id, transaction id, dgs reference or flw reference."""
        return self._by_name.get(name) or self._by_name.get(f"dgs_{name}")

    def referred_to(self, reference: str, field: str) -> Sequence[Payment]:
        """Return the payment, if any, that has exactly this reference in this field."""
        payment = self._by_name.get(reference)
        is_meant = payment is not None and getattr(payment, field) == reference
        return (payment,) if payment is not None and is_meant else ()

    def places(self) -> Mapping[str, Sequence[int]]:
        """Return the places among `payments` of those with each status, in order, as they are."""
        return {status: places[:] for status, places in self._places.items()}

    def at(self, places: Sequence[int]) -> Sequence[Payment]:
        """Return the payments at some places, as they are at each look."""
        return _Chosen(self.payments, places)

    def with_status(self, status: PaymentStatus) -> Sequence[Payment]:
        """Return the payments with one status, oldest first, as they are at each look."""
        return self.at(self._places[status])


def _words_of(payment: Payment) -> str:
    payer = payment.payer
    texts = (
        payment.dgs_reference,
        payment.flw_reference,
        f"{payer.first_name} {payer.last_name}",
        payer.email,
        f"0{payment.phone}" if payment.phone else payment.card_last4 or "",
        str(payment.amount),
        payment.currency,
        payment.narration or "",
    )
    return " ".join(texts)


class _Chosen(Sequence[Payment]):
    """Some of the payments; only those that are asked for are touched."""

    def __init__(self, payments: list[Payment], places: Sequence[int]) -> None:
        self._payments = payments
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, where: int) -> Payment: ...
    @overload
    def __getitem__(self, where: slice) -> Sequence[Payment]: ...
    def __getitem__(self, where: int | slice) -> Payment | Sequence[Payment]:
        if isinstance(where, slice):
            return [self._payments[place] for place in self._places[where]]
        return self._payments[self._places[where]]

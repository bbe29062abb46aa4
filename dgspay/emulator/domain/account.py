"""Account of one merchant: all its state behind one small class."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Container, Mapping, Sequence

import attrs

from dgspay.emulator.clock import EmulatorClock
from dgspay.emulator.domain.credentials import Credentials
from dgspay.emulator.domain.idempotency import Keys
from dgspay.emulator.domain.identifiers import Identifiers
from dgspay.emulator.domain.payment_index import PaymentIndex
from dgspay.emulator.domain.recorder import Recorder
from dgspay.emulator.domain.records import (
    Conversion,
    Disbursement,
    Due,
    Event,
    ExecutedCall,
    Link,
    Payment,
)
from dgspay.emulator.domain.wallet import Wallet
from dgspay.money import AmountInput


@attrs.frozen
class Options:
    """Options where the real service leaves a choice."""

    settle_after: float | None = 2.0
    webhook_url: str | None = None
    latency: float = 0.0
    require_account_number: bool = True
    settle_transfers: bool = True
    transfers_in_lookup: bool = True
    guide_credentials: bool = False
    balances: Mapping[str, AmountInput] = attrs.field(factory=dict)


class Account:
    """Data of a merchant and its history. The rules are in the areas of the API.

    Args:
        credentials: What the merchant's requests must carry.
        options: How the emulator behaves.
        clock: Where the time comes from.
        identifiers: Where ids and references come from.
        origin: What the URLs in answers begin with.
        recorder: Records what changes.
        slugs: The slugs of all merchants' links: their pages share one address space.
        scheduled: Called when something was put down to settle later.
    """

    def __init__(
        self,
        credentials: Credentials,
        options: Options,
        clock: EmulatorClock,
        identifiers: Identifiers,
        origin: str,
        *,
        slugs: set[str],
        recorder: Recorder,
        scheduled: Callable[[], object],
    ) -> None:
        self.credentials = credentials
        self.options = options
        self.clock = clock
        self.identifiers = identifiers
        self.origin = origin
        self._taken_slugs = slugs
        self._scheduled = scheduled
        self._recorder = recorder
        self.keys = Keys()
        # From a source of its own, so that another merchant does not change the ids to come.
        self.merchant_id = Identifiers(f"{identifiers.seed} {credentials.account_number}").uuid()
        self.wallet = Wallet(options.balances)
        self.history = PaymentIndex()
        self.disbursements: dict[str, Disbursement] = {}
        self.conversions: dict[str, Conversion] = {}
        self.links: dict[str, Link] = {}
        self.executed: list[ExecutedCall] = []
        self._slugs: dict[str, Link] = {}
        self._outbox: list[Event] = []
        self._due: list[tuple[float, int, str]] = []
        self._tiebreak = itertools.count()
        self._event_numbers = itertools.count(1)

    # --- payments, disbursements, conversions, links ------------------------------------

    @property
    def payments(self) -> Sequence[Payment]:
        """Every payment, oldest first."""
        return self.history.payments

    def add_payment(self, payment: Payment) -> None:
        """Remember a payment under each of its names."""
        self.history.add(payment)
        self.touch("payment", payment.dgs_reference, payment)

    def end_payment(self, payment: Payment) -> None:
        """Note that a payment has ended; its status says how."""
        self.history.end(payment)
        self.touch("payment", payment.dgs_reference, payment)

    def payment(self, name: str) -> Payment | None:
        """Find a payment by id, transaction id, dgs reference or flw reference."""
        return self.history.find(name)

    def add_disbursement(self, disbursement: Disbursement) -> None:
        """Remember a transfer."""
        self.disbursements[disbursement.dgs_reference] = disbursement
        self.touch("disbursement", disbursement.dgs_reference, disbursement)

    def add_conversion(self, conversion: Conversion) -> None:
        """Remember a conversion."""
        self.conversions[conversion.dgs_reference] = conversion
        self.touch("conversion", conversion.dgs_reference, conversion)

    def add_link(self, link: Link) -> None:
        """Remember a payment link under its id and its slug."""
        self.links[link.id] = link
        self._slugs[link.slug] = link
        # Its page is found by its id as well, which no other link may have for a slug.
        self._taken_slugs |= {link.id, link.slug}
        self.touch("link", link.id, link)

    def link(self, name: str) -> Link | None:
        """Find a payment link by id or slug."""
        return self.links.get(name) or self._slugs.get(name)

    def is_taken(self, slug: str) -> bool:
        """Return whether a link of any merchant has a slug."""
        return slug in self._taken_slugs

    def rename_link(self, link: Link, slug: str) -> None:
        """Change the slug of a link."""
        del self._slugs[link.slug]
        self._taken_slugs.discard(link.slug)
        link.slug = slug
        self._slugs[slug] = link
        self._taken_slugs.add(slug)

    def has(self, name: str) -> bool:
        """Return whether something of this account has this id, reference or slug."""
        return (
            name in self.history
            or name in self.disbursements
            or name in self.conversions
            or self.link(name) is not None
        )

    def new_number(self, prefix: str) -> str:
        """Return nine digits that no reference with this prefix has yet."""
        while True:
            number = self.identifiers.number()
            reference = prefix + number
            if reference not in self.history and reference not in self.disbursements:
                return number

    # --- what is due, and what is to be sent --------------------------------------------

    def settle_later(self, reference: str) -> None:
        """Schedule a settlement after the account's delay; none when it has no delay."""
        if self.options.settle_after is not None:
            moment = self.clock.time() + self.options.settle_after
            self.settle_at(reference, moment)

    def settle_at(self, reference: str, moment: float) -> None:
        """Schedule a settlement at a moment, seconds since 1970."""
        heapq.heappush(self._due, (moment, next(self._tiebreak), reference))
        self.touch("due", reference, Due(moment))
        self._scheduled()

    def pop_due(self, before: float, among: Container[str] | None = None) -> str | None:
        """Take the next reference that settles before a moment, of all or of some."""
        if not self._due or self._due[0][0] >= before:
            return None
        if among is None:
            due = heapq.heappop(self._due)
        else:
            due = min((each for each in self._due if each[2] in among), default=(before, 0, ""))
            if due[0] >= before:
                return None
            self._due.remove(due)
            heapq.heapify(self._due)
        self.touch("due", due[2], None)
        return due[2]

    @property
    def due(self) -> Sequence[tuple[float, str]]:
        """Settlements to come, the earliest first."""
        return tuple((moment, reference) for moment, _, reference in sorted(self._due))

    def next_due(self) -> float | None:
        """Return when the next thing settles."""
        return self._due[0][0] if self._due else None

    def announce(self, payload: Mapping[str, object], callback_url: str | None) -> None:
        """Put a webhook in the outbox, for the callback URL or else the account's own."""
        event = Event(
            payload,
            callback_url or self.options.webhook_url,
            self.credentials.account_number,
            self.credentials.webhook_secret,
            next(self._event_numbers),
        )
        self._outbox.append(event)
        self.touch("event", str(event.number), event)

    def take_outbox(self) -> list[Event]:
        """Empty the outbox."""
        events, self._outbox = self._outbox, []
        return events

    def do(self, call: ExecutedCall) -> None:
        """Record a call that was carried out."""
        self.executed.append(call)
        self.touch("deed", str(len(self.executed)), call)

    # --- what must outlive the process --------------------------------------------------

    def touch(self, kind: str, name: str, record: object | None) -> None:
        """Record that something has changed; None: that it is gone."""
        self._recorder.touch(self.credentials.account_number, kind, name, record)

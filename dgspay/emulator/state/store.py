"""Keeps an emulator's state: what changed goes to the file, all of it into a snapshot, and back."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import attrs

from dgspay.emulator.clock import JumpingClock
from dgspay.emulator.domain.idempotency import Memory
from dgspay.emulator.domain.identifiers import Identifiers
from dgspay.emulator.domain.records import Conversion, Deed, Disbursement, Due, Event, Link, Payment
from dgspay.emulator.domain.wallet import Purse
from dgspay.emulator.faults.plan import Standing
from dgspay.emulator.state.serialization import from_text, to_text
from dgspay.emulator.state.sqlite_file import IN_MEMORY, Row, Snapshot, StateFile
from dgspay.emulator.webhooks.delivery import Delivery
from dgspay.emulator.webhooks.dispatcher import Courier
from dgspay.emulator.webhooks.modes import Mode

if TYPE_CHECKING:
    from dgspay.emulator.domain.account import Account, Options
    from dgspay.emulator.engine.engine import Engine

_LONGEST_NAME: Final = 80


@attrs.frozen
class Chosen:
    """The options that can be changed while the emulator runs."""

    settle_after: float | None
    webhook_url: str | None

    @classmethod
    def of(cls, options: Options) -> Chosen:
        """Return those of the emulator."""
        return cls(options.settle_after, options.webhook_url)


@attrs.frozen
class Settings:
    """What belongs to no merchant.

    Attributes:
        seed: What ids follow from.
        drawn: How many were made.
        ahead: How many seconds the clock was moved on by hand.
        merchants: Their names, the first one first.
        given: The options the emulator was started with.
        chosen: The options as they were changed since.
        faults: What goes wrong on purpose.
        thrown: How often chance has decided about faults.
        modes: What goes wrong with webhooks.
    """

    seed: str
    drawn: int
    ahead: float
    merchants: tuple[str, ...]
    given: Chosen
    chosen: Chosen
    faults: tuple[Standing, ...] = ()
    thrown: int = 0
    modes: tuple[Mode, ...] = ()


@attrs.frozen
class Wealth:
    """Who a merchant is and what its wallet holds: currency, available and pending."""

    merchant_id: str
    purses: tuple[tuple[str, Decimal, Decimal], ...]


# In the order in which they are read back: payments look for their links.
_KINDS: Final[dict[str, type[Any]]] = {
    "link": Link,
    "payment": Payment,
    "disbursement": Disbursement,
    "conversion": Conversion,
    "deed": Deed,
    "key": Memory,
    "due": Due,
    "event": Event,
}


class Keeper:
    """Keeps the state of an engine and its courier.

    Args:
        engine: The emulator's.
        courier: Its webhooks.
        merchants: The merchants' names.
        file: Where the state is kept from one run to the next; None: only while it runs.
    """

    def __init__(
        self, engine: Engine, courier: Courier, merchants: Sequence[str], file: StateFile | None
    ) -> None:
        self._engine = engine
        self._courier = courier
        self._merchants = tuple(merchants)
        self._file = file
        self._given = Chosen.of(engine.options)
        self._snapshots = file
        self._written: dict[tuple[str, str], str] = {}
        self._unwritten: dict[tuple[str, str, str], Row] = {}
        self._writing = threading.Lock()
        self.trouble: str | None = None
        """Why the file does not hold all there is; None when it does."""
        engine.trouble = lambda: self.trouble

    # --- the file -----------------------------------------------------------------------

    def begin(self) -> None:
        """Go on from what the file holds, and keep what changes from now on."""
        if self._file is None:
            return
        rows = self._file.read()
        if rows:
            self._load(rows, is_new_run=True)
        self._watch()

    def commit(self) -> None:
        """Write down what has changed, all of it or none."""
        if self._file is None:
            return
        engine = self._engine
        with engine.lock:
            rows = [
                Row(kind, account.credentials.account_number, name, _content(record))
                for account in engine.accounts
                for (kind, name), record in (account.touched or {}).items()
            ]
            small = [row for row in self._small_rows() if self._is_news(row)]
            self._write([*rows, *small])
            self._written.update(((r.kind, r.account), r.content or "") for r in small)
            for account in engine.accounts:
                if account.touched is not None:
                    account.touched.clear()

    def _write(self, rows: Iterable[Row]) -> None:
        """Write rows, and with them what could not be written before: the disk may be full."""
        with self._writing:
            for row in rows:
                self._unwritten[row.kind, row.account, row.name] = row
            if self._file is None or not self._unwritten:
                return
            try:
                self._file.write(self._unwritten.values())
            except OSError as error:
                self.trouble = error.strerror
            else:
                self.trouble = None
                self._unwritten.clear()

    def start_again(self) -> None:
        """Forget everything that happened; snapshots stay."""
        self._look_away()
        self._engine.reset()
        self._courier.reset()
        self._watch()

    def close(self) -> None:
        """Write down what was changed last, and let the file go."""
        self.commit()
        self._look_away()
        for account in self._engine.accounts:
            account.touched = None
        if self._snapshots is not None:
            self._snapshots.close()
        self._file = self._snapshots = None

    def _look_away(self) -> None:
        """Write nothing while the state is half one and half the other."""
        self._engine.commit = _nothing
        self._courier.keep = _nothing

    def _watch(self) -> None:
        """Have the file hold all there is now, and hear of every change."""
        if self._file is None:
            return
        with self._engine.lock, self._courier.standing_still() as deliveries:
            rows = [*self._rows(), *map(_delivery_row, deliveries)]
            self._file.replace(rows)
            self._unwritten.clear()
            self.trouble = None
            self._written = {(r.kind, r.account): r.content or "" for r in self._small_rows()}
            for account in self._engine.accounts:
                account.touched = {}
            self._engine.commit = self.commit
            self._courier.keep = self._keep_delivery

    def _is_news(self, row: Row) -> bool:
        return self._written.get((row.kind, row.account)) != row.content

    def _keep_delivery(
        self, delivery: Delivery, event: Event | None, evicted: Delivery | None
    ) -> None:
        rows = [_delivery_row(delivery)]
        if event is not None:
            rows.append(Row("event", event.account_number, str(event.number), None))
        if evicted is not None and evicted.next_at is None:
            rows.append(attrs.evolve(_delivery_row(evicted), content=None))
        self._write(rows)

    # --- snapshots ----------------------------------------------------------------------

    def snapshot(self, name: str) -> Snapshot:
        """Keep the present state under a name.

        Raises:
            ValueError: when the name is empty, too long or not printable.
        """
        if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
            raise ValueError(f"a snapshot's name is 1 to {_LONGEST_NAME} printable characters")
        if self._snapshots is None:
            self._snapshots = StateFile(IN_MEMORY)
        with self._engine.lock, self._courier.standing_still() as deliveries:
            rows = [*self._rows(), *map(_delivery_row, deliveries)]
        return self._snapshots.save(name, self._engine.clock.time(), rows)

    def restore(self, name: str) -> None:
        """Go back to a snapshot: its time, its ids to come, and all that is pending.

        Raises:
            LookupError: when there is none of this name.
        """
        if self._snapshots is None:
            raise LookupError(f"no snapshot {name!r}")
        self._load(self._snapshots.saved(name), is_new_run=False)
        self._watch()

    def forget(self, name: str) -> None:
        """Let a snapshot go.

        Raises:
            LookupError: when there is none of this name.
        """
        if self._snapshots is None:
            raise LookupError(f"no snapshot {name!r}")
        self._snapshots.forget(name)

    @property
    def snapshots(self) -> Sequence[Snapshot]:
        """What was kept, the latest first."""
        return () if self._snapshots is None else self._snapshots.snapshots()

    # --- from records to rows -----------------------------------------------------------

    def _rows(self) -> Iterator[Row]:
        """Write everything but the webhooks."""
        yield from self._small_rows()
        for account in self._engine.accounts:
            number = account.credentials.account_number
            for kind, name, record in _records(account):
                yield Row(kind, number, name, to_text(record))

    def _small_rows(self) -> Iterator[Row]:
        engine = self._engine
        clock = engine.clock
        settings = Settings(
            engine.identifiers.seed,
            engine.identifiers.drawn,
            clock.ahead if isinstance(clock, JumpingClock) else 0.0,
            self._merchants,
            self._given,
            Chosen.of(engine.options),
            tuple(engine.faults.standing),
            engine.faults.thrown,
            tuple(self._courier.mischief.standing),
        )
        yield Row("settings", "", "", to_text(settings))
        for account in engine.accounts:
            purses = account.wallet.purses.items()
            wealth = Wealth(
                account.merchant_id,
                tuple((currency, p.available, p.pending) for currency, p in purses),
            )
            yield Row("wealth", account.credentials.account_number, "", to_text(wealth))

    # --- and back -----------------------------------------------------------------------

    def _load(self, rows: Iterable[Row], *, is_new_run: bool) -> None:
        """Have the state that rows tell of in place of the present one.

        Args:
            rows: What to load.
            is_new_run: Whether they are from an earlier run. This one may have been given
                other options, which then hold.
        """
        self._look_away()
        found: dict[str, list[Row]] = {}
        for row in rows:
            found.setdefault(row.kind, []).append(row)
        engine = self._engine
        with engine.lock:
            (settings,) = (from_text(r.content or "", Settings) for r in found["settings"])
            if isinstance(engine.clock, JumpingClock):
                engine.clock.resume(settings.ahead)
            if not is_new_run or settings.given == self._given:
                engine.options = attrs.evolve(
                    engine.options,
                    settle_after=settings.chosen.settle_after,
                    webhook_url=settings.chosen.webhook_url,
                )
            engine.begin(Identifiers(settings.seed, settings.drawn))
            engine.faults.recall(settings.faults, settings.thrown)
            accounts = {a.credentials.account_number: a for a in engine.accounts}
            for row in found["wealth"]:
                _enrich(accounts[row.account], from_text(row.content or "", Wealth))
            for kind, cls in _KINDS.items():
                for row in found.get(kind, ()):
                    _recall(accounts[row.account], row, from_text(row.content or "", cls))
            events = [event for account in engine.accounts for event in account.take_outbox()]
        self._courier.recall(
            from_text(row.content or "", Delivery) for row in found.get("delivery", ())
        )
        self._courier.mischief.recall(settings.modes)
        self._courier.post(events)


def merchants_in(file: StateFile) -> Sequence[str]:
    """Return the names of the merchants a file tells of."""
    settings = file.read("settings")
    return from_text(settings[0].content or "", Settings).merchants if settings else ()


def _records(account: Account) -> Iterator[tuple[str, str, object]]:
    """Return all that an account remembers, by kind and name."""
    for link in account.links.values():
        yield "link", link.id, link
    for payment in account.payments:
        yield "payment", payment.dgs_reference, payment
    for reference, transfer in account.disbursements.items():
        yield "disbursement", reference, transfer
    for reference, conversion in account.conversions.items():
        yield "conversion", reference, conversion
    for place, deed in enumerate(account.deeds, start=1):
        yield "deed", str(place), deed
    for key, memory in account.keys.answered:
        yield "key", key, memory
    for moment, reference in account.due:
        yield "due", reference, Due(moment)


def _recall(account: Account, row: Row, record: Any) -> None:
    """Have an account remember one thing again."""
    match record:
        case Link():
            account.add_link(record)
        case Payment():
            account.add_payment(record)
            if record.link_id is not None:
                account.links[record.link_id].payments.append(record)
        case Disbursement():
            account.add_disbursement(record)
        case Conversion():
            account.add_conversion(record)
        case Deed():
            account.do(record)
        case Memory():
            account.keys.recall(row.name, record)
        case Due():
            account.settle_at(row.name, record.moment)
        case Event():
            account.announce(record.payload, record.url)


def _enrich(account: Account, wealth: Wealth) -> None:
    account.merchant_id = wealth.merchant_id
    account.wallet.purses = {
        currency: Purse(available, pending) for currency, available, pending in wealth.purses
    }


def _delivery_row(delivery: Delivery) -> Row:
    return Row("delivery", delivery.account_number, str(delivery.id), to_text(delivery))


def _content(record: object | None) -> str | None:
    return None if record is None else to_text(record)


def _nothing(*_: object) -> None:
    pass

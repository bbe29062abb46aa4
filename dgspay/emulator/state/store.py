"""Store of an emulator's state: changes go to the file, snapshots hold all of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import attrs

from dgspay.emulator.clock import JumpingClock
from dgspay.emulator.domain.idempotency import Memory
from dgspay.emulator.domain.identifiers import Identifiers
from dgspay.emulator.domain.records import (
    Conversion,
    Disbursement,
    Due,
    Event,
    ExecutedCall,
    Link,
    Payment,
)
from dgspay.emulator.domain.wallet import Balance
from dgspay.emulator.faults.plan import PlannedFault
from dgspay.emulator.state.file_recorder import FileRecorder, delivery_row
from dgspay.emulator.state.serialization import from_text, to_text
from dgspay.emulator.state.sqlite_file import IN_MEMORY, Row, Snapshot, StateFile
from dgspay.emulator.webhooks.delivery import Delivery
from dgspay.emulator.webhooks.dispatcher import Dispatcher
from dgspay.emulator.webhooks.modes import Mode

if TYPE_CHECKING:
    from dgspay.emulator.domain.account import Account, Options
    from dgspay.emulator.engine.engine import Engine

_LONGEST_NAME: Final = 80


@attrs.frozen
class OptionOverrides:
    """The options that can be changed while the emulator runs."""

    settle_after: float | None
    webhook_url: str | None

    @classmethod
    def of(cls, options: Options) -> OptionOverrides:
        """Return the values of the emulator."""
        return cls(options.settle_after, options.webhook_url)


@attrs.frozen
class EmulatorSettings:
    """State that belongs to no merchant.

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
    given: OptionOverrides
    chosen: OptionOverrides
    faults: tuple[PlannedFault, ...] = ()
    thrown: int = 0
    modes: tuple[Mode, ...] = ()


@attrs.frozen
class WalletRow:
    """Identity of a merchant, and its wallet: currency, available and pending."""

    merchant_id: str
    balances: tuple[tuple[str, Decimal, Decimal], ...]


# In the order in which they are read back: payments look for their links.
_KINDS: Final[dict[str, type[Any]]] = {
    "link": Link,
    "payment": Payment,
    "disbursement": Disbursement,
    "conversion": Conversion,
    "deed": ExecutedCall,
    "key": Memory,
    "due": Due,
    "event": Event,
}


class StateStore:
    """Store of the state of an engine and its dispatcher.

    Args:
        engine: The emulator's.
        dispatcher: Its webhooks.
        file: Where the state is kept from one run to the next; None: only while it runs.
        recorder: Writes to that file; engine and dispatcher have the same one.
    """

    def __init__(
        self,
        engine: Engine,
        dispatcher: Dispatcher,
        file: StateFile | None,
        recorder: FileRecorder | None,
    ) -> None:
        self._engine = engine
        self._dispatcher = dispatcher
        self._file = file
        self._recorder = recorder
        self._given = OptionOverrides.of(engine.options)
        self._snapshots = file

    # --- the file -----------------------------------------------------------------------

    def begin(self) -> None:
        """Go on from what the file holds, and record what changes from now on."""
        if self._file is None:
            return
        rows = self._file.read()
        if rows:
            self._load(rows, is_new_run=True)
        self._record()

    def commit(self) -> None:
        """Commit what has changed, all of it or nothing."""
        if self._recorder is not None:
            with self._engine.lock:
                self._recorder.commit()

    def start_again(self) -> None:
        """Forget everything that happened; snapshots stay."""
        self._pause()
        self._engine.reset()
        self._dispatcher.reset()
        self._record()

    def close(self) -> None:
        """Commit the last changes, and close the file."""
        self.commit()
        self._pause()
        if self._snapshots is not None:
            self._snapshots.close()
        self._file = self._recorder = self._snapshots = None

    def _pause(self) -> None:
        if self._recorder is not None:
            self._recorder.pause()

    def _record(self) -> None:
        """Write the whole state to the file, and record every change from now on."""
        if self._recorder is None:
            return
        with self._engine.lock, self._dispatcher.standing_still() as deliveries:
            rows = [*self._rows(), *map(delivery_row, deliveries)]
            self._recorder.resume(rows, self._small_rows)

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
        with self._engine.lock, self._dispatcher.standing_still() as deliveries:
            rows = [*self._rows(), *map(delivery_row, deliveries)]
        return self._snapshots.save(name, self._engine.clock.time(), rows)

    def restore(self, name: str) -> None:
        """Go back to a snapshot: its time, its ids to come, and all that is pending.

        Raises:
            LookupError: when there is none of this name.
        """
        if self._snapshots is None:
            raise LookupError(f"no snapshot {name!r}")
        self._load(self._snapshots.saved(name), is_new_run=False)
        self._record()

    def forget(self, name: str) -> None:
        """Delete a snapshot.

        Raises:
            LookupError: when there is none of this name.
        """
        if self._snapshots is None:
            raise LookupError(f"no snapshot {name!r}")
        self._snapshots.forget(name)

    @property
    def snapshots(self) -> Sequence[Snapshot]:
        """Snapshots, the latest first."""
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
        settings = EmulatorSettings(
            engine.accounts.identifiers.seed,
            engine.accounts.identifiers.drawn,
            clock.ahead if isinstance(clock, JumpingClock) else 0.0,
            engine.accounts.names,
            self._given,
            OptionOverrides.of(engine.options),
            tuple(engine.faults.standing),
            engine.faults.thrown,
            tuple(self._dispatcher.delivery_modes.standing),
        )
        yield Row("settings", "", "", to_text(settings))
        for account in engine.accounts:
            balances = account.wallet.purses.items()
            wealth = WalletRow(
                account.merchant_id,
                tuple((currency, p.available, p.pending) for currency, p in balances),
            )
            yield Row("wealth", account.credentials.account_number, "", to_text(wealth))

    # --- and back -----------------------------------------------------------------------

    def _load(self, rows: Iterable[Row], *, is_new_run: bool) -> None:
        """Replace the present state by that of some rows.

        Args:
            rows: What to load.
            is_new_run: Whether they are from an earlier run. This one may have been given
                other options, which then hold.
        """
        self._pause()
        found: dict[str, list[Row]] = {}
        for row in rows:
            found.setdefault(row.kind, []).append(row)
        engine = self._engine
        with engine.lock:
            (settings,) = (from_text(r.content or "", EmulatorSettings) for r in found["settings"])
            if isinstance(engine.clock, JumpingClock):
                engine.clock.resume(settings.ahead)
            if not is_new_run or settings.given == self._given:
                engine.accounts.options = attrs.evolve(
                    engine.options,
                    settle_after=settings.chosen.settle_after,
                    webhook_url=settings.chosen.webhook_url,
                )
            engine.begin(Identifiers(settings.seed, settings.drawn))
            engine.faults.recall(settings.faults, settings.thrown)
            accounts = {a.credentials.account_number: a for a in engine.accounts}
            for row in found["wealth"]:
                _enrich(accounts[row.account], from_text(row.content or "", WalletRow))
            for kind, cls in _KINDS.items():
                for row in found.get(kind, ()):
                    _recall(accounts[row.account], row, from_text(row.content or "", cls))
            events = [event for account in engine.accounts for event in account.take_outbox()]
        self._dispatcher.recall(
            from_text(row.content or "", Delivery) for row in found.get("delivery", ())
        )
        self._dispatcher.delivery_modes.recall(settings.modes)
        self._dispatcher.post(events)


def merchants_in(file: StateFile) -> Sequence[str]:
    """Return the names of the merchants in a file."""
    settings = file.read("settings")
    return from_text(settings[0].content or "", EmulatorSettings).merchants if settings else ()


def _records(account: Account) -> Iterator[tuple[str, str, object]]:
    """Return everything of an account, by kind and name."""
    for link in account.links.values():
        yield "link", link.id, link
    for payment in account.payments:
        yield "payment", payment.dgs_reference, payment
    for reference, transfer in account.disbursements.items():
        yield "disbursement", reference, transfer
    for reference, conversion in account.conversions.items():
        yield "conversion", reference, conversion
    for place, call in enumerate(account.executed, start=1):
        yield "deed", str(place), call
    for key, memory in account.keys.answered:
        yield "key", key, memory
    for moment, reference in account.due:
        yield "due", reference, Due(moment)


def _recall(account: Account, row: Row, record: Any) -> None:
    """Restore one thing of an account."""
    match record:
        case Link():
            account.add_link(record)
        case Payment():
            account.add_payment(record)
            if record.link_id is not None:
                account.links[record.link_id].add(record)
        case Disbursement():
            account.add_disbursement(record)
        case Conversion():
            account.add_conversion(record)
        case ExecutedCall():
            account.do(record)
        case Memory():
            account.keys.recall(row.name, record)
        case Due():
            account.settle_at(row.name, record.moment)
        case Event():
            account.announce(record.payload, record.url)


def _enrich(account: Account, wealth: WalletRow) -> None:
    account.merchant_id = wealth.merchant_id
    account.wallet.purses = {
        currency: Balance(available, pending) for currency, available, pending in wealth.balances
    }

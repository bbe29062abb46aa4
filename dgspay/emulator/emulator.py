"""Public facade of the emulator: set it up, call it, control it, inspect it."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from starlette.types import ASGIApp

from dgspay.emulator.api.call import API_PREFIX
from dgspay.emulator.clock import EmulatorClock, SystemClock
from dgspay.emulator.console import console_routes
from dgspay.emulator.control import Controls
from dgspay.emulator.domain import payment_links
from dgspay.emulator.domain.account import Options
from dgspay.emulator.domain.accounts import IN_PROCESS_ORIGIN
from dgspay.emulator.domain.credentials import FIRST_MERCHANT
from dgspay.emulator.domain.recorder import NullRecorder
from dgspay.emulator.domain.records import Payment
from dgspay.emulator.domain.sample_history import generate
from dgspay.emulator.domain.wallet import DEFAULT_BALANCES
from dgspay.emulator.engine.change_feed import ChangeFeed
from dgspay.emulator.engine.engine import Engine
from dgspay.emulator.engine.request_log import LoggedRequest
from dgspay.emulator.engine.ticker import Ticker
from dgspay.emulator.faults.plan import Faults
from dgspay.emulator.faults.toml_file import load_faults
from dgspay.emulator.merchant import Merchant
from dgspay.emulator.server import in_process, serve
from dgspay.emulator.server.asgi import create_app
from dgspay.emulator.state import FileRecorder, Snapshot, StateFile, StateStore, merchants_in
from dgspay.emulator.webhooks.control import Webhooks
from dgspay.emulator.webhooks.dispatcher import TIMEOUT_SECONDS, Dispatcher
from dgspay.emulator.webhooks.in_process import AppReceiver
from dgspay.models.validators import is_web_url
from dgspay.money import AmountInput


class Emulator(Merchant):
    """A local DGS-Pay. Its merchant attributes are those of its first merchant.

    Args:
        settle_after: Seconds until a payment, disbursement or conversion settles by itself;
            0 for the next look-up, None for never (use `approve`, `decline`, `settle`).
        clock: Where the time comes from; a `VirtualClock` in tests.
        webhook_url: Where webhooks go that have no `callback_url` of their own. Without one
            they are only recorded in `webhooks.deliveries`.
        latency: Real seconds between doing the work of a request and answering it.
        seed: The same seed makes the same ids and references.
        balances: What the wallet holds at the start, by currency.
        require_account_number: Whether `X-DGS-ACCOUNT-NUMBER` must be sent. A wrong one is
            rejected either way.
        settle_transfers: Whether a disbursement without a scenario succeeds by itself.
        transfers_in_lookup: Whether `GET /transactions/{id}` finds disbursements.
        state: A SQLite file in which everything outlives this process, `kill -9` included; made
            when it is not there. Its merchants are there again. Options that were changed
            while it ran are as they were changed, unless this run is given others than that
            one was. None: everything is forgotten at the end.
        merchants: Names of further merchants, such as `shop-2`: each has its own credentials,
            wallet and history. `merchant(name)` shows them.
        guide_credentials: Whether the first merchant also goes by the placeholders of the
            guide's examples (`YOUR_API_KEY`, `ACC-0001234`), so that they run as they stand.
        webhook_timeout: Real seconds that a receiver of webhooks has to answer.

    Raises:
        ValueError: for a `webhook_url` that is not http or https, seconds that are below 0 or
            without end, a balance below 0, or a merchant's name that is not small letters,
            digits and hyphens; for a `state` that is not a file of the emulator's.
        OSError: when `state` cannot be opened, or another emulator uses it.
    """

    def __init__(
        self,
        *,
        settle_after: float | None = 2.0,
        clock: EmulatorClock | None = None,
        webhook_url: str | None = None,
        latency: float = 0.0,
        seed: int | str | None = None,
        balances: Mapping[str, AmountInput] | None = None,
        require_account_number: bool = True,
        settle_transfers: bool = True,
        transfers_in_lookup: bool = True,
        merchants: Sequence[str] = (),
        state: str | Path | None = None,
        guide_credentials: bool = False,
        webhook_timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        if webhook_url is not None and not is_web_url(webhook_url):
            raise ValueError("webhook_url must be an absolute http or https URL")
        for name, seconds in (
            ("settle_after", settle_after),
            ("latency", latency),
            ("webhook_timeout", webhook_timeout),
        ):
            if seconds is not None and not 0 <= seconds < float("inf"):
                raise ValueError(f"{name} must be a number of seconds, 0 or more")
        self.clock: EmulatorClock = SystemClock() if clock is None else clock
        options = Options(
            settle_after=settle_after,
            webhook_url=webhook_url,
            latency=latency,
            require_account_number=require_account_number,
            settle_transfers=settle_transfers,
            transfers_in_lookup=transfers_in_lookup,
            guide_credentials=guide_credentials,
            balances=DEFAULT_BALANCES if balances is None else dict(balances),
        )
        self.feed = ChangeFeed()
        self._tickers: set[Ticker] = set()
        self._running = ExitStack()
        names = (FIRST_MERCHANT, *merchants)
        if len(set(names)) != len(names):
            raise ValueError("no two merchants may have the same name")
        with ExitStack() as opened:
            file = None if state is None else opened.enter_context(closing(StateFile(state)))
            earlier = () if file is None else merchants_in(file)
            recorder = None if file is None else FileRecorder(file)
            self._dispatcher = Dispatcher(
                self.clock,
                self.feed.changed,
                None if recorder is None else recorder.keep,
                timeout=webhook_timeout,
            )
            self._engine = Engine(
                options,
                self.clock,
                seed=seed,
                merchants=tuple(dict.fromkeys((*earlier, *names))),
                recorder=NullRecorder() if recorder is None else recorder,
                deliver=self._dispatcher.post,
                scheduled=self._wake_tickers,
                changed=self.feed.changed,
            )
            store = StateStore(self._engine, self._dispatcher, file, recorder)
            store.begin()
            # From here on, `close` closes it.
            opened.pop_all()
        self.webhooks = Webhooks(self._dispatcher)
        self._controls = Controls(
            self._engine,
            self._dispatcher,
            store,
            self.feed,
            state_file=None if state is None else str(state),
        )
        super().__init__(self._engine, 0)
        self.app: ASGIApp = create_app(
            self._engine, self._dispatcher, console_routes(self._controls)
        )
        self.base_url = IN_PROCESS_ORIGIN + API_PREFIX
        self.clock.subscribe(self._engine.tick, self._engine.next_due)
        self.clock.subscribe(self._dispatcher.wake, self._dispatcher.next_due)
        self.clock.subscribe(store.commit)
        if webhook_url is not None:
            self._running.enter_context(self._ticking())

    # --- merchants ----------------------------------------------------------------------

    def merchant(self, name: str) -> Merchant:
        """Return one of the merchants by the name it was set up with.

        Raises:
            LookupError: when there is none with this name.
        """
        names = self._engine.accounts.names
        if name not in names:
            raise LookupError(f"no merchant {name!r}; one of: {', '.join(names)}")
        return Merchant(self._engine, names.index(name))

    @property
    def merchants(self) -> Sequence[Merchant]:
        """Every merchant, the first one first."""
        return tuple(
            Merchant(self._engine, place) for place in range(len(self._engine.accounts.names))
        )

    # --- access -------------------------------------------------------------------------

    def http_client(self) -> httpx.Client:
        """Return a client that talks to the emulator in-process, without a socket."""
        return in_process.sync_client(self._engine, self.base_url)

    def async_http_client(self) -> httpx.AsyncClient:
        """Return the same for `await`, on asyncio and trio."""
        return in_process.async_client(self.app, self.base_url)

    @contextmanager
    def serve(
        self, port: int = 0, host: str = "127.0.0.1", *, allow_public: bool = False
    ) -> Generator[serve.Served]:
        """Listen on a real socket until the block is left; port 0 takes a free one.

        Raises:
            ValueError: when the host is not loopback and `allow_public` is not set.
            OSError: when the port is taken.
        """
        with (
            self._ticking(),
            serve.serve(self.app, host=host, port=port, allow_public=allow_public) as served,
        ):
            self._engine.move(served.origin, public=allow_public)
            try:
                yield served
            finally:
                self.feed.end()
                self._engine.move(IN_PROCESS_ORIGIN)

    @contextmanager
    def _ticking(self) -> Generator[None]:
        with Ticker(self._engine) as ticker:
            self._tickers.add(ticker)
            try:
                yield
            finally:
                self._tickers.discard(ticker)

    def _wake_tickers(self) -> None:
        for ticker in tuple(self._tickers):
            ticker.wake()

    # --- inspection ---------------------------------------------------------------------

    @property
    def faults(self) -> Faults:
        """Faults to inject."""
        return self._engine.faults

    @property
    def requests(self) -> Sequence[LoggedRequest]:
        """The latest requests that arrived, oldest first, secrets masked."""
        return self._engine.request_log.entries

    # --- control ------------------------------------------------------------------------

    def approve(self, reference: str) -> None:
        """Approve a pending payment, disbursement or conversion now.

        Raises:
            LookupError: when there is no such thing.
            ValueError: when it has ended already.
        """
        self._controls.approve(reference)

    def decline(self, reference: str, reason: str = "Declined") -> None:
        """Decline a pending payment, disbursement or conversion now.

        Args:
            reference: Its `dgs_reference`.
            reason: The payment's `processor_response`, or the `fail_reason` of the others.

        Raises:
            LookupError: when there is no such thing.
            ValueError: when it has ended already.
        """
        self._controls.decline(reference, reason)

    def settle(self, reference: str | None = None) -> None:
        """Settle something as planned now; without a reference, everything pending.

        Card payments that still await a PIN, an OTP or an address are left alone by the
        latter.

        Raises:
            LookupError: when there is no such thing.
            ValueError: when it has ended already.
        """
        if reference is None:
            self._controls.settle_all()
        else:
            self._controls.settle(reference)

    def deliver_to(self, app: Any, *, path: str | None = None, may_fail: bool = False) -> None:
        """Deliver every webhook to a shop's application in this process, with no socket.

        Each arrives as a request at the path of its `callback_url`, whatever the host, before
        `approve`, or the call that caused it, returns; so it may be the very application that
        makes the call::

            emulator.deliver_to(app, path="/webhooks/dgspay")
            shop = fastapi.testclient.TestClient(app)
            reference = shop.post("/pay").json()["reference"]
            emulator.approve(reference)

        An application is asked in an event loop of its own each time. Where that will not do, as
        something of its lifespan is bound to a loop, hand over the test client that was entered
        (`with TestClient(app) as shop: emulator.deliver_to(shop)`).

        What it does not accept fails the test at its end, where the emulator is that of the
        fixture; else `webhooks.require_accepted()` checks it.

        Args:
            app: An ASGI application (FastAPI, Starlette, Django), a WSGI application (Flask,
                Django), or the test client of FastAPI or Starlette.
            path: Where webhooks without a `callback_url` go: what a shop sets in the portal.
            may_fail: Whether it may reject some, as where its own failure is tested.

        Raises:
            TypeError: it is none of these.
            ValueError: the path does not begin with a slash.
        """
        self._dispatcher.receiver = AppReceiver(app, path=path, may_fail=may_fail)

    def pay_link(self, id_or_slug: str, amount: AmountInput | None = None) -> Payment:
        """Pay a payment link at once, as a payer with money would.

        Args:
            id_or_slug: Which link.
            amount: What the payer of a flexible link chooses, in the link's currency.

        Raises:
            LookupError: when there is no such link.
            LinkNotPayableError: when it is expired, archived or used up, or the amount is not
                within its limits.
        """
        with self._controls.owner_of(id_or_slug) as account:
            link = account.link(id_or_slug)
            if link is None:
                raise LookupError(f"no payment link {id_or_slug!r}")
            return payment_links.pay(account, link, amount)

    def generate(self, transactions: int, *, seed: int | str = 0) -> None:
        """Add a history of payments to the first merchant, one a minute up to now.

        Args:
            transactions: How many, up to a million.
            seed: The same seed makes the same payments.

        Raises:
            ValueError: when the number is not from 1 to a million.
        """
        with self._engine.steering() as account:
            generate(account, transactions, seed)

    def load_faults(self, path: str | Path) -> None:
        """Add the faults of a TOML file; `dgspay.emulator.faults.toml_file` shows one.

        Raises:
            ValueError: when the file is not TOML, or asks for something that is not known.
            OSError: when it cannot be read.
        """
        load_faults(path, self.faults, self._dispatcher.delivery_modes)
        self._controls.keep()

    def wait_for_deliveries(self, timeout: float = 30.0) -> None:
        """Wait until no webhook is under way or due; retries due later are not waited for.

        Raises:
            TimeoutError: when that takes longer than `timeout` real seconds.
        """
        if not self._dispatcher.wait_until_idle(timeout):
            raise TimeoutError(f"webhooks were still under way after {timeout} seconds")

    # --- states -------------------------------------------------------------------------

    def snapshot(self, name: str = "snapshot") -> Snapshot:
        """Keep the present state under a name, to return to it; with `state`, in its file.

        Everything is in it but the request log: what merchants have, what is pending and when
        it is due, idempotency keys, webhooks, faults, options, the time, and which ids come
        next.

        Raises:
            ValueError: when the name is empty, longer than 80 characters or not printable.
        """
        return self._controls.snapshot(name)

    def restore(self, name: str = "snapshot") -> None:
        """Return to a snapshot; the same calls have the same answers as they had after it.

        Raises:
            LookupError: when there is none of this name.
        """
        self._controls.restore(name)

    def forget_snapshot(self, name: str = "snapshot") -> None:
        """Delete a snapshot.

        Raises:
            LookupError: when there is none of this name.
        """
        self._controls.forget_snapshot(name)

    @property
    def snapshots(self) -> Sequence[Snapshot]:
        """Snapshots, the latest first."""
        return self._controls.snapshots

    @property
    def state_file(self) -> str | None:
        """Path of the file that keeps everything from one run to the next, or None."""
        return self._controls.state_file

    def keep(self) -> None:
        """Write settings that were just changed to the state file, and notify the watchers."""
        self._controls.keep()

    # --- the end ------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget everything that happened; credentials, options and snapshots stay."""
        self._controls.reset()

    def close(self) -> None:
        """Stop the background threads.

        Webhooks still waiting are not sent; with `state`, the next run sends them.
        """
        self._running.close()
        self._dispatcher.close()
        self._controls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

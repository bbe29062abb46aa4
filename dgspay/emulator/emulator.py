"""The emulator as its users hold it: set it up, talk to it, steer it, look inside."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from types import TracebackType
from typing import Self

import httpx
from starlette.types import ASGIApp

from dgspay.emulator import inprocess, links, server, steering
from dgspay.emulator.account import Options
from dgspay.emulator.app import create_app
from dgspay.emulator.background import Ticker
from dgspay.emulator.calls import API_PREFIX
from dgspay.emulator.clock import Clock, SystemClock
from dgspay.emulator.credentials import WEBHOOK_SECRET
from dgspay.emulator.deliveries import Courier, Delivery
from dgspay.emulator.engine import IN_PROCESS_ORIGIN, Engine
from dgspay.emulator.faults import Faults
from dgspay.emulator.fields import is_web_url
from dgspay.emulator.journal import Arrival
from dgspay.emulator.records import Conversion, Deed, Disbursement, Link, Payment
from dgspay.emulator.wallet import DEFAULT_BALANCES
from dgspay.money import AmountInput


class Emulator:
    """A local DGS-Pay with one merchant account.

    Args:
        settle_after: Seconds until a payment, disbursement or conversion settles by itself;
            0 for the next look-up, None for never (use `approve`, `decline`, `settle`).
        clock: Where the time comes from; a `VirtualClock` in tests.
        webhook_url: Where webhooks go that have no `callback_url` of their own. Without one
            they are only recorded in `deliveries`.
        latency: Real seconds between doing the work of a request and answering it.
        seed: The same seed makes the same ids and references.
        balances: What the wallet holds at the start, by currency.
        require_account_number: Whether `X-DGS-ACCOUNT-NUMBER` must be sent. A wrong one is
            refused either way.
        settle_transfers: Whether a disbursement without a scenario succeeds by itself.
        transfers_in_lookup: Whether `GET /transactions/{id}` finds disbursements.

    Raises:
        ValueError: for a `webhook_url` that is not http or https, or a balance below 0.
    """

    def __init__(
        self,
        *,
        settle_after: float | None = 2.0,
        clock: Clock | None = None,
        webhook_url: str | None = None,
        latency: float = 0.0,
        seed: int | str | None = None,
        balances: Mapping[str, AmountInput] | None = None,
        require_account_number: bool = True,
        settle_transfers: bool = True,
        transfers_in_lookup: bool = True,
    ) -> None:
        if webhook_url is not None and not is_web_url(webhook_url):
            raise ValueError("webhook_url must be an absolute http or https URL")
        self.clock: Clock = SystemClock() if clock is None else clock
        options = Options(
            settle_after=settle_after,
            webhook_url=webhook_url,
            latency=latency,
            require_account_number=require_account_number,
            settle_transfers=settle_transfers,
            transfers_in_lookup=transfers_in_lookup,
            balances=DEFAULT_BALANCES if balances is None else dict(balances),
        )
        self._courier = Courier(self.clock, WEBHOOK_SECRET)
        self._tickers: set[Ticker] = set()
        self._running = ExitStack()
        self._engine = Engine(
            options,
            self.clock,
            seed=seed,
            deliver=self._courier.post,
            scheduled=self._wake_tickers,
        )
        self.app: ASGIApp = create_app(self._engine)
        self.base_url = IN_PROCESS_ORIGIN + API_PREFIX
        self.clock.subscribe(self._engine.tick)
        self.clock.subscribe(self._courier.wake)
        if webhook_url is not None:
            self._running.enter_context(self._ticking())

    # --- credentials --------------------------------------------------------------------

    @property
    def api_key(self) -> str:
        """The published test key for `X-DGS-API-Key`."""
        return self._engine.account.credentials.api_key

    @property
    def account_number(self) -> str:
        """The account number for `X-DGS-ACCOUNT-NUMBER`."""
        return self._engine.account.credentials.account_number

    @property
    def webhook_secret(self) -> str:
        """The published secret webhooks are signed with."""
        return self._engine.account.credentials.webhook_secret

    @property
    def encryption_key(self) -> str:
        """The published card encryption key: base64 of 32 bytes."""
        return self._engine.account.credentials.encryption_key

    # --- ways in ------------------------------------------------------------------------

    def http_client(self) -> httpx.Client:
        """Return a client that talks to the emulator in-process, without a socket."""
        return inprocess.sync_client(self._engine, self.base_url)

    def async_http_client(self) -> httpx.AsyncClient:
        """Return the same for `await`, on asyncio and trio."""
        return inprocess.async_client(self.app, self.base_url)

    @contextmanager
    def serve(
        self, port: int = 0, host: str = "127.0.0.1", *, allow_public: bool = False
    ) -> Generator[server.Served]:
        """Listen on a real socket until the block is left; port 0 takes a free one.

        Raises:
            ValueError: when the host is not loopback and `allow_public` is not set.
            OSError: when the port is taken.
        """
        with (
            self._ticking(),
            server.serve(self.app, host=host, port=port, allow_public=allow_public) as served,
        ):
            self._engine.move(served.origin)
            try:
                yield served
            finally:
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

    # --- looking inside -----------------------------------------------------------------

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose."""
        return self._engine.faults

    @property
    def transactions(self) -> Sequence[Payment]:
        """Every collection, oldest first, in its present state."""
        return tuple(self._engine.account.payments)

    @property
    def disbursements(self) -> Sequence[Disbursement]:
        """Every transfer out of the wallet, oldest first."""
        return tuple(self._engine.account.disbursements.values())

    @property
    def conversions(self) -> Sequence[Conversion]:
        """Every currency conversion, oldest first."""
        return tuple(self._engine.account.conversions.values())

    @property
    def links(self) -> Sequence[Link]:
        """Every payment link, oldest first."""
        return tuple(self._engine.account.links.values())

    @property
    def executed(self) -> Sequence[Deed]:
        """What was really done, in order: compare a client's claims with this."""
        return tuple(self._engine.account.deeds)

    @property
    def requests(self) -> Sequence[Arrival]:
        """The latest requests that arrived, oldest first, secrets masked."""
        return tuple(self._engine.journal.arrivals)

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """The latest webhooks, oldest first, with every try to deliver them."""
        return tuple(self._courier.deliveries)

    def balance(self, currency: str) -> Decimal:
        """Return what is available in a currency."""
        return self._engine.account.wallet.available(currency)

    # --- steering -----------------------------------------------------------------------

    def approve(self, reference: str) -> None:
        """Have a pending payment, disbursement or conversion succeed now.

        Raises:
            LookupError: when there is no such thing.
            ValueError: when it has ended already.
        """
        with self._engine.steering() as account:
            steering.approve(account, reference)

    def decline(self, reference: str, reason: str = "Declined") -> None:
        """Have a pending payment, disbursement or conversion fail now.

        Args:
            reference: Its `dgs_reference`.
            reason: The payment's `processor_response`, or the `fail_reason` of the others.

        Raises:
            LookupError: when there is no such thing.
            ValueError: when it has ended already.
        """
        with self._engine.steering() as account:
            steering.decline(account, reference, reason)

    def settle(self, reference: str | None = None) -> None:
        """Give something its planned end now; without a reference, everything pending.

        Card payments that still await a PIN, an OTP or an address are left alone by the
        latter.

        Raises:
            LookupError: when there is no such thing.
            ValueError: when it has ended already.
        """
        with self._engine.steering() as account:
            if reference is None:
                steering.settle_all(account)
            else:
                steering.settle_one(account, reference)

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
        with self._engine.steering() as account:
            link = account.link(id_or_slug)
            if link is None:
                raise LookupError(f"no payment link {id_or_slug!r}")
            return links.pay(account, link, amount)

    def wait_for_deliveries(self, timeout: float = 5.0) -> None:
        """Wait until no webhook is under way or due; retries due later are not waited for.

        Raises:
            TimeoutError: when that takes longer than `timeout` real seconds.
        """
        if not self._courier.wait_until_idle(timeout):
            raise TimeoutError(f"webhooks were still under way after {timeout} seconds")

    # --- the end ------------------------------------------------------------------------

    def reset(self) -> None:
        """Forget everything that happened; credentials and options stay."""
        self._engine.reset()
        self._courier.reset()

    def close(self) -> None:
        """Stop what runs in the background; webhooks still waiting are not sent."""
        self._running.close()
        self._courier.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

"""The two checkouts: one definition of each method, driven with and without `await`."""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import partial
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from dgspay import AsyncDGSPay, DGSPay
from dgspay.checkout import attempts, journal, opening, pages, refunds, sweeping
from dgspay.checkout import health as state_of
from dgspay.checkout.flow import Effect, Execute, Flow, Handle, Sleep, Transact
from dgspay.checkout.gauges import CheckoutGauges
from dgspay.checkout.handlers import handler_of
from dgspay.checkout.order import Order
from dgspay.checkout.page_tags import page_tags
from dgspay.checkout.shop import Shop
from dgspay.checkout.store.protocol import AsyncOrdersStore, OrdersStore
from dgspay.checkout.store.scope import Limits, Timing
from dgspay.checkout.store.sqlite import SqliteOrders
from dgspay.checkout.store.tasks import PAID_TASK, PROBLEM_TASK
from dgspay.checkout.sweeping_thread import SweepingThread
from dgspay.clock import PROCESS_CLOCK
from dgspay.errors import ConfigError
from dgspay.webhooks.background_tasks import Background
from dgspay.webhooks.responses import IN_PROGRESS, WebhookResponse
from dgspay.webhooks.signature import SecretInput

P = ParamSpec("P")
T = TypeVar("T")
StoreT = TypeVar("StoreT", bound=OrdersStore | AsyncOrdersStore)
Function = TypeVar("Function", bound=Callable[..., Any])

logger = logging.getLogger("dgspay.checkout")


class _Bound(Generic[P, T]):
    """A flow as a method, its signature intact."""

    def __init__(self, flow: Callable[Concatenate[Shop, P], Flow[T]]) -> None:
        self._flow = flow
        self.__doc__ = flow.__doc__
        self.__wrapped__ = flow
        parameters = inspect.signature(flow)
        self._signature = parameters.replace(parameters=[*parameters.parameters.values()][1:])

    def _dress(self, method: Callable[..., Any]) -> Any:
        functools.update_wrapper(method, self._flow)
        method.__signature__ = self._signature  # type: ignore[attr-defined]
        return method


class _awaited(_Bound[P, T]):  # noqa: N801 - reads as a word where it is used
    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(
        self, instance: AsyncCheckout, owner: type
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, instance: AsyncCheckout | None, owner: type) -> Any:
        if instance is None:
            return self
        flow = self._flow

        async def method(*args: Any, **kwargs: Any) -> Any:
            begun = flow(instance.shop, *args, **kwargs)
            # A traceback that shows local variables must not show a code among them.
            del args, kwargs
            return await instance.carry_out(begun)

        return self._dress(method)


class _blocking(_Bound[P, T]):  # noqa: N801 - reads as a word where it is used
    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: Checkout, owner: type) -> Callable[P, T]: ...

    def __get__(self, instance: Checkout | None, owner: type) -> Any:
        if instance is None:
            return self
        flow = self._flow

        def method(*args: Any, **kwargs: Any) -> Any:
            begun = flow(instance.shop, *args, **kwargs)
            del args, kwargs  # as above
            return instance.carry_out(begun)

        return self._dress(method)


def _check_store(store: object) -> None:
    """Reject the path of a store in place of one: only the store itself can be closed."""
    if isinstance(store, str | os.PathLike):
        kind = type(store).__name__
        raise ConfigError(
            f"store must be a store of orders, not a {kind}: make one, with SqliteOrders(path) say"
        )


class _Base(Generic[StoreT]):
    """What both checkouts have in common: set-up, and the registration of handlers."""

    _may_await: bool
    shop: Shop
    _store: StoreT

    @property
    def path(self) -> str:
        """The path of `url`, under which the routes are mounted.

        Raises:
            ConfigError: the checkout was given no URL.
        """
        if self.shop.base is None:
            raise ConfigError("url= is missing: the routes have no place to be mounted at")
        return urlsplit(self.shop.base).path

    def on_paid(self, function: Function) -> Function:
        """Register the function that is called once for each order that becomes paid.

        It takes the order, and is repeated until it succeeds: in this process, in a sweep, or in
        any other process that shares the store. One that takes two parameters gets a connection of
        `PostgresOrders`, too: what it writes is committed together with the note that it is done.

        Raises:
            ConfigError: there is one already, or it takes something else.
        """
        return self._register(PAID_TASK, function)

    def on_problem(self, function: Function) -> Function:
        """Register the function that is called once for each problem; see `on_paid`."""
        return self._register(PROBLEM_TASK, function)

    def page_tags(
        self, order: Order, *, lang: str | None = None, shop_url: str | None = None
    ) -> str:
        """Return the HTML that shows the checkout of an order in a page of the shop's.

        It needs no script of the shop's own, and holds under a strict Content-Security-Policy:
        `default-src 'none'; script-src 'self'; connect-src 'self'`. The page shows the order's
        token, so it is for its payer alone: serve it with `Cache-Control: no-store`.

        Args:
            order: The order to be paid.
            lang: `en`, `fr`, `rw` or `sw`; the payer chooses if left out.
            shop_url: Where "back to the shop" leads; no such link if left out.

        Raises:
            ConfigError: the checkout was given no URL.
        """
        return page_tags(self.path, order, lang=lang, shop_url=shop_url)

    def gauges(self) -> CheckoutGauges:
        """Return what a monitor measures of this checkout; see `dgspay.metrics`.

        Raises:
            ConfigError: the store can be read with `await` alone.
        """
        return CheckoutGauges(self.shop, self._store)

    def close(self) -> None:
        """Close the store's connections. The client is closed by itself."""
        self._store.close()

    def _register(self, kind: str, function: Function) -> Function:
        if kind in self.shop.handlers:
            raise ConfigError(f"on_{kind} has a handler already")
        handler = handler_of(function, may_await=self._may_await)
        if handler.takes_connection and not self._store.shares_transactions:
            raise ConfigError(
                f"{type(self._store).__name__} has no transaction to share with a handler: take "
                "the order alone, or use PostgresOrders"
            )
        self.shop.handlers[kind] = handler
        return function


class AsyncCheckout(_Base[AsyncOrdersStore]):
    """Orders that are paid once, for `await`.

        checkout = AsyncCheckout(
            dgs, SqliteOrders("orders.sqlite3"), secret=SECRET, url="https://shop.example/dgspay"
        )

        @checkout.on_paid
        async def ship(order: Order) -> None: ...

        order = await checkout.open("2026-1234", amount=2000, customer=jane)
        order = await checkout.pay_by_mobile_money(order.id, phone="0788123456", network="MTN")

    Args:
        client: Charges, and asks DGS-Pay.
        store: Remembers. A SQLite file in the working directory if left out.
        secret: The webhook secret, or several during a rotation.
        url: Where the routes of the checkout are mounted, as DGS-Pay and the payer reach it.
        redirect_url: Where DGS-Pay sends the payer back to; if left out, a page of the checkout's
            that shows how the payment stands.
        merchant_name: Who is paid, as payers are shown it.
        encryption_key: What payers' browsers encrypt cards with (portal, Settings, API Settings);
            without it a page offers no card.
        timing: How long what takes; see `Timing`.
        limits: How many attempts may be made; see `Limits`.
        answer_within: Seconds after which a webhook is answered although its handler goes on.

    Raises:
        ConfigError: an argument makes no sense.
    """

    _may_await = True

    open = _awaited(opening.open)
    order = _awaited(opening.order)
    order_of_page = _awaited(opening.order_of_page)
    pay_by_mobile_money = _awaited(attempts.pay_by_mobile_money)
    pay_by_card = _awaited(attempts.pay_by_card)
    submit_pin = _awaited(attempts.submit_pin)
    submit_otp = _awaited(attempts.submit_otp)
    submit_address = _awaited(attempts.submit_address)
    wait = _awaited(attempts.wait)
    cancel = _awaited(opening.cancel)
    refund = _awaited(refunds.refund)
    resolve = _awaited(opening.resolve)
    respond = _awaited(pages.respond)
    replay = _awaited(journal.replay)
    sweep = _awaited(sweeping.sweep)
    health = _awaited(state_of.health)
    orders = _awaited(opening.orders)
    problems = _awaited(opening.problems)
    unknown_events = _awaited(journal.unknown)

    def __init__(
        self,
        client: AsyncDGSPay,
        store: AsyncOrdersStore | None = None,
        *,
        secret: SecretInput | None = None,
        url: str | None = None,
        redirect_url: str | None = None,
        merchant_name: str | None = None,
        encryption_key: str | None = None,
        timing: Timing | None = None,
        limits: Limits | None = None,
        answer_within: float = 5.0,
    ) -> None:
        if not isinstance(client, AsyncDGSPay):
            raise ConfigError("AsyncCheckout needs an AsyncDGSPay; Checkout takes a DGSPay")
        self._client = client
        _check_store(store)
        self._store = SqliteOrders() if store is None else store
        self._answer_within = answer_within
        self._background = Background()
        self.shop = Shop(
            client,
            secret=secret,
            url=url,
            redirect_url=redirect_url,
            merchant_name=merchant_name,
            encryption_key=encryption_key,
            timing=timing or Timing(),
            limits=limits or Limits(),
        )

    async def receive(
        self, body: bytes, signature: str | None, *, path: str | None = None
    ) -> WebhookResponse:
        """Take one delivery of a webhook; see `Checkout.receive`.

        A handler that takes long goes on after the answer, and is not run again for it.
        """
        flow = partial(journal.receive, self.shop, body, signature, path=path)
        answer = await self._background.run_within(
            self._answer_within, lambda: self.carry_out(flow())
        )
        return IN_PROGRESS if answer is None else answer

    @contextlib.asynccontextmanager
    async def sweeping(self, every: float = 30.0) -> AsyncIterator[None]:
        """Sweep again and again while the block runs, such as in a web application's lifespan.

            async with checkout.sweeping():
                yield

        Args:
            every: Seconds between the end of a sweep and the next one.
        """
        async with anyio.create_task_group() as group:
            group.start_soon(self._sweep_forever, every)
            try:
                yield
            finally:
                group.cancel_scope.cancel()

    async def _sweep_forever(self, every: float) -> None:
        while True:
            try:
                await self.sweep()
            except Exception:  # the next one may do better
                logger.exception("a sweep of the orders failed; another one follows")
            await anyio.sleep(every)

    async def drain(self) -> None:
        """Wait for the handlers that still run. Call it before the program stops."""
        await self._background.drain()

    async def carry_out(self, flow: Flow[T]) -> T:
        """Drive a flow, such as those of `dgspay.checkout.attempts`, to its end."""
        try:
            effect = next(flow)
            while True:
                try:
                    answer = await self._perform(effect)
                except BaseException as error:  # noqa: BLE001 - the flow decides
                    effect = flow.throw(error)
                else:
                    effect = flow.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result

    async def _perform(self, effect: Effect) -> Any:
        match effect:
            case Transact(make, connection):
                return await self._store.arun(make, connection=connection)
            case Execute(operation):
                return await self._client.execute(operation)
            case Sleep(seconds):
                return await anyio.sleep(PROCESS_CLOCK.to_wait(seconds))
            case Handle():
                return await self._handle(effect)

    async def _handle(self, effect: Handle) -> None:
        if effect.hold is None or effect.end is None:
            if effect.is_async:
                await effect.function(effect.value)
            else:
                await anyio.to_thread.run_sync(effect.function, effect.value)
            return
        call = partial(effect.function, effect.value)
        if effect.is_async:
            await self._store.ahandle(effect.hold, call, effect.end)
        else:
            await anyio.to_thread.run_sync(self._store.handle, effect.hold, call, effect.end)


class Checkout(_Base[OrdersStore]):
    """Orders that are paid once, without `await`: for Flask, Django and scripts.

        checkout = Checkout(
            dgs, SqliteOrders("orders.sqlite3"), secret=SECRET, url="https://shop.example/dgspay"
        )

        @checkout.on_paid
        def ship(order: Order) -> None: ...

        order = checkout.open("2026-1234", amount=2000, customer=jane)
        order = checkout.pay_by_mobile_money(order.id, phone="0788123456", network="MTN")

    Args:
        client: Charges, and asks DGS-Pay.
        store: Remembers. A SQLite file in the working directory if left out.
        secret: The webhook secret, or several during a rotation.
        url: Where the routes of the checkout are mounted, as DGS-Pay and the payer reach it.
        redirect_url: Where DGS-Pay sends the payer back to; if left out, a page of the checkout's
            that shows how the payment stands.
        merchant_name: Who is paid, as payers are shown it.
        encryption_key: What payers' browsers encrypt cards with (portal, Settings, API Settings);
            without it a page offers no card.
        timing: How long what takes; see `Timing`.
        limits: How many attempts may be made; see `Limits`.

    Raises:
        ConfigError: an argument makes no sense.
    """

    _may_await = False

    open = _blocking(opening.open)
    order = _blocking(opening.order)
    order_of_page = _blocking(opening.order_of_page)
    pay_by_mobile_money = _blocking(attempts.pay_by_mobile_money)
    pay_by_card = _blocking(attempts.pay_by_card)
    submit_pin = _blocking(attempts.submit_pin)
    submit_otp = _blocking(attempts.submit_otp)
    submit_address = _blocking(attempts.submit_address)
    wait = _blocking(attempts.wait)
    cancel = _blocking(opening.cancel)
    refund = _blocking(refunds.refund)
    resolve = _blocking(opening.resolve)
    receive = _blocking(journal.receive)
    respond = _blocking(pages.respond)
    replay = _blocking(journal.replay)
    sweep = _blocking(sweeping.sweep)
    health = _blocking(state_of.health)
    orders = _blocking(opening.orders)
    problems = _blocking(opening.problems)
    unknown_events = _blocking(journal.unknown)

    def __init__(
        self,
        client: DGSPay,
        store: OrdersStore | None = None,
        *,
        secret: SecretInput | None = None,
        url: str | None = None,
        redirect_url: str | None = None,
        merchant_name: str | None = None,
        encryption_key: str | None = None,
        timing: Timing | None = None,
        limits: Limits | None = None,
    ) -> None:
        if not isinstance(client, DGSPay):
            raise ConfigError("Checkout needs a DGSPay; AsyncCheckout takes an AsyncDGSPay")
        self._client = client
        _check_store(store)
        self._store = SqliteOrders() if store is None else store
        self.shop = Shop(
            client,
            secret=secret,
            url=url,
            redirect_url=redirect_url,
            merchant_name=merchant_name,
            encryption_key=encryption_key,
            timing=timing or Timing(),
            limits=limits or Limits(),
        )

    @contextlib.contextmanager
    def sweeping(self, every: float = 30.0) -> Iterator[None]:
        """Sweep again and again in a thread while the block runs.

        Its end waits for a handler that runs, and for no look-up.

        Args:
            every: Seconds between the end of a sweep and the next one.
        """
        thread = SweepingThread(partial(sweeping.sweep, self.shop), self.carry_out, every)
        try:
            yield
        finally:
            thread.leave()

    def carry_out(self, flow: Flow[T]) -> T:
        """Drive a flow, such as those of `dgspay.checkout.attempts`, to its end."""
        try:
            effect = next(flow)
            while True:
                try:
                    answer = self._perform(effect)
                except BaseException as error:  # noqa: BLE001 - the flow decides
                    effect = flow.throw(error)
                else:
                    effect = flow.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result

    def _perform(self, effect: Effect) -> Any:
        match effect:
            case Transact(make, connection):
                return self._store.run(make, connection=connection)
            case Execute(operation):
                return self._client.execute(operation)
            case Sleep(seconds):
                return time.sleep(PROCESS_CLOCK.to_wait(seconds))
            case Handle(function, value):
                if effect.hold is None or effect.end is None:
                    return function(value)
                return self._store.handle(effect.hold, partial(function, value), effect.end)


def check_kind(checkout: object, kind: type[Checkout | AsyncCheckout], framework: str) -> None:
    """Reject a checkout that a framework could not call, before its first webhook.

    Raises:
        ConfigError: it is one of the other kind, or none.
    """
    if not isinstance(checkout, kind):
        given = type(checkout).__name__
        raise ConfigError(f"the routes of {framework} need {kind.__name__}(...), not {given}")

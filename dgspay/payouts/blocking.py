"""Payouts without `await`: each method of `AsyncPayouts`, in an event loop of its own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

import anyio
from anyio.from_thread import start_blocking_portal

from dgspay import AsyncDGSPay, DGSPay
from dgspay.errors import ConfigError
from dgspay.event_loops import is_in_loop
from dgspay.payouts.ledger import Ledger
from dgspay.payouts.ledger.protocol import check_ledger
from dgspay.payouts.payouts import AsyncPayouts
from dgspay.payouts.run.pacing import Pace
from dgspay.payouts.settle.reconciliation import Difference

P = ParamSpec("P")
T = TypeVar("T")


def run_anywhere(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end, in a thread of its own where a loop runs already.

    In a notebook each cell is run by one. It stands still meanwhile, as with all that blocks.
    """
    if not is_in_loop():
        return anyio.run(work)
    with start_blocking_portal() as portal:
        result: T = portal.call(work)
    return result


class _Blocking(Generic[P, T]):
    """Bind a method of `AsyncPayouts` to `Payouts`, its signature intact."""

    def __init__(
        self, method: Callable[Concatenate[AsyncPayouts, P], Coroutine[Any, Any, T]]
    ) -> None:
        self._method = method
        self.__doc__ = method.__doc__
        self.__wrapped__ = method

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: Payouts, owner: type) -> Callable[P, T]: ...

    def __get__(self, instance: Payouts | None, owner: type) -> Any:
        if instance is None:
            return self
        method = self._method

        @functools.wraps(method)
        def blocking(*args: Any, **kwargs: Any) -> T:
            return instance.wait_for(lambda payouts: method(payouts, *args, **kwargs))

        # Without the `self` of the method that was wrapped.
        signature = inspect.signature(method)
        parameters = [*signature.parameters.values()][1:]
        blocking.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=parameters
        )
        return blocking


class Payouts:
    """The methods of `AsyncPayouts` without `await`, one definition for both.

        with DGSPay.from_env() as dgs, SqliteLedger("payouts.sqlite3") as ledger:
            payouts = Payouts(dgs, ledger)
            summary = payouts.run("salaries.csv", fee=100)
            payouts.report("salaries", "salaries.html")

    Requests are sent by an asynchronous client with the settings, the hooks and the kind of
    transport of this one (see `DGSPay.to_async`), in an event loop that lasts as long as the call.

    Args:
        client: Its settings pay, and ask DGS-Pay. `status`, `report` and `resolve` need none.
        ledger: Remembers. `check` needs none.
    """

    check = _Blocking(AsyncPayouts.check)
    run = _Blocking(AsyncPayouts.run)
    prepare = _Blocking(AsyncPayouts.prepare)
    approve = _Blocking(AsyncPayouts.approve)
    approvals = _Blocking(AsyncPayouts.approvals)
    policy = _Blocking(AsyncPayouts.policy)
    change_policy = _Blocking(AsyncPayouts.change_policy)
    sign_policy = _Blocking(AsyncPayouts.sign_policy)
    pay_chunk = _Blocking(AsyncPayouts.pay_chunk)
    chunks = _Blocking(AsyncPayouts.chunks)
    status = _Blocking(AsyncPayouts.status)
    row = _Blocking(AsyncPayouts.row)
    report = _Blocking(AsyncPayouts.report)
    audit_log = _Blocking(AsyncPayouts.audit_log)
    verify_audit_log = _Blocking(AsyncPayouts.verify_audit_log)
    results = _Blocking(AsyncPayouts.results)
    resolve = _Blocking(AsyncPayouts.resolve)
    cancel = _Blocking(AsyncPayouts.cancel)
    reinstate = _Blocking(AsyncPayouts.reinstate)
    pause = _Blocking(AsyncPayouts.pause)
    resume = _Blocking(AsyncPayouts.resume)
    close_batch = _Blocking(AsyncPayouts.close_batch)
    batches = _Blocking(AsyncPayouts.batches)
    read_ends = _Blocking(AsyncPayouts.read_ends)
    withdraw = _Blocking(AsyncPayouts.withdraw)

    def __init__(self, client: DGSPay | None = None, ledger: Ledger | None = None) -> None:
        if isinstance(client, AsyncDGSPay):
            raise ConfigError("Payouts needs a DGSPay; AsyncPayouts takes an AsyncDGSPay")
        check_ledger(ledger)
        self._client = client
        self._ledger = ledger

    def reconcile(self, batch: str, *, pace: Pace | None = None) -> list[Difference]:
        """Compare a batch with DGS-Pay's transactions; see `AsyncPayouts.reconcile`.

        for difference in payouts.reconcile("salaries"):
            print(difference.reference, difference.kind, difference.what)
        """

        async def collect(payouts: AsyncPayouts) -> list[Difference]:
            async with aclosing(payouts.reconcile(batch, pace=pace)) as differences:
                return [difference async for difference in differences]

        return self.wait_for(collect)

    def wait_for(self, work: Callable[[AsyncPayouts], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine of your own with an `AsyncPayouts` of the same settings."""

        async def run() -> T:
            if self._client is None:
                return await work(AsyncPayouts(None, self._ledger))
            async with self._client.to_async() as twin:
                return await work(AsyncPayouts(twin, self._ledger))

        return run_anywhere(run)

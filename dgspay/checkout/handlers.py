"""The outbox: handlers that are owed are run under a lease until they succeed, then never again."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import attrs

from dgspay.checkout.errors import OrdersError
from dgspay.checkout.flow import Flow, Handle, sleep, transact
from dgspay.checkout.order import Order, Problem
from dgspay.checkout.shop import Handler, Shop
from dgspay.checkout.store.loading import load_by_key
from dgspay.checkout.store.scope import Scope
from dgspay.checkout.store.tasks import PAID_TASK, Task, claim_task, end_task, fail_task, hold_task
from dgspay.errors import ConfigError
from dgspay.webhooks.handlers import is_async, require_no_yield

logger = logging.getLogger("dgspay.checkout")

UNNOTED = "the orders' store failed; how a handler ended is noted once it is back"

_MOST_PARAMETERS = 2
_LONGEST_ERROR = 200


def handler_of(function: Callable[..., Any], *, may_await: bool) -> Handler:
    """Check a function that the shop registers.

    Raises:
        ConfigError: it takes something else than the order and a connection, or is to be awaited
            where nothing awaits.
        TypeError: it has a `yield`, so that it would never run.
    """
    if not callable(function):
        raise ConfigError("a handler must be a function")
    require_no_yield(function)
    needed = [
        each
        for each in inspect.signature(function).parameters.values()
        if each.default is each.empty and each.kind is not each.VAR_KEYWORD
    ]
    if not 1 <= len(needed) <= _MOST_PARAMETERS:
        raise ConfigError(
            "a handler takes the order (or the problem), and a connection if it likes"
        )
    awaited = is_async(function)
    if awaited and not may_await:
        raise ConfigError("Checkout runs plain functions; AsyncCheckout awaits handlers")
    return Handler(function, awaited, takes_connection=len(needed) == _MOST_PARAMETERS)


def run_tasks(shop: Shop, scope: Scope, tasks: Iterable[Task]) -> Flow[bool]:
    """Run handlers that were leased; False where one of them failed.

    Raises:
        OrdersError: the store could not note how one ended. One that succeeded is not run again
            by this process, which notes it before it runs others.
    """
    all_well = True
    for task in tasks:
        all_well = (yield from _run(shop, scope, task)) and all_well
    return all_well


def run_tasks_of_written(shop: Shop, scope: Scope, tasks: Iterable[Task]) -> Flow[None]:
    """Run handlers that are owed by what is on disk by now, and stays so however they end."""
    try:
        yield from run_tasks(shop, scope, tasks)
    except OrdersError:
        logger.exception(UNNOTED)


def run_owed(
    shop: Shop, scope: Scope, *, order_key: int | None = None, most: int = 1000
) -> Flow[tuple[int, int]]:
    """Run the handlers that are owed and due; return how many succeeded and how many failed.

    Raises:
        OrdersError: see `run_tasks`.
    """
    for through in tuple(shop.unnoted.values()):
        yield from _end(shop, through)
    done = failed = 0
    while scope.handles and done + failed < most:
        claim = partial(claim_task, scope, order_key=order_key)
        task = yield from transact(claim)
        if task is None:
            break
        if (yield from _run(shop, scope, task)):
            done += 1
        else:
            failed += 1
        # Between two of them, a sweep may be left.
        yield from sleep(0.0)
    return done, failed


def _run(shop: Shop, scope: Scope, task: Task) -> Flow[bool]:
    if task.tries > scope.timing.handler_tries:
        # Each time it has taken its process with it, or outlived its lease: nothing was noted.
        yield from transact(partial(fail_task, scope, task, "it did not end"))
        return False
    handler = shop.handlers.get(task.kind)
    if handler is None:
        # It may be one of a problem, which the shop does not ask for.
        yield from transact(partial(end_task, task))
        return True
    value = task.value
    if value is None:
        found = yield from transact(partial(load_by_key, scope, task.order_key))
        value = None if found is None else _value(found[0], task)
    if value is None:
        yield from transact(partial(end_task, task))
        return True
    try:
        if handler.takes_connection:
            yield Handle(
                handler.function,
                value,
                handler.is_async,
                hold=partial(hold_task, task),
                end=partial(end_task, task),
            )
            return True
        yield Handle(handler.function, value, handler.is_async)
    except Exception as error:  # a handler is the shop's code and may raise what it likes
        logger.exception("the handler of on_%s failed; it will be run again", task.kind)
        # Its type alone: what it says may hold what must not be kept.
        fault = type(error).__name__[:_LONGEST_ERROR]
        yield from transact(partial(fail_task, scope, task, fault))
        return False
    yield from _end(shop, task)
    return True


def _end(shop: Shop, task: Task) -> Flow[None]:
    shop.unnoted[task.key] = task
    yield from transact(partial(end_task, task))
    shop.unnoted.pop(task.key, None)


def _value(order: Order, task: Task) -> Order | Problem | None:
    if task.kind == PAID_TASK:
        return order
    found = next((problem for problem in order.problems if problem.key == task.subject), None)
    return None if found is None else attrs.evolve(found, order_id=order.id)

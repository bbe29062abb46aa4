"""What a monitor measures of a checkout, from its health."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from dgspay.checkout.flow import Transact
from dgspay.checkout.health import Health, health
from dgspay.checkout.order import OrderState
from dgspay.checkout.shop import Shop
from dgspay.checkout.store.protocol import AsyncOrdersStore, OrdersStore
from dgspay.errors import ConfigError
from dgspay.metrics.instruments import Instrument, Kind, Measurement

_ENVIRONMENT = "dgspay.environment"
_STATE = "dgspay.state"


def _gauge(name: str, unit: str, description: str, *labels: str) -> Instrument:
    return Instrument(
        name=f"dgspay.checkout.{name}",
        kind=Kind.GAUGE,
        unit=unit,
        description=description,
        labels=(_ENVIRONMENT, *labels),
    )


_ORDERS = _gauge("orders", "{order}", "Orders that are open or being paid, by state.", _STATE)
_WATCHED = _gauge(
    "attempts.watched", "{attempt}", "Attempts that a webhook or a look-up has still to settle."
)
_OLDEST_ATTEMPT = _gauge(
    "attempts.oldest", "s", "Age of the oldest attempt that is not settled; 0 where there is none."
)
_LOOK_UPS = _gauge(
    "look_ups.due", "{look_up}", "Attempts whose look-up is due: many mean that no sweep runs."
)
_OWED = _gauge("handlers.owed", "{handler}", "Handlers that are still to be run.")
_FAILING = _gauge(
    "handlers.failing", "{handler}", "Handlers that have failed for good: replay their orders."
)
_OLDEST_HANDLER = _gauge(
    "handlers.oldest", "s", "For how long the oldest handler has been due; 0 where none is."
)
_PROBLEMS = _gauge("problems.open", "{problem}", "Problems that were not resolved.")
_UNKNOWN = _gauge("events.unknown", "{event}", "Verified webhooks about no order of this store.")
_LAG = _gauge(
    "webhooks.lag",
    "s",
    "The longest time, of the latest webhooks, from a payment's end to the first delivery.",
)


class CheckoutGauges:
    """The gauges of a checkout; `checkout.gauges()` makes them.

    Args:
        shop: The set-up of the checkout.
        store: Its store.

    Raises:
        ConfigError: the store can be read with `await` alone, and a monitor reads from a thread.
    """

    instruments = (
        _ORDERS,
        _WATCHED,
        _OLDEST_ATTEMPT,
        _LOOK_UPS,
        _OWED,
        _FAILING,
        _OLDEST_HANDLER,
        _PROBLEMS,
        _UNKNOWN,
        _LAG,
    )

    def __init__(self, shop: Shop, store: OrdersStore | AsyncOrdersStore) -> None:
        if not hasattr(store, "run"):
            raise ConfigError(f"{type(store).__name__} has no `run`, which metrics are read by")
        self._shop = shop
        self._store = cast("OrdersStore", store)
        self._labels = {_ENVIRONMENT: shop.settings.environment}

    def read(self) -> list[Measurement]:
        """Return the values of this moment.

        Raises:
            OrdersError: the store cannot be read.
        """
        return [*self._measured(self._health())]

    def _health(self) -> Health:
        flow = health(self._shop)
        effect = next(flow)
        while True:
            if not isinstance(effect, Transact):
                raise TypeError("the health of a checkout is read from its store alone")
            try:
                effect = flow.send(self._store.run(effect.make))
            except StopIteration as done:
                found: Health = done.value
                return found

    def _measured(self, found: Health) -> Iterator[Measurement]:
        for state in (OrderState.OPEN, OrderState.PAYING):
            count = found.open_orders.get(state.value, 0)
            labels = {**self._labels, _STATE: state.value}
            yield Measurement(instrument=_ORDERS, value=count, labels=labels)
        values = {
            _WATCHED: found.attempts_watched,
            _OLDEST_ATTEMPT: found.oldest_attempt or 0.0,
            _LOOK_UPS: found.look_ups_due,
            _OWED: found.handlers_owed,
            _FAILING: found.handlers_failing,
            _OLDEST_HANDLER: found.oldest_handler or 0.0,
            _PROBLEMS: found.problems_open,
            _UNKNOWN: found.unknown_events,
            _LAG: found.webhook_lag or 0.0,
        }
        for instrument, value in values.items():
            yield Measurement(instrument=instrument, value=value, labels=self._labels)

"""Public facade of an emulator's webhooks: read, redirect or disturb them."""

from __future__ import annotations

from collections.abc import Sequence

from dgspay.emulator.webhooks.delivery import Delivery
from dgspay.emulator.webhooks.dispatcher import Dispatcher
from dgspay.emulator.webhooks.in_process import AppReceiver, FunctionReceiver, InProcessReceiver
from dgspay.emulator.webhooks.modes import Mode
from dgspay.webhooks import Event
from dgspay.webhooks.events import read_event


class Webhooks:
    """Webhooks that the emulator sends to shops."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    @property
    def received(self) -> Sequence[Event]:
        """Events that a receiver has accepted, oldest first, as typed events.

        Where there is no receiver at all, every event counts as accepted.
        """
        return tuple(
            read_event(delivery.body)
            for delivery in self.deliveries
            if delivery.delivered or (delivery.url is None and self._dispatcher.receiver is None)
        )

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """The latest webhooks, oldest first, with every attempt to deliver them."""
        return tuple(self._dispatcher.deliveries)

    def deliver_to(self, receiver: InProcessReceiver | None) -> None:
        """Deliver webhooks without a URL to a function in this process, with no socket.

        It is called before `approve`, or the call that caused the event, returns: in the same
        thread, or for a call with `await` in a thread beside its event loop, so that the test
        client of the very app that makes the call will do. After anything but 2xx it is called
        again once that is due, by whatever next advances the clock or causes an event, so that a
        test decides when. (A webhook with a URL is tried again by itself.) ::

            shop = fastapi.testclient.TestClient(app)
            emulator.webhooks.deliver_to(
                lambda body, headers: shop.post("/dgs", content=body, headers=headers).status_code
            )

        Args:
            receiver: Takes the body and the headers and returns the HTTP status, None for 200.
                One that raises has answered 500.
        """
        self._dispatcher.receiver = None if receiver is None else FunctionReceiver(receiver)

    def require_accepted(self) -> None:
        """Check that the application of `Emulator.deliver_to` has accepted every webhook it got.

        The fixture `emulator` does that at the end of a test.

        Raises:
            AssertionError: it has rejected one, or raised; its own exception is the cause.
        """
        receiver = self._dispatcher.receiver
        if isinstance(receiver, AppReceiver):
            receiver.require_accepted(self.deliveries)

    def delay(self, seconds: float, *, times: int = 1) -> None:
        """Deliver the next webhooks so many seconds late, by the emulator's clock."""
        self._dispatcher.delivery_modes.add("delay", times=times, seconds=seconds)

    def drop(self, *, times: int = 1) -> None:
        """Record the next webhooks and do not deliver them; `resend` still can."""
        self._dispatcher.delivery_modes.add("drop", times=times)

    def duplicate(self, *, times: int = 1) -> None:
        """Deliver each of the next webhooks twice."""
        self._dispatcher.delivery_modes.add("duplicate", times=times)

    def sign_wrongly(self, *, times: int = 1) -> None:
        """Sign the next webhooks wrongly."""
        self._dispatcher.delivery_modes.add("wrong_signature", times=times)

    def reorder(self, *, count: int = 2) -> None:
        """Keep the next webhooks back until there are so many, then send the last one first."""
        self._dispatcher.delivery_modes.add("reorder", times=count)

    def resend(self, delivery: Delivery | int) -> None:
        """Send a webhook again now.

        Raises:
            LookupError: when there is no such delivery.
            ValueError: when it has no receiver.
        """
        self._dispatcher.resend(delivery if isinstance(delivery, int) else delivery.id)

    @property
    def modes(self) -> Sequence[Mode]:
        """Modes still to come, in order."""
        return self._dispatcher.delivery_modes.standing

    def behave(self) -> None:
        """Deliver normally from now on."""
        self._dispatcher.delivery_modes.clear()

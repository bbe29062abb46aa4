"""One request to the console, with what its body and query say."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from dgspay.emulator.console.lists import House
from dgspay.emulator.control import Controls
from dgspay.emulator.domain.account import Account
from dgspay.emulator.engine.engine import Engine
from dgspay.emulator.webhooks.dispatcher import Dispatcher
from dgspay.models.json_codec import JSONObject


class ConflictError(ValueError):
    """What is asked for would overwrite something, and was not said to."""


@attrs.frozen
class Ask:
    """One request to the console.

    Attributes:
        controls: What steers the emulator.
        account: The merchant it is about.
        values: The variable segments of the path.
        query: The query parameters.
        body: The parsed JSON object, empty when there was none.
    """

    controls: Controls
    account: Account
    values: Mapping[str, str]
    query: Mapping[str, str]
    body: JSONObject

    @property
    def engine(self) -> Engine:
        """The emulator's engine."""
        return self.controls.engine

    @property
    def dispatcher(self) -> Dispatcher:
        """The emulator's webhooks."""
        return self.controls.dispatcher

    @property
    def house(self) -> House:
        """Where the lists of the merchant come from."""
        return House(self.engine, self.dispatcher, self.account)

    def text(self, name: str) -> str:
        """Return a text of the body.

        Raises:
            ValueError: when it is missing or no text.
        """
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise ValueError(f"{name} is required, as text")
        return value

    def seconds(self, name: str) -> float:
        """Return a number of seconds of the body.

        Raises:
            ValueError: when it is missing, no number or below 0.
        """
        value = self.body.get(name)
        try:
            # bool is an int to Python, and not a number of seconds.
            seconds = -1.0 if isinstance(value, bool) else float(str(value))
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"{name} must be a number of seconds, 0 or more")
        return seconds

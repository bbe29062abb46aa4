"""Clients of several merchants by name, over one transport: for a marketplace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from dgspay.api_keys import KeyCallable
from dgspay.client import AsyncDGSPay, DGSPay
from dgspay.core.messages import Timeout
from dgspay.core.retry import RetryPolicy
from dgspay.errors import ConfigError
from dgspay.secret import Secret, masked_text
from dgspay.settings import held

ClientT = TypeVar("ClientT", AsyncDGSPay, DGSPay)


class Merchants(Generic[ClientT]):
    """A registry of merchants' clients, safe in threads and tasks.

    ::

        async with AsyncDGSPay.from_env() as dgs:
            merchants = Merchants(dgs)
            merchants.add("kigali-coffee", api_key=..., account_number=...)
            await merchants.client("kigali-coffee").charges.mobile_money(...)

    The clients are made by `with_options`: they share the connections, the retry budget and the
    guard of idempotency keys in flight, and end when the registry's own client is closed. The name
    is the merchant's label on events, logs and spans. A name that is not there is an error, never
    the registry's own account.

    Args:
        client: Gives its connections and its settings. It is of no merchant itself.
    """

    def __init__(self, client: ClientT) -> None:
        self._client: ClientT = client
        # Each change is one step of the interpreter's, which needs no lock.
        self._clients: dict[str, ClientT] = {}

    def add(
        self,
        name: str,
        *,
        api_key: str | Secret | KeyCallable,
        account_number: str | Secret,
        deadline: float | None = None,
        timeout: Timeout | None = None,
        retry: RetryPolicy | None = None,
    ) -> ClientT:
        """Add a merchant and return the client.

        Args:
            name: What to ask for it by: 1 to 100 printable characters.
            api_key: The merchant's key, or a callable that returns it.
            account_number: The merchant's account.
            deadline: Seconds a call may take in all; the registry's client's when None.
            timeout: Time limits for each part of an attempt; as above.
            retry: How often and how soon a call is tried again; as above.

        Raises:
            ConfigError: an argument is wrong, or the name is taken: `remove` it first.
        """
        # A traceback that shows local variables must not show the key.
        api_key, account_number = held(api_key), held(account_number)
        limits: dict[str, Any] = {"deadline": deadline, "timeout": timeout, "retry": retry}
        client = self._client.with_options(
            api_key=api_key,
            account_number=account_number,
            merchant=name,
            **{limit: value for limit, value in limits.items() if value is not None},
        )
        if self._clients.setdefault(name, client) is not client:
            raise ConfigError(
                f"there is a merchant {name!r} already: remove(...) it before another takes that "
                "name"
            )
        return client

    def remove(self, name: str) -> None:
        """Remove a merchant. What its client is sending at this moment goes on.

        Raises:
            ConfigError: there is no merchant of that name.
        """
        if self._clients.pop(name, None) is None:
            raise _unknown(name)

    def client(self, name: str) -> ClientT:
        """Return a merchant's client, the same each time.

        Raises:
            ConfigError: there is no merchant of that name. Nothing was sent.
        """
        client = self._clients.get(name)
        if client is None:
            raise _unknown(name)
        return client

    def __contains__(self, name: object) -> bool:
        return name in self._clients

    def __iter__(self) -> Iterator[str]:
        return iter([*self._clients])

    def __len__(self) -> int:
        return len(self._clients)

    def __repr__(self) -> str:
        return f"Merchants({', '.join(self)})"


def _unknown(name: object) -> ConfigError:
    return ConfigError(
        f"there is no merchant {masked_text(str(name))!r} in this registry: add(...) it "
        "with its key and account number. Nothing was sent"
    )

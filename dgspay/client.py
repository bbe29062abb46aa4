"""The two clients: settings become resources and a driver, and nothing else happens here."""

from __future__ import annotations

import random
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import tzinfo
from types import TracebackType
from typing import Any, ClassVar, Generic, NoReturn, Self, TypeVar

from dgspay import resources
from dgspay.core.call import CallRunner, Runnable
from dgspay.core.events import Hook
from dgspay.core.messages import Request, Timeout
from dgspay.core.operation import Operation, Reply
from dgspay.core.retry import RetryPolicy
from dgspay.drivers import drive, drive_async
from dgspay.errors import ConfigError
from dgspay.forks import undivided
from dgspay.hooks import Emitter
from dgspay.secret import Secret
from dgspay.settings import DEFAULT_IDEMPOTENCY_HEADER, Settings, from_env, is_key_like
from dgspay.transports.base import AsyncTransport, Transport
from dgspay.transports.checks import check_transport

T = TypeVar("T")
TransportT = TypeVar("TransportT")


class _Client(ABC, Generic[TransportT]):
    """Base of both clients: their settings, and the calls made from them."""

    _is_async: ClassVar[bool]

    def __init__(
        self,
        *,
        api_key: str | Secret,
        account_number: str | Secret,
        environment: str = "sandbox",
        base_url: str | None = None,
        transport: TransportT | None = None,
        retry: RetryPolicy | None = None,
        timeout: Timeout | None = None,
        deadline: float = 100.0,
        hooks: Iterable[Hook] = (),
        idempotency_header: str = DEFAULT_IDEMPOTENCY_HEADER,
        api_timezone: tzinfo | None = None,
        allow_rwf_fractions: bool = False,
        trust_env: bool = False,
    ) -> None:
        """Set a client up.

        Args:
            api_key: From the merchant portal, Settings, API Settings.
            account_number: From the same place.
            environment: `sandbox`, `production` or `emulator`.
            base_url: Another origin than the environment's; https, or http on loopback.
            transport: How requests are sent; httpx by default.
            retry: How often and how soon a call is tried again, where that is safe.
            timeout: Time limits for each part of an attempt.
            deadline: Seconds a call may take in all, retries and waiting included.
            hooks: Callables that receive an event for every attempt and every call.
            idempotency_header: The header that carries the idempotency key.
            api_timezone: The zone of the API's times. The times of results have it then, and aware
                datetimes are taken.
            allow_rwf_fractions: Send amounts in RWF with a fraction. RWF has no minor unit.
            trust_env: Obey proxy variables.

        Raises:
            ConfigError: an argument is missing or wrong.
        """
        key, account = _held(api_key), _held(account_number)
        # A traceback that shows local variables must not show them: they may have been swapped.
        del api_key, account_number
        if misplaced := _keys_among(environment, base_url, idempotency_header):
            del environment, base_url, idempotency_header
            raise ConfigError(f"{' and '.join(misplaced)} is an API key: arguments were swapped")
        self.settings = Settings.check(
            api_key=key,
            account_number=account,
            environment=environment,
            base_url=base_url,
            timeout=timeout,
            deadline=deadline,
            retry=retry,
            idempotency_header=idempotency_header,
            api_timezone=api_timezone,
            allow_rwf_fractions=allow_rwf_fractions,
            trust_env=trust_env,
        )
        emitter = self._emitter = Emitter(hooks)
        self._runner = CallRunner(
            request_builder=self.settings.request_builder,
            retry=self.settings.retry,
            timeout=self.settings.timeout,
            deadline=self.settings.deadline,
            clock=time,
            random=random.random,
            new_key=_new_key,
            emit=emitter,
            wants=emitter.wants,
        )
        if transport is not None:
            # Type checkers do so too, but at run time the request would leave first.
            check_transport(transport, for_async=self._is_async)
        self._given_transport = transport
        self._transport = self._own_transport() if transport is None else transport
        self._bind()

    @abstractmethod
    def _own_transport(self) -> TransportT: ...

    @abstractmethod
    def _bind(self) -> None: ...

    @classmethod
    def from_env(cls, **options: Any) -> Self:
        """Build a client from the environment; further options as for the class.

        The variables are `DGSPAY_API_KEY`, `DGSPAY_ACCOUNT_NUMBER`, and optionally
        `DGSPAY_ENVIRONMENT` and `DGSPAY_BASE_URL`.

        Raises:
            ConfigError: a variable is missing or wrong.
        """
        for name in ("api_key", "account_number"):
            if name in options:
                options[name] = _held(options[name])
        return cls(**{**from_env(given=options.keys()), **options})

    def prepare(self, operation: Operation[object]) -> Request:
        """Return the exact request that would be sent, for audits and snapshot tests.

        Its repr shows no secret; its `headers` and `body` hold them.
        """
        return self._runner.prepare(operation)[0]

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} cannot be pickled or copied: it holds connections and the API "
            "key. Make one in each process, with from_env() for example"
        )

    def __repr__(self) -> str:
        settings = getattr(self, "settings", None)
        # A traceback may show a client whose settings were rejected.
        where = "not set up" if settings is None else f"{settings.environment}, {settings.base_url}"
        return f"{type(self).__name__}({where})"


def _new_key() -> str:
    return secrets.token_hex(16)


def _keys_among(environment: object, base_url: object, idempotency_header: object) -> list[str]:
    """Return the names of the arguments that are an API key, and so must not be shown."""
    texts = {
        "environment": environment,
        "base_url": base_url,
        "idempotency_header": idempotency_header,
    }
    return [name for name, text in texts.items() if isinstance(text, str) and is_key_like(text)]


def _held(credential: object) -> Secret | None:
    if isinstance(credential, str):
        return Secret(str.__str__(credential))  # a member of a text enum, say, as its plain text
    return credential if isinstance(credential, Secret) else None


class AsyncDGSPay(_Client[AsyncTransport]):
    """The client for `async` code, on asyncio and trio. Use it with `async with`."""

    _is_async = True

    def _own_transport(self) -> AsyncTransport:
        with undivided:
            from dgspay.transports.httpx import HttpxTransport  # noqa: PLC0415 - loads httpx

        return HttpxTransport(trust_env=self.settings.trust_env)

    def _bind(self) -> None:
        self.charges = resources.AsyncCharges(self)
        self.payment_links = resources.AsyncPaymentLinks(self)
        self.disbursements = resources.AsyncDisbursements(self)
        self.banks = resources.AsyncBanks(self)
        self.balances = resources.AsyncBalances(self)
        self.conversions = resources.AsyncConversions(self)
        self.transactions = resources.AsyncTransactions(self)

    async def execute(self, operation: Operation[T] | Runnable[T]) -> T:
        """Carry out an operation, such as one of `dgspay.api`, and return its result."""
        return await drive_async(self._runner.run(operation), self._transport)

    async def reply(self, operation: Operation[T]) -> Reply[T]:
        """Carry out an operation and return its result with status, headers and attempts."""
        return await drive_async(self._runner.call(operation), self._transport)

    async def aclose(self) -> None:
        """Close the connections. A transport you passed is closed too."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


class DGSPay(_Client[Transport]):
    """The client for blocking code, safe in threads. Use it with `with`."""

    _is_async = False

    def _own_transport(self) -> Transport:
        with undivided:
            from dgspay.transports.httpx import HttpxTransport  # noqa: PLC0415 - loads httpx

        return HttpxTransport.blocking(trust_env=self.settings.trust_env)

    def _bind(self) -> None:
        self.charges = resources.Charges(self)
        self.payment_links = resources.PaymentLinks(self)
        self.disbursements = resources.Disbursements(self)
        self.banks = resources.Banks(self)
        self.balances = resources.Balances(self)
        self.conversions = resources.Conversions(self)
        self.transactions = resources.Transactions(self)

    def execute(self, operation: Operation[T] | Runnable[T]) -> T:
        """Carry out an operation, such as one of `dgspay.api`, and return its result."""
        return drive(self._runner.run(operation), self._transport)

    def reply(self, operation: Operation[T]) -> Reply[T]:
        """Carry out an operation and return its result with status, headers and attempts."""
        return drive(self._runner.call(operation), self._transport)

    def to_async(self) -> AsyncDGSPay:
        """Return an asynchronous client with the same settings, hooks and kind of transport.

        It has connections of its own, to be closed with `async with`. Bulk payouts send so.

        Raises:
            ConfigError: the transport you passed has no asynchronous twin; `HttpxTransport` has
                one, unless it was given a client of your own.
        """
        given = self._given_transport
        twin = None
        if given is not None:
            make = getattr(given, "to_async", None)
            twin = None if make is None else make()
            if twin is None:
                raise ConfigError(
                    f"this sends with an asynchronous client, and the {type(given).__name__} you "
                    "passed has no asynchronous twin. Use AsyncDGSPay with a transport for it, or "
                    "HttpxTransport.blocking(...) without a client of your own"
                )
        settings = self.settings
        return AsyncDGSPay(
            api_key=settings.api_key,
            account_number=settings.account_number,
            environment=settings.environment,
            base_url=settings.base_url,
            transport=twin,
            retry=settings.retry,
            timeout=settings.timeout,
            deadline=settings.deadline,
            hooks=self._emitter.hooks,
            idempotency_header=settings.idempotency_header,
            api_timezone=settings.api_timezone,
            allow_rwf_fractions=settings.allow_rwf_fractions,
            trust_env=settings.trust_env,
        )

    def close(self) -> None:
        """Close the connections. A transport you passed is closed too."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

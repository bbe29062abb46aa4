"""The two clients: settings become resources and a driver, and nothing else happens here."""

from __future__ import annotations

import enum
import os
import random
from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import tzinfo
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    ClassVar,
    Final,
    Generic,
    NoReturn,
    Self,
    TypedDict,
    TypeVar,
    Unpack,
)

from dgspay import resources
from dgspay.clock import PROCESS_CLOCK
from dgspay.core.call import CallRunner, Runnable
from dgspay.core.events import Hook
from dgspay.core.messages import Request, Timeout
from dgspay.core.operation import Operation, Reply
from dgspay.core.retry import RetryPolicy
from dgspay.descriptors import area
from dgspay.drivers import drive, drive_async
from dgspay.errors import ConfigError, DGSPayError
from dgspay.forks import undivided
from dgspay.hooks import Emitter
from dgspay.secret import Secret
from dgspay.settings import (
    DEFAULT_IDEMPOTENCY_HEADER,
    Environment,
    Settings,
    from_env,
    held,
    is_key_like,
)
from dgspay.transports.base import AsyncTransport, Transport
from dgspay.transports.blocking_in_loop import warn_in_loop
from dgspay.transports.checks import check_reachable, check_transport

if TYPE_CHECKING:
    from dgspay.api_keys import KeyCallable

T = TypeVar("T")
TransportT = TypeVar("TransportT")


class Same(enum.Enum):
    """Of an option that is not given: that of the client."""

    SAME = "same"


SAME: Final = Same.SAME


class ClientOptions(TypedDict, Generic[TransportT], total=False):
    """The arguments of a client, all of which may be left out; see `BaseClient`."""

    api_key: str | Secret | KeyCallable
    account_number: str | Secret
    environment: Environment
    base_url: str | None
    transport: TransportT | None
    retry: RetryPolicy | None
    timeout: Timeout | None
    deadline: float
    hooks: Iterable[Hook]
    idempotency_header: str
    api_timezone: tzinfo | None
    allow_rwf_fractions: bool
    trust_env: bool
    merchant: str | None


class BaseClient(ABC, Generic[TransportT]):
    """Base of both clients: their settings, and the calls made from them."""

    _is_async: ClassVar[bool]

    def __init__(
        self,
        *,
        api_key: str | Secret | KeyCallable,
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
        merchant: str | None = None,
    ) -> None:
        """Set a client up.

        Args:
            api_key: From the merchant portal, Settings, API Settings. Or a callable that returns
                it, `async` or not, asked before each call; an `ApiKey` that it returns is used
                for as long as its `max_age` says. If it fails, nothing is sent
                (`CredentialError`).
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
            merchant: A label that events, logs and spans carry, for a program of several accounts.

        Raises:
            ConfigError: an argument is missing or wrong.
        """
        key, account = held(api_key), held(account_number)
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
            merchant=merchant,
        )
        self._emitter = Emitter(hooks)
        self._runner = self._new_runner(sharing=None)
        if transport is not None:
            # Type checkers do so too, but at run time the request would leave first.
            check_transport(transport, for_async=self._is_async)
        self._given_transport = transport
        self._transport = self._own_transport() if transport is None else transport
        check_reachable(self._transport, self.settings.base_url)
        self._owns_transport = True

    def _new_runner(self, *, sharing: CallRunner | None) -> CallRunner:
        settings, emitter = self.settings, self._emitter
        source = None if isinstance(settings.api_key, Secret) else settings.api_key
        if source is not None and source.is_async and not self._is_async:
            raise ConfigError(source.ASYNC)
        return CallRunner(
            request_builder=settings.request_builder,
            retry=settings.retry,
            timeout=settings.timeout,
            deadline=settings.deadline,
            clock=PROCESS_CLOCK,
            random=random.random,
            new_key=_new_key,
            emit=emitter,
            wants=emitter.wants,
            key_source=source,
            merchant=settings.merchant,
            sharing=sharing,
        )

    def with_options(
        self,
        *,
        deadline: float | Same = SAME,
        timeout: Timeout | Same = SAME,
        retry: RetryPolicy | Same = SAME,
        api_key: str | Secret | KeyCallable | Same = SAME,
        account_number: str | Secret | Same = SAME,
        hooks: Iterable[Hook] | Same = SAME,
        merchant: str | Same | None = SAME,
    ) -> Self:
        """Return a client with other settings on the same connections; it is cheap to make.

            dgs.with_options(deadline=10).balances.available("RWF")

        Closing it closes nothing; closing the client it was made from ends both. They share the
        retry budget, unless `retry` has another one, and the guard that lets an idempotency key of
        your own be in flight only once in an account. What a key, a signature or a webhook means
        cannot be changed here: environment, URL and idempotency header stay.

        Args:
            deadline: Seconds a call may take in all.
            timeout: Time limits for each part of an attempt.
            retry: How often and how soon a call is tried again, where that is safe.
            api_key: The key of another account, or a new one of the same; as for the client.
            account_number: The other account's.
            hooks: In place of those of this client.
            merchant: The label that events, logs and spans carry; None for no label.

        Raises:
            ConfigError: an argument is wrong. None is no key and no account number.
        """
        given = self.settings
        key = given.api_key if api_key is SAME else held(api_key)
        account = Secret(given.account_number) if account_number is SAME else held(account_number)
        # As in `__init__`.
        del api_key, account_number
        made = object.__new__(type(self))
        made.settings = given.with_changes(
            api_key=key,
            account_number=account,
            deadline=given.deadline if deadline is SAME else deadline,
            timeout=given.timeout if timeout is SAME else timeout,
            retry=given.retry if retry is SAME else retry,
            merchant=given.merchant if merchant is SAME else merchant,
        )
        made._emitter = self._emitter if hooks is SAME else Emitter(hooks)
        made._runner = made._new_runner(sharing=self._runner)
        made._given_transport = self._given_transport
        made._transport = self._transport
        made._owns_transport = False
        return made

    @abstractmethod
    def _own_transport(self) -> TransportT: ...

    @classmethod
    def from_env(cls, **options: Unpack[ClientOptions[TransportT]]) -> Self:
        """Build a client from the environment; further options as for the class.

        The variables are `DGSPAY_API_KEY`, `DGSPAY_ACCOUNT_NUMBER`, and optionally
        `DGSPAY_ENVIRONMENT` and `DGSPAY_BASE_URL`.

        Raises:
            ConfigError: a variable is missing or wrong.
        """
        # A traceback that shows local variables must not show them.
        if "api_key" in options:
            options["api_key"] = held(options["api_key"])
        if "account_number" in options:
            options["account_number"] = held(options["account_number"])
        return cls(**{**from_env(given=options.keys()), **options})

    def prepare(self, operation: Operation[object]) -> Request:
        """Return the exact request that would be sent, for audits and snapshot tests.

        Its repr shows no secret; its `headers` and `body` hold them.

        Raises:
            ConfigError: the API key comes from an `async` callable and none is kept.
        """
        runner, key = self._runner, self.settings.api_key
        if isinstance(key, Secret):
            return runner.prepare(operation)[0]
        answer = key.fresh() or key.get()
        if isinstance(answer, DGSPayError):
            raise answer
        return runner.prepare(operation, runner.builder_for(answer))[0]

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
    return os.urandom(16).hex()


def _keys_among(environment: object, base_url: object, idempotency_header: object) -> list[str]:
    """Return the names of the arguments that are an API key, and so must not be shown."""
    texts = {
        "environment": environment,
        "base_url": base_url,
        "idempotency_header": idempotency_header,
    }
    return [name for name, text in texts.items() if isinstance(text, str) and is_key_like(text)]


class AsyncDGSPay(BaseClient[AsyncTransport]):
    """The client for `async` code, on asyncio and trio. Use it with `async with`.

    Every call ends by its `deadline` with an error that says what is known. A time limit of your
    own, `asyncio.timeout` or `anyio.fail_after`, cancels the call instead, and a cancelled call
    says nothing: once the request has left, the outcome is UNKNOWN. `errors.outcome_of(exception)`
    answers whether it has. Prefer `with_options(deadline=...)`.

    Attributes:
        charges: Collect from mobile wallets and cards.
        payment_links: Pages a customer can pay on.
        disbursements: Pay out to bank accounts and mobile wallets.
        banks: Banks and providers that can be paid to.
        balances: The merchant wallet.
        conversions: Currency conversion within the wallet.
        transactions: The history of the account.
        settings: What it was set up with; its repr shows no secret.
    """

    _is_async = True

    def _own_transport(self) -> AsyncTransport:
        with undivided:
            from dgspay.transports.httpx import HttpxTransport  # noqa: PLC0415 - loads httpx

        return HttpxTransport(trust_env=self.settings.trust_env)

    @area
    def charges(self) -> resources.AsyncCharges:
        """Collect from mobile wallets and cards."""
        return resources.AsyncCharges(self)

    @area
    def payment_links(self) -> resources.AsyncPaymentLinks:
        """Pages a customer can pay on."""
        return resources.AsyncPaymentLinks(self)

    @area
    def disbursements(self) -> resources.AsyncDisbursements:
        """Pay out to bank accounts and mobile wallets."""
        return resources.AsyncDisbursements(self)

    @area
    def banks(self) -> resources.AsyncBanks:
        """Banks and providers that can be paid to."""
        return resources.AsyncBanks(self)

    @area
    def balances(self) -> resources.AsyncBalances:
        """The merchant wallet."""
        return resources.AsyncBalances(self)

    @area
    def conversions(self) -> resources.AsyncConversions:
        """Currency conversion within the wallet."""
        return resources.AsyncConversions(self)

    @area
    def transactions(self) -> resources.AsyncTransactions:
        """The history of the account."""
        return resources.AsyncTransactions(self)

    async def execute(self, operation: Operation[T] | Runnable[T]) -> T:
        """Carry out an operation, such as one of `dgspay.api`, and return its result."""
        return await drive_async(self._runner.run(operation), self._transport)

    async def reply(self, operation: Operation[T]) -> Reply[T]:
        """Carry out an operation and return its result with status, headers and attempts."""
        return await drive_async(self._runner.call(operation), self._transport)

    async def aclose(self) -> None:
        """Close the connections and begin no further call. A transport you passed is closed too.

        A call that is under way elsewhere goes on until it is answered or its deadline is over,
        on every transport of ours; this does not wait for it. A client made by `with_options`
        closes nothing.
        """
        if self._owns_transport:
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

    if not TYPE_CHECKING:  # a type checker rejects it, and Python would not say what to do
        __exit__ = None

        def __enter__(self) -> NoReturn:
            raise TypeError("AsyncDGSPay is used with `async with`; DGSPay is the one for `with`")


class DGSPay(BaseClient[Transport]):
    """The client for blocking code, safe in threads. Use it with `with`.

    A call in an event loop holds up all else in the program, and a RuntimeWarning says so.

    Attributes:
        charges: Collect from mobile wallets and cards.
        payment_links: Pages a customer can pay on.
        disbursements: Pay out to bank accounts and mobile wallets.
        banks: Banks and providers that can be paid to.
        balances: The merchant wallet.
        conversions: Currency conversion within the wallet.
        transactions: The history of the account.
        settings: What it was set up with; its repr shows no secret.
    """

    _is_async = False

    def _own_transport(self) -> Transport:
        with undivided:
            from dgspay.transports.httpx import HttpxTransport  # noqa: PLC0415 - loads httpx

        return HttpxTransport.blocking(trust_env=self.settings.trust_env)

    @area
    def charges(self) -> resources.Charges:
        """Collect from mobile wallets and cards."""
        return resources.Charges(self)

    @area
    def payment_links(self) -> resources.PaymentLinks:
        """Pages a customer can pay on."""
        return resources.PaymentLinks(self)

    @area
    def disbursements(self) -> resources.Disbursements:
        """Pay out to bank accounts and mobile wallets."""
        return resources.Disbursements(self)

    @area
    def banks(self) -> resources.Banks:
        """Banks and providers that can be paid to."""
        return resources.Banks(self)

    @area
    def balances(self) -> resources.Balances:
        """The merchant wallet."""
        return resources.Balances(self)

    @area
    def conversions(self) -> resources.Conversions:
        """Currency conversion within the wallet."""
        return resources.Conversions(self)

    @area
    def transactions(self) -> resources.Transactions:
        """The history of the account."""
        return resources.Transactions(self)

    def execute(self, operation: Operation[T] | Runnable[T]) -> T:
        """Carry out an operation, such as one of `dgspay.api`, and return its result."""
        warn_in_loop(self._transport)
        return drive(self._runner.run(operation), self._transport)

    def reply(self, operation: Operation[T]) -> Reply[T]:
        """Carry out an operation and return its result with status, headers and attempts."""
        warn_in_loop(self._transport)
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
        settings, key = self.settings, self.settings.api_key
        return AsyncDGSPay(
            api_key=key if isinstance(key, Secret) else key.ask,
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
            merchant=settings.merchant,
        )

    def close(self) -> None:
        """Close the connections and begin no further call. A transport you passed is closed too.

        A call that is under way elsewhere goes on until it is answered or its deadline is over,
        on every transport of ours; this does not wait for it. A client made by `with_options`
        closes nothing.
        """
        if self._owns_transport:
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

    if not TYPE_CHECKING:  # as in `AsyncDGSPay`
        __aexit__ = None

        def __aenter__(self) -> NoReturn:
            raise TypeError("DGSPay is used with `with`; AsyncDGSPay is the one for `async with`")

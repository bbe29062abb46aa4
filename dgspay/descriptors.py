"""Descriptors that bind one definition of a call to both clients, its signature intact."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, Self, TypeVar, overload

from dgspay.core.frames import cut_below
from dgspay.errors import Outcome, note_outcome
from dgspay.forks import undivided

if TYPE_CHECKING:
    from dgspay.core.call import Runnable
    from dgspay.core.operation import Operation
    from dgspay.core.pagination import Listing
    from dgspay.pagers import AsyncPager, Pager

P = ParamSpec("P")
T = TypeVar("T")


class AsyncExecutor(Protocol):
    """The part of its client that an asynchronous resource needs."""

    async def execute(self, operation: Operation[T] | Runnable[T]) -> T:
        """Carry an operation out."""
        ...


class Executor(Protocol):
    """The part of its client that a blocking resource needs."""

    def execute(self, operation: Operation[T] | Runnable[T]) -> T:
        """Carry an operation out."""
        ...


class AsyncResource:
    """One area of the API on an `AsyncDGSPay`."""

    def __init__(self, client: AsyncExecutor) -> None:
        self._client = client


class Resource:
    """One area of the API on a `DGSPay`."""

    def __init__(self, client: Executor) -> None:
        self._client = client


class area(Generic[T]):  # noqa: N801 - reads as a word where it is used
    """An area of the API on a client, loaded and made when it is first used."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...

    @overload
    def __get__(self, client: object, owner: type) -> T: ...

    def __get__(self, client: object | None, owner: type) -> Any:
        if client is None:
            return self
        with undivided:
            made = self._make(client)
        # A plain attribute of the same name is found first from now on.
        return client.__dict__.setdefault(self._name, made)

    def __repr__(self) -> str:
        return f"<area {self._name}>"


class _Binding(Generic[P, T]):
    """Base of the descriptors: a function of `dgspay.api`, with its signature and docstring."""

    _RESULT = "{}"

    def __init__(self, function: Callable[P, Any]) -> None:
        self._function = function
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    def __set_name__(self, owner: type, name: str) -> None:
        # By these, `help` shows it as a method with its signature.
        self.__name__ = name
        self.__qualname__ = f"{owner.__qualname__}.{name}"

    @functools.cached_property
    def __signature__(self) -> inspect.Signature:
        """Signature of the method as its class shows it."""
        itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return self._bound.replace(parameters=[itself, *self._bound.parameters.values()])

    def __call__(self, resource: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call the method of a resource, as a function does that is taken from its class."""
        return getattr(resource, self.__name__)(*args, **kwargs)

    @functools.cached_property
    def _bound(self) -> inspect.Signature:
        """Signature of the bound method, made once: clients of a single call are made often."""
        shown = inspect.signature(self._function)
        returned = str(shown.return_annotation).partition("[")[2].removesuffix("]")
        return shown.replace(return_annotation=self._RESULT.format(returned))

    def _dress(self, instance: Any, method: Callable[..., Any]) -> Any:
        """Make a closure look like the method it stands for, and keep it on the instance."""
        functools.update_wrapper(method, self._function)
        method.__name__, method.__qualname__ = self.__name__, self.__qualname__
        method.__signature__ = self._bound  # type: ignore[attr-defined]
        # A plain attribute of the same name is found first from now on.
        instance.__dict__[self.__name__] = method
        return method


class awaits(_Binding[P, T]):  # noqa: N801 - reads as a word where it is used
    """Bind a call to an asynchronous resource."""

    def __init__(self, function: Callable[P, Operation[T] | Runnable[T]]) -> None:
        super().__init__(function)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(
        self, instance: AsyncResource, owner: type
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, instance: AsyncResource | None, owner: type) -> Any:
        if instance is None:
            return self
        function, client = self._function, instance._client  # noqa: SLF001

        async def method(*args: Any, **kwargs: Any) -> Any:
            handled = sys.exception()
            try:
                operation = function(*args, **kwargs)
            except (ValueError, TypeError) as error:
                note_outcome(error, Outcome.NOT_SENT)
                raise
            except BaseException as error:
                # Raised by a signal handler, say, anywhere: below may be anything in plain text.
                cut_below(error, handled)
                raise
            finally:
                # A traceback that shows local variables must not show an OTP.
                del args, kwargs
            return await client.execute(operation)

        return self._dress(instance, method)


class runs(_Binding[P, T]):  # noqa: N801 - reads as a word where it is used
    """Bind a call to a blocking resource."""

    def __init__(self, function: Callable[P, Operation[T] | Runnable[T]]) -> None:
        super().__init__(function)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: Resource, owner: type) -> Callable[P, T]: ...

    def __get__(self, instance: Resource | None, owner: type) -> Any:
        if instance is None:
            return self
        function, client = self._function, instance._client  # noqa: SLF001

        def method(*args: Any, **kwargs: Any) -> Any:
            handled = sys.exception()
            try:
                operation = function(*args, **kwargs)
            except (ValueError, TypeError) as error:
                note_outcome(error, Outcome.NOT_SENT)
                raise
            except BaseException as error:
                cut_below(error, handled)  # as in `awaits`
                raise
            finally:
                del args, kwargs
            return client.execute(operation)

        return self._dress(instance, method)


class pages_async(_Binding[P, T]):  # noqa: N801 - reads as a word where it is used
    """Bind a list to an asynchronous resource: a pager at once, without `await`."""

    _RESULT = "AsyncPager[{}]"

    def __init__(self, function: Callable[P, Listing[T]]) -> None:
        super().__init__(function)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: AsyncResource, owner: type) -> Callable[P, AsyncPager[T]]: ...

    def __get__(self, instance: AsyncResource | None, owner: type) -> Any:
        if instance is None:
            return self
        function, client = self._function, instance._client  # noqa: SLF001
        with undivided:
            from dgspay.pagers import AsyncPager  # noqa: PLC0415 - most calls list nothing

        def method(*args: Any, **kwargs: Any) -> Any:
            return AsyncPager(function(*args, **kwargs), client.execute)

        return self._dress(instance, method)


class pages(_Binding[P, T]):  # noqa: N801 - reads as a word where it is used
    """Bind a list to a blocking resource."""

    _RESULT = "Pager[{}]"

    def __init__(self, function: Callable[P, Listing[T]]) -> None:
        super().__init__(function)

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: Resource, owner: type) -> Callable[P, Pager[T]]: ...

    def __get__(self, instance: Resource | None, owner: type) -> Any:
        if instance is None:
            return self
        function, client = self._function, instance._client  # noqa: SLF001
        with undivided:
            from dgspay.pagers import Pager  # noqa: PLC0415 - as above

        def method(*args: Any, **kwargs: Any) -> Any:
            return Pager(function(*args, **kwargs), client.execute)

        return self._dress(instance, method)

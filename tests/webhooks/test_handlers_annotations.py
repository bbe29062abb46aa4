"""Which handlers `on` takes by what their parameter is annotated with."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, NewType, Optional, Protocol, TypeVar, Union

import pytest

from dgspay import webhooks
from dgspay.errors import ConfigError
from dgspay.webhooks import (
    DisbursementSucceeded,
    Event,
    PaymentFailed,
    PaymentSucceeded,
    UnknownEvent,
    sign,
)
from tests.support.receiving import BODY, memory_receiver
from tests.support.webhook_samples import SECRET

if TYPE_CHECKING:
    from psycopg import Connection

    from dgspay.webhooks import PaymentFailed as OnlyForCheckers

SomeEvent = TypeVar("SomeEvent", bound=PaymentFailed)
AnyOfThem = TypeVar("AnyOfThem")
Named = NewType("Named", PaymentSucceeded)


class HasReference(Protocol):
    dgs_reference: str


def annotated(annotation: Any) -> Callable[[Any], None]:
    def handle(event: Any) -> None:
        pass

    handle.__annotations__["event"] = annotation
    return handle


class Shop:
    def paid(self, event: PaymentSucceeded, note: str = "") -> None:
        pass

    def lost(self, event: PaymentFailed, note: str = "") -> None:
        pass

    @classmethod
    def lost_too(cls, event: PaymentFailed) -> None:
        pass

    @staticmethod
    def lost_as_well(event: PaymentFailed) -> None:
        pass


class Called:
    async def __call__(self, event: PaymentFailed) -> None:
        pass


def wrapped(function: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(function)
    def inner(*args: Any, **options: Any) -> None:
        function(*args, **options)

    return inner


def noted(note: str, event: PaymentFailed) -> None:
    pass


FOR_PAID = [
    webhooks.PaymentSucceeded,
    "PaymentSucceeded",
    "webhooks.PaymentSucceeded",
    PaymentSucceeded | PaymentFailed,
    Union[PaymentSucceeded, PaymentFailed],  # noqa: UP007 - what is tested
    Optional[PaymentSucceeded],  # noqa: UP045 - what is tested
    "PaymentSucceeded | None",
    "Union[PaymentFailed, 'PaymentSucceeded']",
    Annotated[PaymentSucceeded, "a note"],
    Annotated[PaymentFailed | PaymentSucceeded, "a note"],
    PaymentSucceeded.__base__,
    Event,
    "Event",
    object,
    Any,
    AnyOfThem,
    Named,
    HasReference,
    "ANameThatIsNowhere",
    "list[",
    "1 / 0",
]

FOR_OTHERS = [
    (PaymentFailed, "PaymentFailed"),
    ("PaymentFailed", "PaymentFailed"),
    ("webhooks.PaymentFailed", "webhooks.PaymentFailed"),
    (PaymentFailed | UnknownEvent, "UnknownEvent"),
    (Union[PaymentFailed, UnknownEvent], "UnknownEvent"),  # noqa: UP007 - what is tested
    (Optional[PaymentFailed], "PaymentFailed"),  # noqa: UP045 - what is tested
    (Annotated[PaymentFailed, "a note"], "PaymentFailed"),
    (DisbursementSucceeded.__base__, "_Disbursement"),
    (SomeEvent, "SomeEvent"),
    (dict, "dict"),
    (dict[str, Any], "dict"),
    ("bytes", "bytes"),
    (None, "None"),
    (type[PaymentSucceeded], "type"),
]


@pytest.mark.parametrize("annotation", FOR_PAID, ids=str)
def test_a_handler_is_taken_for_what_it_is_annotated_for(annotation: Any) -> None:
    receiver = memory_receiver()
    receiver.on(PaymentSucceeded)(annotated(annotation))
    assert receiver.receive(BODY, sign(BODY, SECRET)).status == 200


@pytest.mark.parametrize(("annotation", "words"), FOR_OTHERS, ids=str)
def test_a_handler_annotated_for_something_else_is_refused(annotation: Any, words: str) -> None:
    receiver = memory_receiver()
    with pytest.raises(TypeError, match="PaymentSucceeded") as refused:
        receiver.on(PaymentSucceeded)(annotated(annotation))
    assert words in str(refused.value)
    receiver.on(PaymentSucceeded)(lambda event: None)  # nothing was registered


def only_for_checkers(event: PaymentFailed, connection: Connection[Any] | None = None) -> None:
    pass


def misread(event: OnlyForCheckers) -> None:
    """Its annotation cannot be evaluated, so its types are unknown."""


@pytest.mark.parametrize(
    "function",
    [
        Shop().lost,
        Shop.lost_too,
        Shop.lost_as_well,
        Called(),
        Called().__call__,
        functools.partial(Shop().lost, note="x"),
        functools.partial(noted, "x"),
        functools.partial(functools.partial(noted), "x"),
        wrapped(Shop.lost_as_well),
        only_for_checkers,
    ],
)
def test_whatever_is_called_is_looked_into(function: Any) -> None:
    receiver = memory_receiver()
    with pytest.raises(TypeError, match="PaymentFailed"):
        receiver.on(PaymentSucceeded)(function)
    receiver.on(PaymentFailed)(function)


def test_what_cannot_be_evaluated_is_not_judged() -> None:
    assert memory_receiver().on(PaymentSucceeded)(misread) is misread


def test_every_event_that_is_registered_must_fit() -> None:
    receiver = memory_receiver()
    with pytest.raises(TypeError, match=r"give Shop\.paid\(\) a PaymentFailed"):
        receiver.on(PaymentSucceeded, PaymentFailed)(Shop().paid)
    receiver.on(PaymentSucceeded)(Shop().paid)


@pytest.mark.parametrize(
    "kinds",
    [
        PaymentSucceeded | PaymentFailed,
        Union[PaymentSucceeded, PaymentFailed],  # noqa: UP007 - what is tested
        Annotated[PaymentSucceeded | PaymentFailed, "a note"],
    ],
    ids=str,
)
def test_on_takes_every_kind_of_union(kinds: Any) -> None:
    receiver = memory_receiver()
    receiver.on(kinds)(lambda event: None)
    for cls in (PaymentSucceeded, PaymentFailed):
        with pytest.raises(ConfigError, match="already"):
            receiver.on(cls)(lambda event: None)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="a statement of Python 3.12")
def test_an_alias_stands_for_its_value() -> None:
    namespace = {"PaymentSucceeded": PaymentSucceeded, "PaymentFailed": PaymentFailed}
    exec("type Ended = PaymentSucceeded | PaymentFailed", namespace)
    receiver = memory_receiver()
    receiver.on(namespace["Ended"])(annotated(namespace["Ended"]))
    with pytest.raises(TypeError, match="UnknownEvent"):
        receiver.on(UnknownEvent)(annotated(namespace["Ended"]))

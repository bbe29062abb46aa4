"""What a person sees of a call: its signature and docstring, on both clients."""

from __future__ import annotations

import inspect
import pydoc
from typing import Any

import pytest

from dgspay.api import charges
from dgspay.resources import Balances
from tests.support.recorders import recording, recording_async

AREAS = [
    "balances",
    "banks",
    "charges",
    "conversions",
    "disbursements",
    "payment_links",
    "transactions",
]


def calls_of(client: Any) -> list[tuple[str, Any]]:
    return [
        (f"{area}.{name}", getattr(getattr(client, area), name))
        for area in AREAS
        for name in dir(type(getattr(client, area)))
        if not name.startswith("_")
    ]


@pytest.mark.parametrize("make", [recording, recording_async])
def test_help_shows_parameters_and_docstring(make: Any) -> None:
    client, _ = make()
    shown = pydoc.plain(pydoc.render_doc(client.charges.mobile_money)).replace("'", "")
    # From Python 3.13 on, a long signature has a line per parameter.
    shown = " ".join(shown.split()).replace("( *", "(*")
    assert "mobile_money(*, amount: " in shown
    assert "customer: " in shown
    assert "idempotency_key: " in shown
    assert "-> Charge" in shown
    assert "Operation" not in shown
    assert "Ask a customers mobile wallet for a payment" in shown
    assert charges.mobile_money.__doc__ is not None


@pytest.mark.parametrize("make", [recording, recording_async])
def test_help_of_a_client_lists_its_areas_and_that_of_an_area_its_calls(make: Any) -> None:
    client, _ = make()
    shown = pydoc.plain(pydoc.render_doc(type(client)))
    for area in AREAS:
        assert f"{area}: " in shown
        # As `help(dgs.charges)` does.
        text = pydoc.plain(pydoc.render_doc(getattr(client, area)))
        # From Python 3.13 on a long signature has a line for each parameter, behind a margin.
        listed = " ".join(text.replace("|", " ").split()).replace("( ", "(")
        for name, call in calls_of(client):
            if name.startswith(f"{area}."):
                first = next(iter(inspect.signature(call).parameters.values()), None)
                begin = f"{call.__name__}(self"
                assert begin in listed
                assert first is None or first.name in listed.partition(begin)[2]
        assert "object>" not in listed


def test_a_call_taken_from_its_class_is_one_of_a_resource() -> None:
    dgs, recorder = recording()
    Balances.list(dgs.balances)
    assert recorder.requests


@pytest.mark.parametrize("make", [recording, recording_async])
def test_every_call_has_a_signature_and_a_docstring(make: Any) -> None:
    client, _ = make()
    calls = calls_of(client)
    assert len(calls) == 19
    for name, call in calls:
        assert inspect.getdoc(call), name
        signature = str(inspect.signature(call))
        assert "args" not in signature, name
        assert not any(word in signature for word in ("Operation", "Poll", "Listing")), name
        assert call.__name__ == name.partition(".")[2]


def test_calls_of_the_async_client_are_coroutine_functions_but_for_lists() -> None:
    client, _ = recording_async()
    plain = {name for name, call in calls_of(client) if not inspect.iscoroutinefunction(call)}
    assert plain == {"payment_links.list", "transactions.list"}

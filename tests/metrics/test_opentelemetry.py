"""Metrics as OpenTelemetry's own SDK collects them."""

from __future__ import annotations

import pytest

from dgspay import DGSPay, errors
from dgspay.emulator import Emulator
from dgspay.metrics.instruments import Measurement
from dgspay.metrics.opentelemetry import OpenTelemetryMetrics, observe
from dgspay.testing import client_options
from dgspay.transports.httpx import HttpxTransport
from tests.support.collected_metrics import Collected, Things
from tests.support.raw_server import RawServer, answering, http

REFERENCE = "dgs_does_not_exist"


@pytest.fixture
def collected() -> Collected:
    return Collected()


def client(emulator: Emulator, collected: Collected, merchant: str | None = None) -> DGSPay:
    dgs = DGSPay(
        transport=HttpxTransport(emulator.http_client()),
        hooks=[OpenTelemetryMetrics(collected.provider)],
        **client_options(emulator),
    )
    return dgs if merchant is None else dgs.with_options(merchant=merchant)


def test_calls_are_counted_by_route_and_outcome(emulator: Emulator, collected: Collected) -> None:
    dgs = client(emulator, collected)
    dgs.balances.list()
    dgs.balances.list()
    with pytest.raises(errors.NotFoundError):
        dgs.transactions.retrieve(REFERENCE)
    metric = collected.metrics()["dgspay.client.calls"]
    assert metric.unit == "{call}"
    counts = {attributes["url.template"]: (attributes, point.value)
              for attributes, point in collected.points("dgspay.client.calls")}  # fmt: skip
    assert counts == {
        "/balance": (
            {
                "http.request.method": "GET",
                "url.template": "/balance",
                "dgspay.outcome": "completed",
            },
            2,
        ),
        "/transactions/{id}": (
            {
                "http.request.method": "GET",
                "url.template": "/transactions/{id}",
                "dgspay.outcome": "rejected",
                "error.type": "NotFoundError",
            },
            1,
        ),
    }


def test_the_duration_is_in_seconds_with_buckets_up_to_the_deadline(
    emulator: Emulator, collected: Collected
) -> None:
    client(emulator, collected).balances.list()
    metric = collected.metrics()["dgspay.client.call.duration"]
    assert metric.unit == "s"
    ((_, point),) = collected.points("dgspay.client.call.duration")
    assert point.count == 1
    assert 0 < point.sum < 60
    assert (point.explicit_bounds[0], point.explicit_bounds[-1]) == (0.005, 120)


def test_retries_are_counted_by_what_they_followed(
    emulator: Emulator, collected: Collected
) -> None:
    emulator.faults.fail_next("GET /balance", error_code="99")
    client(emulator, collected).balances.list()
    ((attributes, point),) = collected.points("dgspay.client.retries")
    assert (attributes["dgspay.outcome"], point.value) == ("rejected", 1)


def test_wait_for_a_connection_is_measured_of_each_attempt_over_sockets(
    collected: Collected,
) -> None:
    with (
        RawServer(answering(http({"status": "success", "balances": []}))) as server,
        DGSPay(
            api_key="sk_test_1",
            account_number="ACC-1",
            base_url=server.url,
            hooks=[OpenTelemetryMetrics(collected.provider)],
        ) as dgs,
    ):
        dgs.balances.list()
        dgs.balances.list()
    ((attributes, point),) = collected.points("dgspay.client.pool.wait")
    assert (attributes["url.template"], point.count) == ("/balance", 2)
    assert 0 <= point.sum < 5
    assert collected.metrics()["dgspay.client.pool.wait"].unit == "s"


def test_a_lost_answer_is_counted_as_unknown(emulator: Emulator, collected: Collected) -> None:
    emulator.faults.lose_answer("POST /convert")
    with pytest.raises(errors.OutcomeUnknownError):
        client(emulator, collected).conversions.convert(
            from_currency="USD", to_currency="EUR", from_amount=1
        )
    ((attributes, _),) = collected.points("dgspay.client.calls")
    assert attributes["dgspay.outcome"] == "unknown"
    assert attributes["error.type"] == "OutcomeUnknownError"


def test_labels_hold_the_merchant_and_never_an_id(emulator: Emulator, collected: Collected) -> None:
    with pytest.raises(errors.NotFoundError):
        client(emulator, collected, "kigali-coffee").transactions.retrieve(REFERENCE)
    for name in collected.metrics():
        for attributes, _ in collected.points(name):
            assert attributes["dgspay.merchant"] == "kigali-coffee"
            assert REFERENCE not in str(attributes)
            assert emulator.account_number not in str(attributes)


def test_gauges_are_read_once_for_each_collection(collected: Collected) -> None:
    things, now = Things(), [0.0]
    observe(things, collected.provider, monotonic=lambda: now[0])
    assert things.reads == 0
    ((_, age),) = collected.points("dgspay.test.age")
    assert (age.value, things.reads) == (3.5, 1)
    now[0] += 30
    ((attributes, size),) = collected.points("dgspay.test.size")
    assert (attributes, size.value, things.reads) == ({"state": "open"}, 2, 2)


def test_gauges_that_cannot_be_read_leave_the_other_metrics_alone(
    emulator: Emulator, collected: Collected, caplog: pytest.LogCaptureFixture
) -> None:
    class Away(Things):
        def read(self) -> list[Measurement]:
            raise OSError("the database is away")

    observe(Away(), collected.provider)
    client(emulator, collected).balances.list()
    assert "dgspay.test.age" not in collected.metrics()
    assert "dgspay.client.calls" in collected.metrics()
    assert "the database is away" in caplog.text

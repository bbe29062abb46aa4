"""Metrics as Prometheus's own parser reads them."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from dgspay import AttemptEvent, DGSPay, Outcome, errors
from dgspay.core.events import Hook
from dgspay.emulator import Emulator
from dgspay.errors import ConfigError
from dgspay.metrics import opentelemetry
from dgspay.metrics.instruments import Measurement
from dgspay.metrics.opentelemetry import OpenTelemetryMetrics
from dgspay.metrics.prometheus import MetricsEndpoint, PrometheusMetrics, observe
from dgspay.testing import client_options
from dgspay.transports.httpx import HttpxTransport
from tests.support.collected_metrics import Things

REFERENCE = "dgs_does_not_exist"
TOKEN = "a-token-of-this-test"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def samples(registry: CollectorRegistry) -> dict[str, list[Sample]]:
    answer = MetricsEndpoint(token=TOKEN, registry=registry).respond(f"Bearer {TOKEN}")
    assert answer.status == 200
    found: dict[str, list[Sample]] = {}
    for family in text_string_to_metric_families(answer.body.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def client(emulator: Emulator, registry: CollectorRegistry) -> DGSPay:
    return DGSPay(
        transport=HttpxTransport(emulator.http_client()),
        hooks=[PrometheusMetrics(registry)],
        **client_options(emulator),
    )


def test_calls_durations_and_retries_have_the_names_of_opentelemetrys_exporter(
    emulator: Emulator, registry: CollectorRegistry
) -> None:
    emulator.faults.fail_next("GET /balance", error_code="99")
    dgs = client(emulator, registry)
    dgs.balances.list()
    with pytest.raises(errors.NotFoundError):
        dgs.transactions.retrieve(REFERENCE)
    found = samples(registry)
    calls = {each.labels["url_template"]: each for each in found["dgspay_client_calls_total"]}
    assert calls["/balance"].value == 1
    assert calls["/balance"].labels["dgspay_outcome"] == "completed"
    assert calls["/transactions/{id}"].labels["error_type"] == "NotFoundError"
    assert found["dgspay_client_retries_total"][0].value == 1
    assert {each.value for each in found["dgspay_client_call_duration_seconds_count"]} == {1}
    buckets = {each.labels["le"] for each in found["dgspay_client_call_duration_seconds_bucket"]}
    assert {"0.005", "120.0", "+Inf"} <= buckets
    assert REFERENCE not in repr(found)
    assert emulator.account_number not in repr(found)


def test_waits_for_a_connection_are_a_histogram_in_seconds(registry: CollectorRegistry) -> None:
    event = AttemptEvent(
        call_id=1, operation="GET /balance", attempt=1, started=0, duration=1, status=200,
        error_code=None, outcome=Outcome.COMPLETED, retry_delay=None, pool_wait=0.75,
    )  # fmt: skip
    observed = PrometheusMetrics(registry)
    observed(event)
    observed(event._replace(pool_wait=None))
    found = samples(registry)
    assert [each.value for each in found["dgspay_client_pool_wait_seconds_sum"]] == [0.75]
    assert [each.value for each in found["dgspay_client_pool_wait_seconds_count"]] == [1]


def test_gauges_are_read_once_for_each_collection(registry: CollectorRegistry) -> None:
    things = Things()
    observe(things, registry)
    assert things.reads == 0
    found = samples(registry)
    assert found["dgspay_test_age_seconds"][0].value == 3.5
    assert found["dgspay_test_size"][0].labels == {"state": "open"}
    assert things.reads == 1


def test_gauges_that_cannot_be_read_leave_the_other_metrics_alone(
    emulator: Emulator, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    class Away(Things):
        def read(self) -> list[Measurement]:
            raise OSError("the database is away")

    observe(Away(), registry)
    client(emulator, registry).balances.list()
    found = samples(registry)
    assert "dgspay_test_age_seconds" not in found
    assert "dgspay_client_calls_total" in found
    assert "the database is away" in caplog.text


@pytest.mark.parametrize(
    "shown", [None, "", "Bearer", f"Bearer {TOKEN}x", TOKEN, "Bearer ké\udcff"]
)
def test_without_the_token_nothing_is_shown(registry: CollectorRegistry, shown: str | None) -> None:
    observe(Things(), registry)
    answer = MetricsEndpoint(token=TOKEN, registry=registry).respond(shown)
    assert (answer.status, answer.body) == (401, b"")


def test_a_token_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ConfigError, match="16 characters"):
        MetricsEndpoint(token="short")


def test_opentelemetrys_exporter_gives_every_metric_the_same_name(
    emulator: Emulator, registry: CollectorRegistry
) -> None:
    exporter = pytest.importorskip("opentelemetry.exporter.prometheus")
    from opentelemetry.sdk.metrics import MeterProvider

    reader = exporter.PrometheusMetricReader(scope_info_enabled=False, disable_target_info=True)
    provider = MeterProvider([reader], shutdown_on_exit=False)
    opentelemetry.observe(Things(), provider)
    observe(Things(), registry)
    emulator.faults.fail_next("GET /balance", error_code="99")
    hooks: list[Hook] = [OpenTelemetryMetrics(provider), PrometheusMetrics(registry)]
    DGSPay(
        transport=HttpxTransport(emulator.http_client()), hooks=hooks, **client_options(emulator)
    ).balances.list()
    theirs = {
        sample.name
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name.startswith("dgspay_")
    }
    provider.shutdown()
    ours = {name for name in samples(registry) if not name.endswith("_created")}
    assert {name for name in theirs if not name.endswith("_created")} == ours

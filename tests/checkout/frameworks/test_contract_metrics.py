"""Prometheus collects the metrics of a checkout at its routes, in every framework."""

from __future__ import annotations

from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from dgspay.metrics.prometheus import MetricsEndpoint, observe
from tests.checkout.conftest import Shop
from tests.support.mounted_checkouts import FRAMEWORKS, Asked

TOKEN = "a-token-of-this-test"
SHOWN = Asked("metrics", headers={"Authorization": f"Bearer {TOKEN}"})
HIDDEN = Asked("metrics")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_metrics_are_shown_to_whoever_has_the_token_alone(shop: Shop, framework: Any) -> None:
    registry = CollectorRegistry()
    observe(shop.checkout.gauges(), registry)
    shop.open(expires=900)
    endpoint = MetricsEndpoint(token=TOKEN, registry=registry)
    shown, hidden = framework(shop, [SHOWN, HIDDEN], endpoint)
    assert shown.status == 200
    line = 'dgspay_checkout_orders{dgspay_environment="emulator",dgspay_state="open"} 1.0'
    assert line in shown.text.splitlines()
    assert (hidden.status, hidden.text) == (401, "")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_no_metrics_are_served_unless_that_was_asked_for(shop: Shop, framework: Any) -> None:
    (answer,) = framework(shop, [SHOWN], None)
    assert answer.status == 404

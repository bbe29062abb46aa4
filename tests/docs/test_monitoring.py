"""The board and the alerts that docs/monitoring ships: valid, and about metrics that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dgspay.checkout.gauges import CheckoutGauges
from dgspay.errors import Outcome
from dgspay.metrics import calls
from dgspay.metrics.instruments import Instrument, Kind
from dgspay.payouts import PayoutGauges, State

FOLDER = Path(__file__).parent.parent.parent / "docs" / "monitoring"

INSTRUMENTS = (*calls.INSTRUMENTS, *CheckoutGauges.instruments, *PayoutGauges.instruments)


def exported(instrument: Instrument) -> set[str]:
    name = instrument.name.replace(".", "_") + ("_seconds" if instrument.unit == "s" else "")
    if instrument.kind is Kind.HISTOGRAM:
        return {f"{name}_{part}" for part in ("bucket", "sum", "count")}
    return {f"{name}_total" if instrument.kind is Kind.COUNTER else name}


NAMES = set[str]().union(*map(exported, INSTRUMENTS))
LABELS = {name.replace(".", "_") for each in INSTRUMENTS for name in each.labels}


def rules() -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml")
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return list(group["rules"])


def board() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / "grafana.json").read_text(encoding="utf-8"))
    return loaded


def queries() -> Iterator[str]:
    for panel in board()["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    yield from (rule["expr"] for rule in rules())


def test_every_query_is_one_of_prometheus() -> None:
    parser = pytest.importorskip("promql_parser")
    for query in queries():
        # What Grafana puts in before it asks.
        assert parser.parse(query.replace("$__rate_interval", "1m"))


def test_queries_name_only_metrics_and_labels_that_there_are() -> None:
    text = " ".join(queries())
    used = set(re.findall(r"\bdgspay_\w+", text))
    assert used <= NAMES | LABELS
    gauges = set[str]().union(*(exported(each) for each in INSTRUMENTS if each.kind is Kind.GAUGE))
    assert gauges <= used, "the board leaves out what is measured"


def test_queries_ask_for_states_and_outcomes_that_there_are() -> None:
    known = {each.value for each in (*Outcome, *State)}
    for name, texts in re.findall(
        r'(dgspay_outcome|dgspay_state)=~?"([^"]*)"', " ".join(queries())
    ):
        assert {*texts.split("|")} <= known, name


def test_six_alerts_say_what_happened_and_what_to_do() -> None:
    found = rules()
    assert len({rule["alert"] for rule in found}) == 6
    for rule in found:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["annotations"]["description"].endswith(".")


def test_the_panels_of_the_board_have_numbers_and_places_of_their_own() -> None:
    panels = board()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)

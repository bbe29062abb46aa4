"""The arithmetic of the benchmarks: spreads, verdicts, tables, the results file and the plot."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import calls, hot_path, svg
from benchmarks.calls import Sample, Samples
from benchmarks.report import Claim, Section, table, version, write
from benchmarks.rounds import Spread, ratios, seconds_per_call, take_turns


def test_a_spread_is_the_middle_and_the_outermost_rounds() -> None:
    assert Spread.of([3, 1, 2]) == Spread(2, 1, 3)
    assert Spread.of([1, 2, 3]).times(1000).show(0) == "2,000 (1,000 to 3,000)"
    many = Spread.of([1.0] * 98 + [0.0, 100.0])
    assert many == Spread(1, 1, 1)


def test_turns_are_taken_by_everybody_and_another_begins_each_round() -> None:
    order: list[str] = []

    def measure(name: str) -> int:
        order.append(name)
        return len(order)

    assert take_turns(["a", "b", "c"], 3, measure) == {
        "a": [1, 6, 8],
        "b": [2, 4, 9],
        "c": [3, 5, 7],
    }
    assert order == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]


def test_ratios_are_those_of_one_round() -> None:
    assert ratios([2, 9], [1, 3]) == [2, 3]
    with pytest.raises(ValueError, match="zip"):
        ratios([1], [1, 2])


def test_small_functions_are_built_once_and_called_as_often_as_asked() -> None:
    made: list[str] = []
    times = seconds_per_call({"a": lambda: lambda: made.append("a")}, rounds=3, calls=5)
    assert len(times["a"]) == 3
    assert len(made) == (1 + 3) * 5


@pytest.mark.parametrize(
    ("seen", "at_least", "verdict"),
    [
        (1.0, False, "held"),
        (2.0, False, "held"),
        (3.0, False, "missed by 50%"),
        (2.0, True, "held"),
        (3.0, True, "held"),
        (1.5, True, "missed by 25%"),
    ],
)
def test_a_claim_is_held_or_missed_by_so_much(seen: float, at_least: bool, verdict: str) -> None:
    claim = Claim(text="speed", seen=Spread(seen, 0, 9), target=2, at_least=at_least)
    assert claim.verdict == verdict
    assert claim.is_held is (verdict == "held")
    assert claim.row()[1] == f"at {'least' if at_least else 'most'} 2 times"


def test_a_table_has_even_columns() -> None:
    lines = table(("a", "long head"), [("long cell", "b")]).splitlines()
    assert [len(line) for line in lines] == [len(lines[0])] * 3
    assert lines[1].strip("|-") == ""


def test_a_peer_that_is_not_there_is_named() -> None:
    assert version("no-such-distribution") == "(not installed)"
    assert re.match(r"\d", version("attrs"))


def test_a_section_that_is_run_again_replaces_only_itself(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    order = ["calls", "paging", "imports"]
    for name, text in (("paging", "old"), ("calls", "first"), ("paging", "new")):
        section = Section(name=name, title=name, claims=[], text=text)
        write(results, {name: section.markdown("run it", "today")}, order)
    text = results.read_text(encoding="utf-8")
    assert text.index("first") < text.index("new")
    assert "old" not in text
    again = Section(name="calls", title="calls", claims=[], text="first")
    write(results, {"calls": again.markdown("run it", "today")}, order)
    assert results.read_text(encoding="utf-8") == text


# --- calls ------------------------------------------------------------------------------------


def samples(figures: dict[tuple[str, int], tuple[float, float]]) -> Samples:
    return Samples(
        {subject: [Sample(rate, cpu, 0.1)] * 3 for subject, (rate, cpu) in figures.items()}
    )


def verdicts(seen: Samples, concurrencies: tuple[int, ...]) -> dict[str, str]:
    return {claim.text: claim.verdict for claim in calls.claims(seen, concurrencies)}


def test_claims_hold_dgspay_against_its_peers() -> None:
    seen = samples(
        {
            ("dgspay on aiohttp", 1): (1000, 10e-6),
            ("dgspay on aiohttp", 32): (9000, 13e-6),
            ("dgspay on httpx", 1): (900, 40e-6),
            ("dgspay on httpx", 32): (2800, 44e-6),
            ("aiohttp", 32): (12000, 10e-6),
            ("httpx", 1): (800, 30e-6),
            ("httpx", 32): (1000, 90e-6),
            ("stripe, its default", 32): (1000, 80e-6),
            ("dgspay, blocking", 1): (500, 1e-3),
            ("httpx.Client", 1): (500, 1e-3),
        }
    )
    judged = verdicts(seen, (1, 32))
    assert sorted(judged.values()) == ["held"] * 4 + [
        "missed by 10%",
        "missed by 33%",
        "missed by 8%",
    ]
    (flat,) = (text for text in judged if text.startswith("dgspay on aiohttp: CPU"))
    assert judged[flat] == "missed by 8%"


def test_no_claim_is_made_about_a_missing_contestant() -> None:
    only_ours = samples({("dgspay on httpx", 1): (900, 40e-6), ("dgspay on httpx", 32): (9, 9e-6)})
    assert [*verdicts(only_ours, (1, 32)).values()] == ["held"]


def test_the_busiest_server_is_found() -> None:
    seen = Samples({("a", 1): [Sample(1, 1, 0.2)], ("b", 8): [Sample(1, 1, 0.4)]})
    assert seen.busiest_server() == (0.4, ("b", 8))


# --- the plot ---------------------------------------------------------------------------------


def test_the_plot_is_an_image_whose_labels_lie_apart() -> None:
    lines = [
        svg.Line(
            name=f"peer <{number}>", values=(100 + number, 200 + number / 10), colour=number % 3
        )
        for number in range(11)
    ]
    ours = svg.Line(name="ours", values=(50, 5000), colour=0, is_ours=True)
    text = svg.plot(
        "title & more", "at once", (1, 256), [svg.Panel(title="rate", lines=[*lines, ours])]
    )
    root = ET.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    labels = [
        float(label.attrib["y"])
        for label in root.iter(f"{space}text")
        if label.attrib["class"].startswith("label")
    ]
    assert len(labels) == 12
    assert all(below - above >= 16.9 for above, below in pairwise(sorted(labels)))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for label in root.iter(f"{space}text"):
        assert 0 <= float(label.attrib["x"]) <= width
        assert 0 <= float(label.attrib["y"]) <= height
    assert "prefers-color-scheme: dark" in text


# --- the profile ------------------------------------------------------------------------------


def test_time_counts_for_the_innermost_part_that_is_known() -> None:
    run = "main (/r/benchmarks/worker.py:9);make_calls (/r/benchmarks/worker.py:80)"
    sampled = [
        f"{run};send (/r/dgspay/transports/aiohttp.py:7);loads (/py/json/decoder.py:3) 3",
        f"{run};read (/r/dgspay/models/codec.py:7);loads (/py/json/decoder.py:3) 5",
        f"{run};select (/py/selectors.py:1) 2",
        "main (/r/benchmarks/worker.py:9);import (/r/dgspay/client.py:1) 99",
    ]
    shares = hot_path.shares(sampled)
    assert [*shares.values()] == [0.5, 0.3, 0.2]
    assert next(iter(shares)).endswith("(models)")

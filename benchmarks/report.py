"""What a run says: tables, claims held or missed, and RESULTS.md, one section per benchmark."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import attrs

from benchmarks.rounds import Spread

RESULTS = Path(__file__).with_name("RESULTS.md")

_HEAD = """\
# What the benchmarks saw

`python -m benchmarks` measures each claim of dgspay beside its peers, in the same run and in
turns, and writes this file; `--only calls` runs a part of it. A figure in brackets is the
spread over the rounds. Ratios are taken within a round. Durable payouts, orders and the
emulator have reports of their own: [payouts.md](payouts.md), [orders.md](orders.md),
[emulator.md](emulator.md).
"""


@attrs.frozen(kw_only=True)
class Claim:
    """A promise with a number in it, and what was seen.

    Attributes:
        text: What is promised.
        seen: The figure of this run.
        target: What it is held against.
        at_least: Whether the figure must reach the target; else it must not exceed it.
        unit: What the figure counts; a ratio by default.
    """

    text: str
    seen: Spread
    target: float
    at_least: bool = False
    unit: str = "times"

    @property
    def is_held(self) -> bool:
        """Whether the median keeps the promise."""
        reached = self.seen.median >= self.target
        return reached if self.at_least else self.seen.median <= self.target

    @property
    def verdict(self) -> str:
        """`held`, or by how much it is missed."""
        if self.is_held:
            return "held"
        return f"missed by {abs(self.seen.median / self.target - 1):.0%}"

    def row(self) -> tuple[str, str, str, str]:
        """Return it as a row: claim, target, seen, verdict."""
        bound = "at least" if self.at_least else "at most"
        digits = 2 if self.unit == "times" else 1
        verdict = self.verdict if self.is_held else f"**{self.verdict}**"
        return self.text, f"{bound} {self.target:g} {self.unit}", self.seen.show(digits), verdict


@attrs.frozen(kw_only=True)
class Section:
    """What one benchmark has to say.

    Attributes:
        name: As after `--only`.
        title: Its heading.
        claims: What it held dgspay to.
        text: Its tables and notes, in Markdown.
        peers: Distributions whose versions matter here.
    """

    name: str
    title: str
    claims: Sequence[Claim]
    text: str
    peers: Sequence[str] = ()

    def markdown(self, command: str, when: str) -> str:
        """Return the whole section, with how, when and on what it was run."""
        claims = ""
        if self.claims:
            head = ("claim", "target", "seen", "verdict")
            claims = table(head, (claim.row() for claim in self.claims)) + "\n\n"
        return (
            f"## {self.title}\n\n`{command}`, {when}, {machine()}"
            f"{''.join(f', {name} {version(name)}' for name in self.peers)}.\n\n"
            f"{claims}{self.text.strip()}\n"
        )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, its columns aligned so that a terminal can show it, too."""
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    shown = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    shown.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(shown)


def version(distribution: str) -> str:
    """Return the installed version of a peer, or that it is not there."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def machine() -> str:
    """Return what the figures were seen on."""
    processor = platform.machine()
    described = Path("/proc/cpuinfo")
    if described.exists() and (found := re.search(r"model name\s*: (.*)", described.read_text())):
        processor = " ".join(found[1].split())
    return (
        f"{processor}, {os.cpu_count()} cores, {platform.system()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def write(path: Path, sections: dict[str, str], order: Sequence[str]) -> None:
    """Write sections into the results; those that were not run stay as they are."""
    known = {**_read(path), **sections}
    parts = [f"<!-- {name} -->\n\n{known[name]}" for name in order if name in known]
    path.write_text("\n".join([_HEAD, *parts]), encoding="utf-8")


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    parts = re.split(
        r"^<!-- ([a-z-]+) -->\n\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    texts = (text.rstrip() + "\n" for text in parts[2::2])
    return dict(zip(parts[1::2], texts, strict=True))

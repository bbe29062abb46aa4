"""A small plot writer: lines over a logarithmic grid, named at their ends, light and dark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

import attrs

_WIDTH, _PANEL_HEIGHT = 980, 470
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 220, 58, 52
_LABEL_HEIGHT = 17.0

# Colours that keep apart on white and on black, also for most who see colours differently.
_STYLE = """
  svg { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; }
  .back { fill: #ffffff; } .text { fill: #1f2328; } .soft { fill: #59636e; }
  .grid { stroke: #d1d9e0; stroke-width: 1; } .title { font-size: 16px; font-weight: 600; }
  .line { fill: none; stroke-linejoin: round; stroke-linecap: round; }
  .leader { stroke-width: 1; opacity: .45; }
  .c0 { stroke: #bc4c00; --ink: #bc4c00; } .c1 { stroke: #0a7d4f; --ink: #0a7d4f; }
  .c2 { stroke: #0969da; --ink: #0969da; } .label { stroke: none; fill: var(--ink); }
  .dot { fill: var(--ink); stroke: none; } .ours { font-weight: 700; }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117; } .text { fill: #e6edf3; } .soft { fill: #9198a1; }
    .grid { stroke: #30363d; }
    .c0 { stroke: #ff9a4d; --ink: #ff9a4d; } .c1 { stroke: #3fd08c; --ink: #3fd08c; }
    .c2 { stroke: #6cb2ff; --ink: #6cb2ff; }
  }
"""


@attrs.frozen(kw_only=True)
class Line:
    """One line of a panel.

    Attributes:
        name: Written at its right end.
        values: One per place on the horizontal axis, all above zero.
        colour: 0, 1 or 2.
        dashes: As SVG's `stroke-dasharray`; none for a whole line.
        is_ours: Drawn thicker, its name bold.
    """

    name: str
    values: Sequence[float]
    colour: int
    dashes: str = ""
    is_ours: bool = False


@attrs.frozen(kw_only=True)
class Panel:
    """A grid with its lines.

    Attributes:
        title: What the vertical axis counts.
        lines: What is drawn.
    """

    title: str
    lines: Sequence[Line]


def plot(title: str, axis: str, places: Sequence[int], panels: Sequence[Panel]) -> str:
    """Return an SVG with one panel under the other.

    Args:
        title: Read to those who do not see it.
        axis: What the horizontal axis counts.
        places: Its places, drawn a logarithm apart.
        panels: From top to bottom.
    """
    height = _PANEL_HEIGHT * len(panels)
    drawn = "".join(
        f'<g transform="translate(0 {_PANEL_HEIGHT * index})">{_panel(panel, axis, places)}</g>\n'
        for index, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="back" width="{_WIDTH}" height="{height}"/>\n{drawn}</svg>\n'
    )


def _panel(panel: Panel, axis: str, places: Sequence[int]) -> str:
    across = _Scale(places, _LEFT, _WIDTH - _RIGHT)
    values = [value for line in panel.lines for value in line.values]
    low, high = min(values) / 1.15, max(values) * 1.15
    up = _Scale((low, high), _PANEL_HEIGHT - _BOTTOM, _TOP)
    parts = [_text(_LEFT, _TOP - 24, panel.title, "text title")]
    parts += [_grid(across.at(place), None, f"{place}", _TOP) for place in places]
    parts += [_grid(None, up.at(tick), f"{tick:,}", _TOP) for tick in _ticks(low, high)]
    parts.append(_text(_LEFT, _PANEL_HEIGHT - 12, axis, "soft"))
    ends = _apart({line.name: up.at(line.values[-1]) for line in panel.lines})
    # Ours last, above the others.
    for line in sorted(panel.lines, key=lambda line: line.is_ours):
        parts.append(_drawn(line, places, across, up, ends[line.name]))
    return "\n".join(parts)


class _Scale:
    """From values to pixels, by logarithms."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self._low, self._high = math.log(min(values)), math.log(max(values))
        self._start, self._end = start, end

    def at(self, value: float) -> float:
        share = (math.log(value) - self._low) / (self._high - self._low or 1.0)
        return self._start + share * (self._end - self._start)


def _ticks(low: float, high: float) -> Iterable[int]:
    """Return 1, 2 and 5 times the powers of ten between two values."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (factor * 10**power for power in powers for factor in (1, 2, 5) if power >= 0)
    return [step for step in steps if low <= step <= high]


def _apart(wanted: Mapping[str, float]) -> dict[str, float]:
    """Move labels so that none lies on another, each as near to its line as that allows."""
    order = sorted(wanted, key=wanted.__getitem__)
    at: dict[str, float] = {}
    for name in order:  # each below the one before
        above = max(at.values(), default=-math.inf)
        at[name] = max(wanted[name], above + _LABEL_HEIGHT)
    floor = float(_PANEL_HEIGHT - _BOTTOM)
    for name in reversed(order):  # and none below the grid
        at[name] = min(at[name], floor)
        floor = at[name] - _LABEL_HEIGHT
    return at


def _grid(x: float | None, y: float | None, label: str, top: int) -> str:
    right, bottom = _WIDTH - _RIGHT, _PANEL_HEIGHT - _BOTTOM
    if x is not None:
        return f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>' + _text(
            x, bottom + 19, label, "soft", "middle"
        )
    assert y is not None
    return f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>' + _text(
        _LEFT - 9, y + 4, label, "soft", "end"
    )


def _drawn(line: Line, places: Sequence[int], across: _Scale, up: _Scale, label_at: float) -> str:
    points = [
        (across.at(place), up.at(value)) for place, value in zip(places, line.values, strict=True)
    ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    end_x, end_y = points[-1]
    width, dashes = (3.2, "") if line.is_ours else (1.7, f' stroke-dasharray="{line.dashes}"')
    dots = "".join(
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{width}"/>' for x, y in points
    )
    return (
        f'<g class="c{line.colour}"><polyline class="line" stroke-width="{width}"'
        f'{dashes if line.dashes else ""} points="{path}"/>{dots}'
        f'<line class="leader" x1="{end_x + 4:.1f}" y1="{end_y:.1f}" '
        f'x2="{end_x + 16:.1f}" y2="{label_at:.1f}"/>'
        + _text(end_x + 20, label_at + 4, line.name, "label ours" if line.is_ours else "label")
        + "</g>"
    )


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )

"""Layout of the demo: numbered steps of plain sentences, with the Python that did each."""

from __future__ import annotations

import inspect
import linecache
import textwrap
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from decimal import Decimal

from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from dgspay.cli.terminal import console, figure, speaks_unicode, visible

WIDTH = 78
# What a sentence may begin with: in ASCII, for a terminal without Unicode, and in which colour.
_MARKS = {"✓": ("+", "green"), "✗": ("x", "red"), "?": ("?", "magenta")}
_INDENT = " " * 4

Row = tuple[str, Decimal, Decimal | None, Decimal]
"""A line of the wallet's statement in RWF: what it is, its amount, the fee, what it changed."""


class Narrator:
    """Printer of the demo's steps on stdout: no box where a line of text will do."""

    def __init__(self) -> None:
        self._console = console(width=min(console().width, WIDTH))
        self._steps = 0

    def title(self, headline: str) -> None:
        """Begin a part."""
        self._console.print()
        title = Text(headline, "bold")
        on_terminal = self._console.is_terminal
        self._console.print(Rule(title, align="left", style="dim") if on_terminal else title)

    def step(self, headline: str) -> None:
        """Begin the next step."""
        self._steps += 1
        self._console.print()
        self._console.print(Text.assemble((f"{self._steps:>2}  ", "cyan"), (headline, "bold")))

    def code(self, line: str | None = None) -> None:
        """Print a line of Python; without one, the line after the call, as it stands there."""
        caller = inspect.stack(0)[1]
        after = linecache.getline(caller.filename, caller.lineno + 1, caller.frame.f_globals)
        self._print(Text.assemble(_INDENT, (">>> ", "dim"), (line or after.strip(), "cyan")))

    def say(self, sentence: str) -> None:
        """Print a sentence, which may begin with a mark: ✓, ✗ or ?."""
        mark = sentence[0]
        ascii_mark, colour = _MARKS.get(mark, (mark, ""))
        wrapped = textwrap.fill(
            visible(sentence),
            self._console.width,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT + ("  " if colour else ""),
            break_long_words=False,
            break_on_hyphens=False,
        )
        text = Text(wrapped if speaks_unicode() else wrapped.replace(mark, ascii_mark, 1))
        if colour:
            text.stylize(f"bold {colour}", len(_INDENT), len(_INDENT) + 1)
        self._print(text)

    def waiting(self, what: str) -> AbstractContextManager[object]:
        """Show on a terminal that something is waited for."""
        if not self._console.is_terminal:
            return nullcontext()
        return self._console.status(Text(what, "dim"), spinner="dots", spinner_style="dim")

    def statement(self, before: Decimal, rows: Iterable[Row], after: Decimal) -> None:
        """Show how the wallet came from one balance to the other, line by line."""
        table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
        table.add_column("RWF")
        for heading in ("amount", "fee", "wallet"):
            table.add_column(heading, justify="right")
        table.add_row("Before", "", "", figure(before), style="bold")
        for what, amount, fee, change in rows:
            sign, style = ("+", "green") if change > 0 else ("", "" if change else "dim")
            shown = Text(f"{sign}{figure(change)}", style)
            table.add_row(what, figure(amount), "" if fee is None else figure(fee), shown)
        table.add_row("", "", "", "-" * len(figure(after)), style="dim")
        table.add_row("After", "", "", figure(after), style="bold")
        self._console.print(Padding(table, (1, 0, 1, len(_INDENT))))

    def command(self, line: str) -> None:
        """Print a command of the shell."""
        self._print(Text(f"{_INDENT}  {line}", "cyan"))

    def _print(self, text: Text) -> None:
        # Wrapped already where it may be: a URL or a line of code stays in one piece.
        self._console.print(text, soft_wrap=True)

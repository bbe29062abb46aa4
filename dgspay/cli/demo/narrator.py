"""Layout of the demo: numbered steps of plain sentences, with the Python that did each."""

from __future__ import annotations

import textwrap
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from decimal import Decimal

import attrs
from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from dgspay.cli.terminal import console, figure, speaks_unicode, visible

WIDTH = 78
_INDENT = 4


@attrs.frozen
class Entry:
    """A line of the wallet's statement.

    Attributes:
        what: In words.
        amount: What was asked for, in RWF.
        fee: What DGS-Pay kept, in RWF; None where none was taken from the wallet.
        change: What the wallet gained or lost, in RWF.
    """

    what: str
    amount: Decimal
    fee: Decimal | None
    change: Decimal


class Narrator:
    """Printer of the demo's steps on stdout: no box where a line of text will do."""

    def __init__(self) -> None:
        width = min(console().width, WIDTH)
        self._console: Console = console(width=width)
        self._steps = 0
        self._marks = ("✓", "✗", "?") if speaks_unicode() else ("+", "x", "?")

    def title(self, headline: str, *sentences: str) -> None:
        """Open the story."""
        self._headline(headline)
        for sentence in sentences:
            self._say(sentence)

    def _headline(self, text: str) -> None:
        self._console.print()
        if self._console.is_terminal:
            self._console.print(Rule(Text(text, "bold"), align="left", style="dim"))
        else:
            self._console.print(text)

    def step(self, headline: str) -> None:
        """Begin the next step."""
        self._steps += 1
        self._console.print()
        self._console.print(Text.assemble((f"{self._steps:>2}  ", "cyan"), (headline, "bold")))

    def code(self, line: str) -> None:
        """Show the line of Python that does it."""
        self._line(Text.assemble(" " * _INDENT, (">>> ", "dim"), (line, "cyan")))

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        self._say(visible(sentence))

    def good(self, sentence: str) -> None:
        """Print a success."""
        self._say(visible(sentence), self._marks[0], "green")

    def declined(self, sentence: str) -> None:
        """Print a decline, which is an answer like any other."""
        self._say(visible(sentence), self._marks[1], "red")

    def unknown(self, sentence: str) -> None:
        """Print what is not known yet."""
        self._say(visible(sentence), self._marks[2], "magenta")

    @contextmanager
    def waiting(self, what: str) -> Generator[None]:
        """Show that something is waited for, on a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(Text(what, "dim"), spinner="dots", spinner_style="dim"):
            yield

    def statement(self, before: Decimal, entries: Iterable[Entry], after: Decimal) -> None:
        """Show how the wallet came from one balance to the other, line by line."""
        table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
        table.add_column("RWF")
        for heading in ("amount", "fee", "wallet"):
            table.add_column(heading, justify="right")
        table.add_row("Before", "", "", figure(before), style="bold")
        for entry in entries:
            fee = "" if entry.fee is None else figure(entry.fee)
            change = _signed(entry.change)
            style = "green" if entry.change > 0 else ("" if entry.change else "dim")
            table.add_row(visible(entry.what), figure(entry.amount), fee, Text(change, style))
        table.add_row("", "", "", "-" * len(figure(after)), style="dim")
        table.add_row("After", "", "", figure(after), style="bold")
        self._console.print(Padding(table, (1, 0, 1, _INDENT)))

    def closing(self, headline: str, advice: Iterable[tuple[str, str]]) -> None:
        """End the story with what to do next: each a sentence and a command."""
        self._headline(headline)
        for sentence, command in advice:
            self._say(sentence)
            self._line(Text.assemble(" " * (_INDENT + 2), (command, "cyan")))
        self._console.print()

    def _say(self, sentence: str, mark: str = "", style: str = "") -> None:
        """Print a sentence under the step, wrapped, after a mark or without one."""
        hanging = " " * (_INDENT + (2 if mark else 0))
        first, *rest = textwrap.wrap(
            sentence,
            self._console.width - len(hanging),
            break_long_words=False,
            break_on_hyphens=False,
        )
        marked = (f"{mark} ", f"bold {style}") if mark else ""
        self._line(Text.assemble(" " * _INDENT, marked, first))
        for line in rest:
            self._line(Text(hanging + line))

    def _line(self, text: Text) -> None:
        # Wrapped already where it may be: a URL or a line of code stays in one piece.
        self._console.print(text, soft_wrap=True)


def _signed(change: Decimal) -> str:
    return f"+{figure(change)}" if change > 0 else figure(change)

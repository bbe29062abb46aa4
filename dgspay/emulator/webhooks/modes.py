"""Modes in which webhooks are delivered wrongly: late, lost, twice, badly signed, reordered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from dgspay.forks import new_lock

MODES: Final[Mapping[str, str]] = {
    "delay": "Deliver late",
    "drop": "Do not deliver",
    "duplicate": "Deliver twice",
    "wrong_signature": "Sign wrongly",
    "reorder": "Deliver in reverse order",
}


@attrs.define(eq=False)
class Mode:
    """A mode that waits for the next webhooks.

    Attributes:
        kind: One of `MODES`.
        remaining: How many webhooks it is still for.
        seconds: How late, for `delay`.
    """

    kind: str
    remaining: int
    seconds: float = 0.0


@attrs.frozen
class Treatment:
    """Treatment of one webhook."""

    delay: float = 0.0
    drop: bool = False
    duplicate: bool = False
    wrong_signature: bool = False
    reorder: Mode | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """Description for people."""
        said = {
            f"{self.delay:g} s late": bool(self.delay),
            "not delivered": self.drop,
            "twice": self.duplicate,
            "signed wrongly": self.wrong_signature,
            "out of order": self.reorder is not None,
        }
        return tuple(words for words, is_so in said.items() if is_so)


class DeliveryModes:
    """Modes that wait; of each kind one is used per webhook."""

    def __init__(self) -> None:
        self._modes: list[Mode] = []
        self._lock = new_lock()

    @property
    def standing(self) -> Sequence[Mode]:
        """Modes still to come, in order."""
        return tuple(self._modes)

    def add(self, kind: str, *, times: int = 1, seconds: float = 0.0) -> None:
        """Add a mode for the next webhooks.

        Raises:
            ValueError: for a kind that is not known, `times` below 1, `reorder` below 2, or
                seconds below 0.
        """
        if kind not in MODES:
            raise ValueError(f"{kind!r} is no way to deliver; one of: {', '.join(MODES)}")
        least = 2 if kind == "reorder" else 1
        if isinstance(times, bool) or not isinstance(times, int) or times < least:
            raise ValueError(f"times must be at least {least}")
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds >= 0:
            raise ValueError("seconds must be 0 or more")
        with self._lock:
            self._modes.append(Mode(kind, times, float(seconds)))

    def plan(self, entry: Mapping[str, Any]) -> None:
        """Add a mode that comes as plain values: `mode`, `times`, `seconds`.

        Raises:
            ValueError: when one of them is wrong or not known.
        """
        unknown = set(entry) - {"mode", "times", "seconds"}
        if unknown:
            raise ValueError(f"a webhook mode does not take: {', '.join(sorted(unknown))}")
        times, seconds = entry.get("times"), entry.get("seconds", 0.0)
        kind = str(entry.get("mode"))
        self.add(
            kind, times=(2 if kind == "reorder" else 1) if times is None else times, seconds=seconds
        )

    def treat(self) -> Treatment:
        """Return the treatment of the next webhook."""
        if not self._modes:
            return Treatment()
        with self._lock:
            taken: dict[str, Mode] = {}
            for mode in tuple(self._modes):
                if mode.kind not in taken:
                    taken[mode.kind] = mode
                    mode.remaining -= 1
                    if mode.remaining == 0:
                        self._modes.remove(mode)
        delay = taken.get("delay")
        return Treatment(
            delay=delay.seconds if delay else 0.0,
            drop="drop" in taken,
            duplicate="duplicate" in taken,
            wrong_signature="wrong_signature" in taken,
            reorder=taken.get("reorder"),
        )

    def recall(self, modes: Iterable[Mode]) -> None:
        """Restore the modes of an earlier moment."""
        with self._lock:
            self._modes = list(modes)

    def clear(self) -> None:
        """Remove every mode."""
        with self._lock:
            self._modes.clear()

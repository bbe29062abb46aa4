"""Raise at every step at which CPython would call the handler of a signal, one after the other."""

from __future__ import annotations

import sys
from types import FrameType


class Interrupted(Exception):  # noqa: N818 - as Celery's SoftTimeLimitExceeded is no Error by name
    """What the handler raises."""


class Interrupter:
    """Interrupts the Nth step: where a Python function begins, or where one of C has ended.

    Args:
        step: Which, counted from 1.
        within: A part of the names of the files whose steps are counted.

    Attributes:
        left: The steps to go; above zero at the end, nothing was interrupted.
    """

    def __init__(self, step: int, within: str) -> None:
        self.left = step
        self._within = within

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event in ("call", "c_return") and self._within in frame.f_code.co_filename:
            self.left -= 1
            if self.left == 0:
                sys.setprofile(None)
                raise Interrupted

    def __enter__(self) -> None:
        sys.setprofile(self)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

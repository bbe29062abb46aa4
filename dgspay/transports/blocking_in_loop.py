"""The blocking client in asynchronous code, where it holds up everything else."""

from __future__ import annotations

import sys
import warnings

from dgspay.errors import Outcome, note_outcome
from dgspay.event_loops import is_in_loop

_BLOCKING = (
    "DGSPay blocks the event loop that it is called in, and all else in the program waits: use "
    "AsyncDGSPay with await, or make the call in a thread, with asyncio.to_thread say"
)


def warn_in_loop(transport: object) -> None:
    """Warn where a transport that waits on sockets is about to do so in an event loop.

    In a notebook, whose cells run in one, that is how it is used.

    Raises:
        RuntimeWarning: the program turns warnings into errors; nothing was sent.
    """
    if not getattr(transport, "waits_on_sockets", False) or not is_in_loop():
        return
    if "ipykernel" in sys.modules:
        return
    level, frame = 1, sys._getframe(1)  # noqa: SLF001 - whose line the warning is about
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("dgspay."):
        level, frame = level + 1, frame.f_back
    try:
        warnings.warn(_BLOCKING, RuntimeWarning, stacklevel=level + 1)
    except RuntimeWarning as error:
        note_outcome(error, Outcome.NOT_SENT)
        raise

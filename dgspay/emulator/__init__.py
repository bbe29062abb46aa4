"""A local DGS-Pay: the whole API on this machine, without an account and without a network.

::

    from dgspay.emulator import Emulator

    with Emulator() as emulator, emulator.serve() as server:
        print(server.url)  # http://127.0.0.1:49152/generation/v2

It needs the extra: `pip install 'dgspay[emulator]'`.
"""

from __future__ import annotations

import importlib.util

if any(importlib.util.find_spec(name) is None for name in ("starlette", "uvicorn", "jinja2")):
    raise ImportError(
        "the emulator needs starlette, uvicorn and jinja2: pip install 'dgspay[emulator]'"
    )

from dgspay.emulator.clock import EmulatorClock, SystemClock, VirtualClock
from dgspay.emulator.domain.payment_links import LinkNotPayableError
from dgspay.emulator.emulator import Emulator
from dgspay.emulator.merchant import Merchant
from dgspay.emulator.server.serve import Served
from dgspay.emulator.state import Snapshot

__all__ = [
    "Emulator",
    "EmulatorClock",
    "LinkNotPayableError",
    "Merchant",
    "Served",
    "Snapshot",
    "SystemClock",
    "VirtualClock",
]

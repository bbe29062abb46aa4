"""Faults from a TOML file, so that a team injects the same ones.

::

    [[faults]]
    route = "POST /disburse"
    fault = "lose_answer"
    probability = 0.1

    [[webhooks]]
    mode = "duplicate"
    times = 3
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dgspay.emulator.faults.plan import Faults
from dgspay.emulator.webhooks.modes import DeliveryModes


def load_faults(path: str | Path, faults: Faults, delivery_modes: DeliveryModes) -> None:
    """Add everything a TOML file asks for.

    Raises:
        ValueError: when the file is not TOML, or asks for something that is not known; the
            message names the file and the place in it.
        OSError: when it cannot be read.
    """
    path = Path(path)
    try:
        plan = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is not TOML: {error}") from None
    unknown = set(plan) - {"faults", "webhooks"}
    if unknown:
        raise ValueError(f"{path.name}: {', '.join(sorted(unknown))} is not faults or webhooks")
    for name, add in (("faults", faults.plan), ("webhooks", delivery_modes.plan)):
        for place, entry in enumerate(_tables(path, plan, name), start=1):
            try:
                add(entry)
            except ValueError as error:
                raise ValueError(f"{path.name}, [[{name}]] number {place}: {error}") from None


def _tables(path: Path, plan: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    tables = plan.get(name, [])
    if isinstance(tables, list) and all(isinstance(table, dict) for table in tables):
        return tables
    raise ValueError(f"{path.name}: {name} must be written as [[{name}]] tables")

"""Names of a package that are loaded when they are first used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any


def attach(
    package: str, homes: Mapping[str, str], *, modules: Collection[str] = ()
) -> Callable[[str], Any]:
    """Return a package's `__getattr__`.

    Args:
        package: Its `__name__`.
        homes: For each module within it, the names it defines, separated by spaces.
        modules: Modules within it that are names themselves.
    """
    home_of = {name: module for module, names in homes.items() for name in names.split()}

    def load(name: str) -> Any:
        if name in modules:
            return _imported(f"{package}.{name}")
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(imported_for(name, f"{package}.{home_of[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load


_EXTRAS = {"psycopg": "postgres", "pgqueuer": "postgres"}
"""Libraries that are not always installed, and the extra that each comes with."""


def imported_for(user: str, name: str) -> Any:
    """Import a module, and return it.

    Args:
        user: The public name that needs it.
        name: Its name.

    Raises:
        ImportError: naming the extra to install.
    """
    try:
        return _imported(name)
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in _EXTRAS:
            raise
    raise ImportError(f"{user} needs {library}: pip install 'dgspay[{_EXTRAS[library]}]'")


def _imported(name: str) -> Any:
    from dgspay.forks import undivided  # noqa: PLC0415 - `import dgspay` alone needs none of it

    with undivided:
        return importlib.import_module(name)

"""Builds the reference from the docstrings: `python docs/make.py [FOLDER]`."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path
from typing import get_type_hints

import pdoc

import dgspay

# What a reader of the reference comes for, beside the modules that `dgspay` itself names.
MODULES = (
    "dgspay",
    "dgspay.client",
    "dgspay.api",
    "dgspay.models",
    "dgspay.core",
    "dgspay.transports",
    "dgspay.otel",
    "dgspay.metrics",
    "dgspay.emulator",
    "dgspay.testing",
)


def load(name: str) -> None:
    """Import a module with all below it, and every public name it would load lazily."""
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        getattr(module, public)
    if name == "dgspay":
        return
    for below in pkgutil.iter_modules(getattr(module, "__path__", ())):
        importlib.import_module(f"{name}.{below.name}")


def resolve_named_tuples() -> None:
    """Give named tuples types for names: pdoc does not look for these where the class is."""
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] != "dgspay":
            continue
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, tuple) and hasattr(value, "_fields"):
                value.__new__.__annotations__ = get_type_hints(value)


def main(folder: str = "site") -> None:
    """Write the pages."""
    for name in (*MODULES, "dgspay.webhooks"):
        load(name)
    resolve_named_tuples()
    pdoc.render.configure(
        docformat="google",
        footer_text=f"dgspay {dgspay.__version__}",
        search=True,
    )
    pdoc.pdoc(*MODULES, output_directory=Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])

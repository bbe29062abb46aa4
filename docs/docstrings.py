"""Shows autodoc the docstrings of the code as it understands them, and what is bound to a class."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config, GoogleDocstring

from dgspay import checkout, payouts, resources
from dgspay.descriptors import AsyncResource, Resource

GOOGLE: Final = Config(napoleon_use_ivar=True, napoleon_use_rtype=False)
SECTION: Final = re.compile(r"(Args|Attributes|Raises|Returns|Yields|Example|Examples|Note):$")
ITEM: Final = re.compile(r"\s*(-|\d+\.) ")


def as_restructured_text(lines: Sequence[str]) -> Iterator[str]:
    """Yield lines with a mark before indented code, and a blank line before each list."""
    section = literal = item = False
    before = last = ""
    for line in lines:
        if line.strip():
            indented = line.startswith("    ")
            if not line.startswith(" "):
                section, literal = bool(SECTION.match(line)), False
                item = bool(ITEM.match(line)) or (item and bool(before))
            if ITEM.match(line) and not literal and before and not ITEM.match(before):
                if not item or not before.startswith(" "):
                    yield ""
                item = True
            if indented and not (section or literal or item or before):
                literal = True
                if not last.endswith("::"):
                    yield "::"
                    yield ""
            last = line
        before = line if line.strip() else ""
        yield line


def read(  # noqa: PLR0917 - Sphinx calls it
    app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Turn a docstring in Google's form, with Markdown's lists and code, into Sphinx's."""
    del app, options, name
    # A colon in the first line of an attribute's docstring does not end the name of a type.
    kind = "object" if what in ("attribute", "data", "property") else what
    lines[:] = GoogleDocstring(list(as_restructured_text(lines)), GOOGLE, what=kind).lines()
    if what == "data" and not lines:
        lines.append(repr(value))


def show_bound(owner: type) -> None:
    """Replace what binds a call to a class by the method that an instance has."""
    for name, binding in list(vars(owner).items()):
        if callable(binding) or not hasattr(binding, "__wrapped__"):
            continue
        of_a_client = issubclass(owner, (AsyncResource, Resource))
        instance = owner(None) if of_a_client else object.__new__(owner)
        method = binding.__get__(instance, owner)
        signature = inspect.signature(method)
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        method.__signature__ = signature.replace(parameters=[own, *signature.parameters.values()])
        setattr(owner, name, method)


def show_all_bound(app: Sphinx) -> None:
    """Do so for every class that is put together from calls."""
    del app
    for owner in (
        checkout.AsyncCheckout,
        checkout.Checkout,
        payouts.Payouts,
        *(getattr(resources, name) for name in resources.__all__),
    ):
        show_bound(owner)


def setup(app: Sphinx) -> dict[str, bool]:
    """Hook into autodoc."""
    app.connect("builder-inited", show_all_bound)
    app.connect("autodoc-process-docstring", read)
    return {"parallel_read_safe": True}

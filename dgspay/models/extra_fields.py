"""Fields of the models: how they are shown, and which of them may be odd without costing an answer.

A date, a description or a fee in a shape the guide does not give it (PHP writes `""`, `[]` and
`0000-00-00` where it has nothing) says nothing of the money. Such a field is *incidental*: in an
odd shape it is None, and what came stays in `extra` under its name. What decides, amounts,
currencies, statuses and references, is read strictly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from dgspay.models.validators import is_link_for_payers, is_web_url
from dgspay.secret import masked, masked_text

_INCIDENTAL = "dgspay incidental"


def masked_repr(extra: Mapping[str, Any] | None) -> str:
    """Show the fields with whatever looks like a secret masked."""
    return repr(extra if extra is None else masked(dict(extra)))


def shown_text(text: object) -> str:
    """Show a text of the server's with whatever looks like a secret masked."""
    return repr(masked_text(text) if type(text) is str else text)


def shown(_: type, fields: list[Any]) -> list[Any]:
    """Show every text of a model by `shown_text`: the `field_transformer` of all models.

    Args:
        fields: The `attrs.Attribute`s of the class.
    """
    return [
        field.evolve(repr=shown_text) if field.repr is True and "str" in str(field.type) else field
        for field in fields
    ]


def extra_fields() -> Any:
    """Return the attrs field of a model's `extra`: a mapping, empty by default."""
    return attrs.field(factory=dict, hash=False, repr=masked_repr)


def incidental(default: Any = None) -> Any:
    """Return the attrs field of something that decides nothing; see above."""
    return attrs.field(default=default, metadata={_INCIDENTAL: None})


def incidental_mapping() -> Any:
    """Return the attrs field of an object that may hold anything."""
    return attrs.field(default=None, hash=False, repr=masked_repr, metadata={_INCIDENTAL: None})


def link_for_payers() -> Any:
    """Return the attrs field of a URL that payers are sent to, where it is one for them."""
    return attrs.field(default=None, metadata={_INCIDENTAL: is_link_for_payers})


def web_link() -> Any:
    """Return the attrs field of another URL, where it is an http or https one."""
    return attrs.field(default=None, metadata={_INCIDENTAL: is_web_url})


def incidental_fields(cls: Any) -> dict[str, Any]:
    """Return the incidental fields of a model, each with a further check of its value, or None."""
    return {
        field.name: field.metadata[_INCIDENTAL]
        for field in attrs.fields(cls)
        if _INCIDENTAL in field.metadata
    }

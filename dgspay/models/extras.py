"""What a model keeps of the fields it does not know, shown with secrets masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from dgspay.secret import masked


def masked_repr(extra: Mapping[str, Any]) -> str:
    """Show the fields with whatever looks like a secret masked."""
    return repr(masked(dict(extra)))


def extra_fields() -> Any:
    """Return the attrs field of a model's `extra`: a mapping, empty by default."""
    return attrs.field(factory=dict, repr=masked_repr)

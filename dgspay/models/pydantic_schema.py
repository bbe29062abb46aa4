"""Schemas for pydantic: how a model is checked and written, and its JSON schema.

Only `dgspay.models.results` loads this, when a program that has pydantic asks for it.
"""

from __future__ import annotations

import functools
import inspect
import re
import types
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Union, get_args, get_origin

import attrs
from pydantic import Field
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypedDict

from dgspay.models.enums import OpenEnum

# An entry of a docstring's "Attributes:", its further lines included.
_ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)


def core_schema_of(cls: Any, handler: Callable[[Any], CoreSchema]) -> CoreSchema:
    """Return the schema of a model: an instance or its plain values in, plain values out.

    Args:
        cls: A class of `dgspay.models.results.Result`.
        handler: Returns the schema of any other type.
    """
    shape = handler(_shape_of(cls))

    def checked(value: Any) -> Any:
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):  # pydantic takes no TypeError for the input's fault
            raise ValueError(f"a {cls.__name__} or its plain values were expected")  # noqa: TRY004
        return cls.from_dict(value)

    return core_schema.no_info_plain_validator_function(
        checked,
        json_schema_input_schema=shape,
        serialization=core_schema.plain_serializer_function_ser_schema(
            cls.to_dict, return_schema=shape
        ),
    )


@functools.cache
def _shape_of(cls: Any) -> Any:
    """Return what `to_dict` gives, as a typed dictionary with the docstring of the model."""
    attrs.resolve_types(cls)
    meanings = _meanings_of_attributes(cls)
    typed_dict: Any = TypedDict  # to type checkers, it takes no names made at run time
    shape = typed_dict(
        cls.__name__,
        {
            field.name: Annotated[
                _written_kind(field.type), Field(description=meanings.get(field.name))
            ]
            for field in attrs.fields(cls)
        },
    )
    shape.__module__ = cls.__module__
    shape.__doc__ = (inspect.getdoc(cls) or "").partition("\nAttributes:")[0].strip()
    return shape


def _meanings_of_attributes(cls: Any) -> dict[str, str]:
    meanings: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        entries = _ATTRIBUTE.findall(inspect.cleandoc(base.__doc__ or ""))
        meanings |= {name: " ".join(meaning.split()) for name, meaning in entries}
    return meanings


def _written_kind(kind: Any) -> Any:
    """Return the type of what a value of this type is written as."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        written: Any = Union[tuple(_written_kind(one) for one in inner)]  # noqa: UP007 - of a tuple
    elif origin is tuple:
        written = list[_written_kind(inner[0])]  # type: ignore[misc]
    elif origin in (dict, Mapping):
        written = dict[str, Any]
    elif attrs.has(kind):
        written = _shape_of(kind)
    elif kind is Decimal:
        written = Annotated[str, Field(examples=["94.50"])]
    elif kind is datetime:
        written = Annotated[str, Field(examples=["2026-11-01T08:00:00"])]
    elif isinstance(kind, type) and issubclass(kind, OpenEnum):
        written = Annotated[str, Field(examples=[str(word) for word in kind])]
    else:
        written = kind
    return written

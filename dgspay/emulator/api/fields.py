"""Fields of a request's body, each declared once: how it is checked and how it is described.

A handler reads a field with `call.fields[AMOUNT]`; the forms of its route list the same fields for
the OpenAPI document. What is wrong is rejected with code 90 and the field's name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Generic, TypeVar

import attrs

from dgspay.emulator.http import invalid

JSONSchema = dict[str, Any]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@attrs.frozen
class Field(Generic[T_co]):
    """A member of a JSON object.

    Attributes:
        name: As on the wire.
        check: Turns a value into what the handler works with, or rejects it; it is given the name
            that messages show, such as `recipient.bank_key`.
        schema: JSON Schema of the values it takes.
        example: A value to show; None for a field that examples leave out.
        required: Whether it must be there. null counts as missing, and so does blank text.
    """

    name: str
    check: Callable[[Any, str], T_co]
    schema: JSONSchema
    example: Any = None
    required: bool = True

    def is_missing(self, value: object) -> bool:
        """Return whether it is required and this value counts as none."""
        if not self.required:
            return False
        blank = isinstance(value, str) and self.schema["type"] == "string" and not value.strip()
        return value is None or blank

    def described(self) -> JSONSchema:
        """Return the JSON Schema of the member, with what counts as missing."""
        schema = self.schema
        if self.example is not None:
            schema = {**schema, "examples": [self.example]}
        if not self.required and schema["type"] != "null":
            return {**schema, "type": [schema["type"], "null"]}
        return {"pattern": r"\S", **schema} if schema["type"] == "string" else schema


class Fields:
    """The members of a JSON object, read by their declarations; others are ignored."""

    def __init__(self, members: Mapping[str, Any], prefix: str = "") -> None:
        self._members = members
        self._prefix = prefix

    def __contains__(self, field: Field[Any]) -> bool:
        return field.name in self._members

    def __getitem__(self, field: Field[T]) -> T:
        """Return the value of a field.

        Raises:
            RefusedError: it is missing or wrong.
        """
        name = f"{self._prefix}{field.name}"
        value = self._members.get(field.name)
        if field.is_missing(value):
            raise invalid(f"{name} is required")
        return field.check(value, name)

    def over(self, members: Mapping[str, Any]) -> Fields:
        """Return these fields laid over others: what is not here is taken from there."""
        return Fields({**members, **self._members}, self._prefix)


@attrs.frozen
class Form:
    """One form of a request's body.

    Attributes:
        name: Its name in the OpenAPI document, such as `mobile_money`.
        fields: Every field that is read.
        example: A body; without one, the fields' own examples.
        partial: Whether each of them may be left out, as in an update.
    """

    name: str
    fields: tuple[Field[Any], ...]
    example: Mapping[str, Any] = attrs.Factory(
        lambda form: example_of(form.fields), takes_self=True
    )
    partial: bool = attrs.field(default=False, kw_only=True)

    def schema(self) -> JSONSchema:
        """Return its JSON Schema."""
        return object_schema(self.fields, partial=self.partial)


def object_schema(fields: Collection[Field[Any]], *, partial: bool = False) -> JSONSchema:
    """Return the JSON Schema of an object; fields that are not listed are ignored."""
    properties = {field.name: field.described() for field in fields}
    required = [] if partial else [field.name for field in fields if field.required]
    schema: JSONSchema = {"type": "object", "properties": properties}
    return {**schema, "required": required} if required else schema


def example_of(fields: Collection[Field[Any]]) -> dict[str, Any]:
    """Return an object with the example of each field that has one."""
    return {field.name: field.example for field in fields if field.example is not None}

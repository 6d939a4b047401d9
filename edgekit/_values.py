"""Values of TOML tables against the fields of the dataclasses that hold them.

Every refusal is one line that names file, table and key, and a hint that says what to write.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from edgekit._discover import did_you_mean
from edgekit.errors import UsageError

T = TypeVar("T")
NONE = "none"
"""TOML has no null: this word takes back an optional number that a file sets."""
_NAMES = {int: "an integer", float: "a number", bool: "true or false", str: "a string"}


def changed(table: T, values: Mapping[str, Any], where: str) -> T:
    """A copy of the dataclass `table` with new `values`, each checked against its field.

    A field's metadata may hold `least` and `most`: the range of its number.

    Args:
        table: An instance of a dataclass with type hints that `checked` knows.
        values: By the fields' names.
        where: The file and table, for messages.

    Raises:
        UsageError: An unknown key, a wrong type, a value out of range; names the key.
    """
    assert dataclasses.is_dataclass(table)
    assert not isinstance(table, type)
    kinds = typing.get_type_hints(type(table))
    fields = {item.name: item for item in dataclasses.fields(table)}
    given = {}
    for key, value in values.items():
        if key not in fields:
            raise UsageError(f"{where}.{key} is unknown", did_you_mean(key, fields))
        given[key] = checked(value, kinds[key], f"{where}.{key}")
        _check_range(given[key], fields[key].metadata, f"{where}.{key}")
    return dataclasses.replace(table, **given)


def checked(value: Any, kind: Any, where: str) -> Any:
    """`value` as the type `kind`, which is one of

    `int` (zero or more), `float`, `bool`, `str`, a `Literal`, `float | None`, `tuple[str, ...]`,
    `Mapping[str, Any]`.

    Raises:
        UsageError: It is something else.
    """
    origin = typing.get_origin(kind)
    if origin is Literal:
        return _choice(value, typing.get_args(kind), where)
    if origin is tuple:
        return _texts(value, where)
    if origin is Mapping:
        return _table(value, where)
    if origin in (types.UnionType, typing.Union):
        return _optional(value, typing.get_args(kind), where)
    if kind is float:
        return _number(value, where)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UsageError(f"{where} = {value!r}: not {_named(kind)}", f"give {_named(kind)}")
    if kind is int and value < 0:
        raise UsageError(f"{where} = {value}: negative", "give zero or more")
    return value


def toml_value(text: str) -> Any:
    """The TOML value that `text` is, else `text` itself: quotes may be left out."""
    import tomllib  # defaults are listed without it

    try:
        content = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return content["value"] if len(content) == 1 else text


def written(value: Any) -> str:
    """`value` as the short form of `--compress` writes it: `true`, `1x4`, `flip+mix=0.5`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "+".join(f"{key}={written(item)}" for key, item in value.items())
    if not isinstance(value, list | tuple):
        return str(value)
    if all(isinstance(item, list | tuple) and len(item) == 2 for item in value):
        return written(dict(value))
    return ("x" if all(isinstance(item, int) for item in value) else "+").join(map(written, value))


def _choice(value: Any, choices: tuple[Any, ...], where: str) -> Any:
    if value not in choices:
        shown = [str(choice) for choice in choices if choice != ""]
        raise UsageError(f"{where} = {value!r} is no choice", did_you_mean(str(value), shown))
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise UsageError(f"{where} = {value!r}: not a list of strings", 'write ["one", "two"]')
    return tuple(items)


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"{where} = {value!r}: not a table", f"write [{where.split(': ')[-1]}]")
    return value


def _optional(value: Any, kinds: tuple[Any, ...], where: str) -> Any:
    (kind,) = (item for item in kinds if item is not type(None))
    if value is None or value == NONE:
        return None
    try:
        return checked(value, kind, where)
    except UsageError as error:
        raise UsageError(error.message, f'{error.hint}, or "{NONE}"') from error


def _number(value: Any, where: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise UsageError(f"{where} = {value!r}: not a number", "give a number")
    return float(value)


def _check_range(value: Any, limits: Mapping[str, Any], where: str) -> None:
    least, most = limits.get("least", -math.inf), limits.get("most", math.inf)
    if isinstance(value, int | float) and not least <= value <= most:
        wanted = f"{least:g} or more" if math.isinf(most) else f"{least:g} to {most:g}"
        raise UsageError(f"{where} = {value:g}: out of range", f"give {wanted}")


def _named(kind: Any) -> str:
    return _NAMES.get(kind, str(kind))

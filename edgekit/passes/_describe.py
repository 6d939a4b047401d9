"""What there is to say about a pass, from its own code: for `edgekit passes` and the README."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any, Literal

from edgekit.passes.base import ALIASES, Base, searched
from edgekit.training.options import FineTune

_NAMED = {int: "integer", float: "number", bool: "true or false", str: "string"}
_TABLE = "table"


def describe(found: Base) -> dict[str, Any]:
    """Name, title, paper, short form, example and options of a pass; JSON-able."""
    return {
        "name": found.name,
        "aliases": [alias for alias, name in ALIASES.items() if name == found.name],
        "title": found.title,
        "paper": found.paper,
        "value": found.value,
        "short_form": f"{found.name}:{found.value.upper()}" if found.value else found.name,
        "example": example(found),
        "options": fields_of(found.Options),
    }


def example(found: Base) -> str:
    """The pass as `--compress` takes it, with the default of its value."""
    if found.example or not found.value:
        return found.example or found.name
    default = next(f.default for f in dataclasses.fields(found.Options) if f.name == found.value)
    return f"{found.name}:{default}"


def fine_tuning() -> list[dict[str, Any]]:
    """The keys that every pass takes besides its own."""
    return fields_of(FineTune)


def fields_of(options: type[Any]) -> list[dict[str, Any]]:
    """Key, type, default and help of each field of a dataclass of options, and what is searched."""
    kinds, tried = typing.get_type_hints(options), searched(options)
    return [
        _field(item, kinds[item.name]) | {"search": list(tried.get(item.name, ()))}
        for item in dataclasses.fields(options)
    ]


def _field(item: dataclasses.Field[Any], kind: Any) -> dict[str, Any]:
    named = _type(kind, item.metadata)
    return {
        "key": item.name,
        "type": named,
        "default": {} if named == _TABLE else _plain(item.default),
        "help": item.metadata.get("help", ""),
    }


def _type(kind: Any, limits: typing.Mapping[str, Any]) -> str:
    if typing.get_origin(kind) is Literal:
        return " | ".join(str(choice) for choice in typing.get_args(kind) if choice != "")
    if typing.get_origin(kind) is tuple:
        first = typing.get_args(kind)[0]
        return {str: "list of strings", int: "integers"}.get(first, _TABLE)
    bounds = [
        f"{word} {limits[key]:g}"
        for key, word in (("least", "from"), ("most", "to"), ("below", "below"))
        if limits.get(key) is not None
    ]
    return " ".join([_NAMED.get(kind, str(kind)), *bounds])


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value

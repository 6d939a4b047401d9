"""A network of the zoo in one word: `zoo:NAME/key=value/key=value`.

Nothing in it means anything to a shell, nor to the short form of `--compress`.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable
from typing import Any, Literal

from edgekit._values import toml_value
from edgekit.errors import UsageError
from edgekit.zoo.base import Base, ZooOptions, load, options_of

PREFIX = "zoo:"
_EXAMPLE = "write zoo:mobilenet_v2/width=0.5/depth=0.5"


def is_spec(text: str) -> bool:
    """Whether a student is named that is no file."""
    return text.startswith(PREFIX)


def parse(text: str) -> tuple[Base, ZooOptions]:
    """The network that `text` names, with or without `zoo:` in front, and its options.

    Raises:
        UsageError: Not of this form, no such network, or options that it has not.
    """
    name, *settings = text.removeprefix(PREFIX).split("/")
    return chosen(name, (setting.partition("=")[::2] for setting in settings), text)


def chosen(
    name: str, settings: Iterable[tuple[str, str]], text: str = ""
) -> tuple[Base, ZooOptions]:
    """The network of a name, with options that are text.

    Raises:
        UsageError: As `parse`.
    """
    network, values = load(name), {}
    kinds = typing.get_type_hints(network.Options)
    for key, value in settings:
        if not key or not value:
            raise UsageError(f"{text or name}: '{key}{'=' * bool(value)}{value}' is no option",
                             _EXAMPLE)  # fmt: skip
        if key in values:
            raise UsageError(f"{text or name}: {key} is given twice", "give it once")
        values[key] = _value(value, kinds.get(key))
    return network, options_of(network, values)


def _value(text: str, kind: Any) -> Any:
    """A word where the option is one of some words: "1.0" is a version, not a number."""
    return text if typing.get_origin(kind) is Literal else toml_value(text)

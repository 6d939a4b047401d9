"""What a pass can be told: frozen dataclasses whose fields carry their help text and range."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from edgekit._discover import did_you_mean
from edgekit._values import checked
from edgekit.errors import UsageError

PerLayer = tuple[tuple[str, dict[str, Any]], ...]
_SELECTION = ("layers", "exclude", "per_layer")
_SHARES = (1, 0.75, 0.5, 0.25)


def option(
    default: Any,
    help: str,
    *,
    least: float | None = None,
    most: float | None = None,
    below: float | None = None,
    choices: tuple[int, ...] = (),
    hint: str = "",
    parse: Callable[[Any], Any] | None = None,
    file: bool = False,
    search: tuple[Any, ...] | Literal[True] = (),
) -> Any:
    """A field of a pass' `Options`.

    Args:
        default: Its value when nothing is given.
        help: What it does, one line without a full stop.
        least: The smallest value allowed.
        most: The largest value allowed.
        below: What the value stays below.
        choices: The only values allowed, of a number; (): all in range.
        hint: What to do about a value out of range; "": the range itself.
        parse: For what is no number, string, choice or list of strings: the value in its
            final form, from what TOML gives and from itself; ValueError says what is wrong.
        file: Whether it names models of the user, relative to the project's folder.
        search: Which of the allowed values `edgekit search` tries, from the mildest on; the first
            such option of a pass is its amount. True: all there are, or of a range the default
            and shares of it. Empty: it is not searched. `searched` reads it.
    """
    limits = {"least": least, "most": most, "below": below}
    kept = {name: limit for name, limit in limits.items() if limit is not None}
    told: dict[str, Any] = {
        **{"help": help, "hint": hint, "parse": parse, "file": file, "search": search},
        **kept,
    }
    metadata = told | ({"choices": choices} if choices else {})
    return dataclasses.field(default=default, metadata=metadata)


def searched(options: type[Any]) -> dict[str, tuple[Any, ...]]:
    """By option: the values that `edgekit search` tries, from the mildest on, as TOML has them."""
    found = {}
    for item in dataclasses.fields(options):
        values = item.metadata.get("search", ())
        if values := _all(item) if values is True else values:
            found[item.name] = tuple(list(v) if isinstance(v, tuple) else v for v in values)
    return found


def _all(item: dataclasses.Field[Any]) -> tuple[Any, ...]:
    """The choices; both of a bool; of a range the default and shares of it, as far as it goes."""
    default: Any = item.default
    if isinstance(default, bool):
        return default, not default
    if choices := item.metadata.get("choices"):
        return tuple(choices)
    kind, least = type(default), item.metadata["least"]
    shares = (kind(round(default * share, 4)) for share in _SHARES)
    return tuple(dict.fromkeys(share for share in shares if share >= least))


@dataclass(frozen=True)
class PassOptions:
    """Base of every pass' `Options`: values are checked, and brought to their final form.

    Raises:
        UsageError: A value of the wrong type or out of range.
    """

    def __post_init__(self) -> None:
        kinds = typing.get_type_hints(type(self))
        for item in dataclasses.fields(self):
            value = of_field(getattr(self, item.name), kinds[item.name], item)
            object.__setattr__(self, item.name, value)

    def variant(self, setting: Mapping[str, Any]) -> Self:
        """The options of a layer that `per_layer` makes an exception of.

        Raises:
            UsageError: A key that there is not, or a value that cannot be.
        """
        keys = [item.name for item in dataclasses.fields(self) if item.name not in _SELECTION]
        known(setting, keys)
        own = {item.name: () for item in dataclasses.fields(self) if item.name in _SELECTION}
        return dataclasses.replace(self, **own, **setting)

    @property
    def starts(self) -> bool:
        """Whether the pass takes nothing over from passes in front of it."""
        return False

    @property
    def files(self) -> tuple[str, ...]:
        """The models of the user that are named."""
        fields = [item for item in dataclasses.fields(self) if item.metadata.get("file")]
        values = [getattr(self, item.name) for item in fields]
        named = [(value,) if isinstance(value, str) else value for value in values]
        return tuple(name for names in named for name in names if name)

    def refuse_variants(self) -> None:
        """Raise UsageError for a setting in `per_layer` that cannot be."""
        for pattern, setting in getattr(self, "per_layer", ()):
            try:
                self.variant(setting)
            except UsageError as error:
                message = f"per_layer '{pattern}': {error.message}"
                raise UsageError(message, error.hint) from error

    def to_json(self) -> dict[str, Any]:
        """The options as the log and the manifest store them."""
        content = dataclasses.asdict(self)
        return {key: dict(v) if key == "per_layer" else v for key, v in content.items()}


def per_layer(key: str) -> Callable[[Any], PerLayer]:
    """A parser of `per_layer`: pattern -> settings, where a bare value is meant for `key`."""

    def parse(value: Any) -> PerLayer:
        try:
            settings = dict(value)
        except (TypeError, ValueError):
            raise ValueError("not a table") from None
        return tuple(
            (str(pattern), dict(setting) if isinstance(setting, Mapping) else {key: setting})
            for pattern, setting in settings.items()
        )

    return parse


def pair(value: Any) -> tuple[int, int]:
    """Two whole numbers.

    Raises:
        ValueError: `value` is something else.
    """
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("not two whole numbers")
    if not all(isinstance(one, str) or type(one) is int for one in value):
        raise ValueError("not two whole numbers")
    return int(value[0]), int(value[1])


def of_field(value: Any, kind: Any, item: dataclasses.Field[Any]) -> Any:
    """`value` as the field `item` of type `kind` holds it.

    Raises:
        UsageError: Wrong type, no choice, or out of range; names the key.
    """
    parse = item.metadata.get("parse")
    if parse is None:
        value = checked(value, kind, item.name)
    else:
        try:
            value = parse(value)
        except ValueError as error:
            hint = item.metadata.get("hint") or item.metadata["help"]
            raise UsageError(f"{item.name} = {value!r}: {error}", hint) from error
    if isinstance(value, int | float):
        _refuse_range(value, item)
    return value


def known(values: Mapping[str, Any], keys: typing.Iterable[str]) -> None:
    """Raise UsageError for a key of `values` that is not among `keys`."""
    choices = list(keys)
    for key in values:
        if key not in choices:
            raise UsageError(f"{key} is unknown", did_you_mean(str(key), choices))


def _refuse_range(value: float, item: dataclasses.Field[Any]) -> None:
    limits = item.metadata
    least, most = limits.get("least", -math.inf), limits.get("most", math.inf)
    below = limits.get("below", math.inf)
    if value not in limits.get("choices", (value,)):
        allowed = [str(choice) for choice in limits["choices"]]
        raise UsageError(f"{item.name} = {value:g} is no choice", f"known: {', '.join(allowed)}")
    if least <= value <= most and value < below:
        return
    allowed = [f"{least:g} or more"] if least > -math.inf else []
    allowed += [f"at most {most:g}"] if most < math.inf else []
    allowed += [f"below {below:g}"] if below < math.inf else []
    wanted = " and ".join(allowed)
    raise UsageError(
        f"{item.name} = {value:g} is out of range: {wanted}", limits.get("hint") or f"give {wanted}"
    )

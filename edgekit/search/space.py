"""What can be searched: the options that passes declare so, and what the user narrows them to.

A dimension is a finite list of values from the mildest on. A pass that need not be there has `off`
in front of the values of its amount, so that leaving it out is the mild end of one dimension.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgekit._discover import did_you_mean
from edgekit.errors import UsageError
from edgekit.passes.base import Base, load, names
from edgekit.project import COMPRESS, CompressEntry, Project, from_mapping
from edgekit.search.layerwise import BEGIN, PREFIX, SHIFTS, layers_of, parted

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial

OFF, ON = "off", "on"
USE = "use"
"""The dimension of a pass without an amount."""
Choices = Mapping[str, Any]
_TABLES = ("quantize", "compile", "fine_tune")
"""Tables of the project that may be searched besides passes."""


@dataclass(frozen=True)
class Dimension:
    """One thing that is chosen.

    Attributes:
        name: `PASS.OPTION` or `TABLE.KEY`.
        values: All it may be; `ordered` ones from the mildest on.
        ordered: Whether neighbours are alike.
        begin: Place of the value that a search begins with.
        amount: Whether it is the amount of a pass: what is stronger costs less and loses more.
    """

    name: str
    values: tuple[Any, ...]
    ordered: bool = True
    amount: bool = False
    begin: int = 0

    def suggest(self, trial: BaseTrial) -> Any:
        """The value that `trial` chooses; an ordered one is stored as its place."""
        if len(self.values) == 1:
            return self.values[0]
        if self.ordered:
            return self.chosen(trial.suggest_int(self.name, 0, len(self.values) - 1))
        return trial.suggest_categorical(self.name, self.values)

    @property
    def distribution(self) -> BaseDistribution:
        """What `suggest` draws from."""
        from optuna.distributions import CategoricalDistribution, IntDistribution

        if self.ordered:
            return IntDistribution(0, len(self.values) - 1)
        return CategoricalDistribution(self.values)

    def stored(self, value: Any) -> Any:
        """`value` as `suggest` stores it."""
        return self.values.index(value) if self.ordered else value

    def chosen(self, stored: Any) -> Any:
        """The value that is stored so."""
        return self.values[stored] if self.ordered else stored


@dataclass(frozen=True)
class Space:
    """All that is chosen for one trial."""

    dimensions: tuple[Dimension, ...]

    def suggest(self, trial: BaseTrial) -> dict[str, Any]:
        """A value of each dimension, by name."""
        return {each.name: each.suggest(trial) for each in self.dimensions}

    @property
    def mildest(self) -> dict[str, Any]:
        """What a search begins with: the first value of each amount."""
        return {each.name: each.values[each.begin] for each in self.dimensions}

    @property
    def size(self) -> int:
        """How many points it has."""
        return math.prod(len(each.values) for each in self.dimensions)

    def stored(self, choices: Choices) -> dict[str, Any]:
        """`choices` as a study stores them."""
        return {each.name: each.stored(choices[each.name]) for each in self._open}

    def chosen(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """The choices that are stored so."""
        fixed = {each.name: each.values[0] for each in self.dimensions}
        return fixed | {each.name: each.chosen(stored[each.name]) for each in self._open}

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """What `suggest` draws from, by name."""
        return {each.name: each.distribution for each in self._open}

    @property
    def _open(self) -> list[Dimension]:
        return [each for each in self.dimensions if len(each.values) > 1]

    def to_json(self) -> dict[str, Any]:
        """Values by dimension."""
        return {each.name: list(each.values) for each in self.dimensions}


def space_of(project: Project) -> Space:
    """The space of `[search]`: what its passes declare, and what it lists itself.

    Raises:
        UsageError: A pass, option or table that there is not, or a value that cannot be.
    """
    listed = _listed(project)
    found = [each for name in _order(project) for each in _of_pass(name, project, listed)]
    found += [_of_table(key, values) for key, values in listed.items()]
    space = Space(tuple(found))
    for each in space.dimensions:  # a value that cannot be is refused before any trial
        for value in each.values:
            recipe(project, {**space.mildest, each.name: value})
    if space.size < 2:
        raise UsageError(
            "there is nothing to search: every choice has one value",
            "name passes in [search] passes, or values in [search.space]",
        )
    return space


def recipe(project: Project, choices: Choices) -> Project:
    """`project` with `choices` made, as a trial builds it: no budget, no evaluation data.

    Raises:
        UsageError: A choice that cannot be.
    """
    own = {entry.name: dict(entry.options) for entry in project.compress}
    entries = [_entry(name, own.get(name), choices, project) for name in _order(project)]
    tables: dict[str, Any] = {COMPRESS: [each.to_json() for each in entries if each]}
    for name, value in choices.items():
        table, _, key = name.partition(".")
        if table in _TABLES:
            tables.setdefault(table, {})[key] = value
    plain = dataclasses.replace(project, budget=type(project.budget)())
    plain = plain.with_table("data", evaluation=(), held_out=project.search.held_out)
    return from_mapping(tables, "[search.space]", base=plain)


def _entry(
    name: str, given: dict[str, Any] | None, choices: Choices, project: Project
) -> CompressEntry | None:
    """The pass as `choices` have it; None where it is left out."""
    chosen = {
        key.partition(".")[2]: value
        for key, value in choices.items()
        if key.partition(".")[0] == name
    }
    if OFF in chosen.values() or (given is None and not chosen):
        return None
    chosen.pop(USE, None)
    return CompressEntry(name, parted(name, {**(given or {}), **chosen}, project))


def _order(project: Project) -> list[str]:
    """Names of all passes: the project's own, where [search] does not give them a place, first."""
    searched = [load(name).name for name in project.search.passes]
    own = [entry.name for entry in project.compress if entry.name not in searched]
    return [*own, *dict.fromkeys(searched)]


def _of_pass(
    name: str, project: Project, listed: dict[str, tuple[Any, ...]]
) -> Iterator[Dimension]:
    """Its dimensions; what is `listed` is taken from there, and out of it."""
    found = load(name)
    given = {entry.name for entry in project.compress}
    declared = {} if found.name in given else _declared(found)
    fields = [item.name for item in dataclasses.fields(found.Options)]
    own = [key for key in (*fields, USE) if f"{name}.{key}" in listed]
    keys = list(dict.fromkeys([*declared, *own]))
    if found.name not in given and not keys:
        keys, declared = [USE], {USE: (ON,)}
    for place, key in enumerate(keys):
        values = listed.pop(f"{name}.{key}", None)
        if values is None:
            free = place == 0 and found.name not in given
            values = (OFF, *declared[key]) if free else declared[key]
        amount = _ordered(values) and key in _declared(found)
        yield Dimension(f"{name}.{key}", values, _ordered(values), amount)
    for layer in layers_of(name, project):
        yield Dimension(f"{name}.{PREFIX}{layer}", SHIFTS, begin=BEGIN)


def _declared(found: Base) -> dict[str, tuple[Any, ...]]:
    fields = dataclasses.fields(found.Options)
    return {item.name: item.metadata["search"] for item in fields if item.metadata.get("search")}


def _of_table(name: str, values: tuple[Any, ...]) -> Dimension:
    table = name.partition(".")[0]
    if table in names():
        raise UsageError(
            f"[search.space] {name} is no option, or of a pass that is not searched",
            f"edgekit passes {table} lists them; name the pass in [search] passes",
        )
    if table not in _TABLES:
        raise UsageError(
            f"[search.space] {table} cannot be searched", did_you_mean(table, [*names(), *_TABLES])
        )
    return Dimension(name, values, _ordered(values))


def _listed(project: Project) -> dict[str, tuple[Any, ...]]:
    """What `[search.space]` says, flat."""
    flat: dict[str, tuple[Any, ...]] = {}
    for table, keys in project.search.space.items():
        if not isinstance(keys, Mapping):
            raise UsageError(
                f"[search.space] {table} is not a table", "write remove.macs = [0.8, 0.5]"
            )
        name = load(table).name if table not in _TABLES and table in (*names(), "qat") else table
        for key, values in keys.items():
            if not isinstance(values, Sequence) or isinstance(values, str) or not values:
                raise UsageError(
                    f"[search.space] {table}.{key} = {values!r}: no list of values",
                    f'write {table}.{key} = [0.8, 0.5], "off" in front to leave the pass out',
                )
            flat[f"{name}.{key}"] = tuple(values)
    return flat


def _ordered(values: Sequence[Any]) -> bool:
    """Whether all but `off` are numbers."""
    return all(
        isinstance(value, int | float) and not isinstance(value, bool)
        for value in values
        if value != OFF
    )

"""What can be searched: the options that passes declare so, and what the user narrows them to.

A dimension is a finite list of values from the mildest on. A pass that need not be there has `off`
in front of the values of its amount, so that leaving it out is the mild end of one dimension. What
matters only beside other choices (more of a pass that is used, the width of a student) is chosen
only then: two points that build the same are one point.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgekit.errors import UsageError
from edgekit.passes.base import load, searched
from edgekit.project import COMPRESS, CompressEntry, Project, from_mapping
from edgekit.search import students
from edgekit.search.layerwise import BEGIN, PREFIX, SHIFTS, layers_of, parted
from edgekit.search.listed import OFF as OFF
from edgekit.search.listed import TABLES, listed_in, ordered, rest_of

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial

ON, USE = "on", "use"
"""The value and the dimension of a pass without an amount."""
Choices = Mapping[str, Any]
When = tuple[tuple[str, tuple[Any, ...]], ...]
"""Other dimensions, each with some of its values: all must be chosen."""


@dataclass(frozen=True)
class Dimension:
    """One thing that is chosen.

    Attributes:
        name: `PASS.OPTION` or `TABLE.KEY`.
        values: All it may be; `ordered` ones from the mildest on.
        ordered: Whether neighbours are alike.
        begin: Place of the value that a search begins with.
        amount: Whether it is the amount of a pass: what is stronger costs less and loses more.
        when: Without this it matters nothing, and nothing is chosen; of dimensions in front of it.
    """

    name: str
    values: tuple[Any, ...]
    ordered: bool = True
    amount: bool = False
    begin: int = 0
    when: When = ()

    def matters(self, choices: Choices) -> bool:
        """Whether it does beside what is chosen already."""
        return all(name in choices and choices[name] in values for name, values in self.when)

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
        """A value of each dimension that matters, by name.

        All are asked for, so that a sampler has every trial as one point of all dimensions.
        """
        return self.settle({each.name: each.suggest(trial) for each in self.dimensions})

    def settle(self, choices: Choices) -> dict[str, Any]:
        """`choices` without what does not matter; what is missing is as a search begins."""
        found: dict[str, Any] = {}
        for each in self.dimensions:
            if each.matters(found):
                found[each.name] = choices.get(each.name, each.values[each.begin])
        return found

    @property
    def mildest(self) -> dict[str, Any]:
        """What a search begins with: the first value of each amount."""
        return self.settle({})

    @property
    def size(self) -> int:
        """How many points it has at most: where all that can be chosen matters."""
        return math.prod(len(each.values) for each in self.dimensions)

    def stored(self, choices: Choices) -> dict[str, Any]:
        """`choices` as a study stores them; what does not matter as a search begins."""
        begin = {each.name: each.values[each.begin] for each in self._open}
        return {each.name: each.stored({**begin, **choices}[each.name]) for each in self._open}

    def chosen(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """The choices that are stored so, those that matter."""
        fixed = {each.name: each.values[0] for each in self.dimensions}
        drawn = {each.name: each.chosen(stored[each.name]) for each in self._open}
        return self.settle({**fixed, **drawn})

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
    listed = listed_in(project)
    student = listed.get(students.STUDENT, ())
    _refuse_behind(student, _order(project))
    zoo = students.options(student, listed)
    found = [each for name in _order(project) for each in _of_pass(name, project, listed, student)]
    found += [_of_student(*option) for option in zoo]
    found += [Dimension(key, v, ordered(v)) for key, v in rest_of(listed).items()]
    space = Space(tuple(found))
    for each in space.dimensions:  # a value that cannot be is refused before any trial
        beside = {name: values[0] for name, values in each.when}
        for value in each.values:
            recipe(project, space.settle({**space.mildest, **beside, each.name: value}))
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
    if student := students.chosen(choices):
        choices = {**choices, students.STUDENT: student}
    if choices.get(students.STUDENT, OFF) != OFF:  # layers that were analysed are the model's
        project = project.with_table("search", sensitivity="")
    own = {entry.name: dict(entry.options) for entry in project.compress}
    entries = [_entry(name, own.get(name), choices, project) for name in _order(project)]
    tables: dict[str, Any] = {COMPRESS: [each.to_json() for each in entries if each]}
    for name, value in choices.items():
        table, _, key = name.partition(".")
        if table in TABLES:
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
    name: str, project: Project, listed: dict[str, tuple[Any, ...]], student: tuple[Any, ...]
) -> Iterator[Dimension]:
    """Its dimensions; what is `listed` is taken from there, and out of it."""
    found = load(name)
    given = {entry.name for entry in project.compress}
    declared = {} if found.name in given else searched(found.Options)
    fields = [item.name for item in dataclasses.fields(found.Options)]
    own = [key for key in (*fields, USE) if f"{name}.{key}" in listed]
    keys = list(dict.fromkeys([*declared, *own]))
    if found.name not in given and not keys:
        keys, declared = [USE], {USE: (ON,)}
    when: When = ()
    for place, key in enumerate(keys):
        values = listed.pop(f"{name}.{key}", None)
        if values is None:
            free = place == 0 and found.name not in given
            values = (OFF, *declared[key]) if free else declared[key]
        amount = ordered(values) and key == next(iter(searched(found.Options)), "")
        yield Dimension(f"{name}.{key}", values, ordered(values), amount, when=when)
        if OFF in values:  # the rest of the pass matters where it is used
            when = (*when, (f"{name}.{key}", tuple(each for each in values if each != OFF)))
    when = (*when, (students.STUDENT, (OFF,))) if student else when  # it has other layers
    for layer in layers_of(name, project) if OFF in (student or (OFF,)) else ():
        yield Dimension(f"{name}.{PREFIX}{layer}", SHIFTS, begin=BEGIN, when=when)


def _refuse_behind(student: Sequence[Any], order: Sequence[str]) -> None:
    first, name = order[0] if order else "", students.STUDENT.partition(".")[0]
    if any(each != OFF for each in student) and name in order and first != name:
        raise UsageError(
            f"[search.space] {students.STUDENT} begins with another network, and {first} is in "
            f"front of {name}",
            f"name {name} first in [search] passes",
        )


def _of_student(
    name: str, values: tuple[Any, ...], begin: int, specs: tuple[str, ...]
) -> Dimension:
    when = ((students.STUDENT, specs),)
    return Dimension(name, values, ordered(values), begin=begin, when=when)

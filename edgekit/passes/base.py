"""The contract of a compression pass: a float flatbuffer in, one of the same graph out.

To add one: put `<name>.py` in this folder with a class `Pass(Base)` that sets `name`, `title`,
`paper`, `Options` and `value`, and implements `apply`. A pass knows no other by name: it reads the
traits that earlier ones left, keeps their promises, and adds its own; all of them are checked
here, on the flatbuffer that it returns. `_wrapped.py` holds what passes share that train wrapped
layers.
"""

from __future__ import annotations

import dataclasses
import sys
import typing
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from edgekit import _discover
from edgekit.errors import ModelError, UsageError
from edgekit.exits.exits import Heads
from edgekit.exits.gates import Gates
from edgekit.passes._options import PassOptions, known, of_field, option, searched
from edgekit.problem import Problem, refuse
from edgekit.progress import Progress
from edgekit.training.options import FineTune, resolve
from edgekit.training.spent import Spent

if TYPE_CHECKING:  # passes and their options are listed without numpy
    import numpy as np

    from edgekit.passes.promises import Promise
    from edgekit.training.rows import Rows

__all__ = [
    "Base",
    "Candidate",
    "Context",
    "Entry",
    "PassOptions",
    "Variant",
    "from_mapping",
    "load",
    "names",
    "option",
    "refuse_order",
    "searched",
]
ALIASES = {"qat": "quantize_aware"}
# Files of this folder that are no passes: what a pass is told to work on, and what it promises.
_PARTS = ("promises", "select")
_LAST = {
    "slim": "put slim last: what other passes do would be done to one width only",
    "gated": "put skip last: what other passes change, its gates have not learned from",
}
"""Traits that no pass can work on."""


@dataclass(frozen=True)
class Entry:
    """What one pass did.

    Attributes:
        name: Of the pass.
        options: As they were after defaults were filled in; `fine_tune` among them.
        trained: `Trained.to_json()`: epochs, losses, why it stopped; no times.
        layers: What each layer it worked on has now, by layer name, e.g. {"sparsity": 0.6}.
    """

    name: str
    options: Mapping[str, Any]
    trained: Mapping[str, Any] = field(default_factory=dict)
    layers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The entry as the manifest stores it."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, eq=False)
class Variant:
    """The network in another form, built beside it: its name, e.g. a width, and flatbuffer."""

    name: str
    tflite: bytes


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model between two passes.

    Attributes:
        tflite: The float flatbuffer, without any wrapper.
        traits: What earlier passes left: `sparse`, `clustered`, `qat`.
        ranges: Learned (min, max) of activations, by tensor index.
        weight_scales: By the tensor index of a kernel: the scales [output channels] that its
            int8 form is to have, for kernels whose channels share one integer code book.
        promises: What must stay true of the flatbuffer and of what is made of it.
        problems: What the user should know.
        log: One entry a finished pass.
        kept: By the tensor index of a layer's output: which of the original's channels it still
            has, where some were removed.
        mates: By the tensor index of an activation, that of the original's which it follows; None:
            the one with the same index. Of a network of the user's.
        heads: Of a network that may answer early, and has an output for each exit; None: it may
            not.
        variants: Other forms of the network, which no pass changes any more.
        gates: Of a network that may skip branches; None: it may not.
    """

    tflite: bytes
    traits: frozenset[str] = frozenset()
    ranges: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    weight_scales: Mapping[int, np.ndarray] = field(default_factory=dict)
    promises: tuple[Promise, ...] = ()
    problems: tuple[Problem, ...] = ()
    log: tuple[Entry, ...] = ()
    kept: Mapping[int, np.ndarray] = field(default_factory=dict)
    mates: Mapping[int, int] | None = None
    heads: Heads | None = None
    variants: tuple[Variant, ...] = ()
    gates: Gates | None = None


@dataclass(frozen=True, eq=False)
class Context:
    """What all passes of a chain share.

    Attributes:
        original: Float flatbuffer of the uncompressed model: the teacher.
        rows: To learn from.
        guard: To choose the best epoch on; never learned from.
        fine_tune: The project's choices; 0 means the default for this many rows.
        seed: Of every random choice.
        progress: Told what is being done.
        spent: Told what passes take.
        root: Folder that the paths of other models are relative to.
        modules: Python modules of the user that register layers of such models.
    """

    original: bytes
    rows: Rows
    guard: Rows
    fine_tune: FineTune = field(default_factory=FineTune)
    seed: int = 0
    progress: Progress = field(default_factory=Progress)
    spent: Spent = field(default_factory=Spent)
    root: Path = Path()
    modules: tuple[str, ...] = ()

    def tuned(self, overrides: Mapping[str, Any]) -> Context:
        """The context of one pass: its own `fine_tune` keys go before the project's."""
        fine_tune = dataclasses.replace(self.fine_tune, **overrides)
        return dataclasses.replace(self, fine_tune=fine_tune)


class Base(ABC):
    """Checks the promises; the subclass does the work.

    Attributes:
        name: As in `--compress`.
        title: What it does, for people.
        paper: Where the method comes from.
        Options: Frozen dataclass of what it can be told.
        value: The option that the short form `name:value` sets, "" for none.
        example: As `--compress` takes it, where the default of `value` alone is not enough.
        leaves: Traits of the model it returns.
        refuses: Traits that it cannot work on, each with the hint that says what to do.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    Options: ClassVar[type[PassOptions]]
    value: ClassVar[str] = ""
    example: ClassVar[str] = ""
    leaves: ClassVar[frozenset[str]] = frozenset()
    refuses: ClassVar[Mapping[str, str]] = {}

    def run(self, candidate: Candidate, options: Any, context: Context) -> Candidate:
        """The compressed model.

        Args:
            candidate: The model, as the pass before left it.
            options: Of the class `Options`.
            context: Rows, teacher, fine-tuning (see `Context.tuned`), seed, progress.

        Raises:
            UsageError: Options that do not fit the model, or a pass that cannot come here.
            ModelError: Nothing to work on, or a promise does not hold on the result.
            DataError: Rows or labels that do not fit the model.
        """
        from edgekit.passes.promises import broken

        self.refuse_traits(candidate.traits)
        result = self.apply(candidate, options, context)
        refuse(broken(result.promises, result.tflite), ModelError)
        return dataclasses.replace(result, traits=result.traits | self.leaves)

    @abstractmethod
    def apply(self, candidate: Candidate, options: Any, context: Context) -> Candidate:
        """`run`, between the checks; `leaves` is added to the traits there."""

    def refuse_traits(self, traits: frozenset[str]) -> None:
        """Raise UsageError when an earlier pass left what this one cannot work on."""
        for trait, hint in {**_LAST, **self.refuses}.items():
            if trait in traits:
                raise UsageError(f"{self.name} cannot follow a pass that left it {trait}", hint)


def names() -> list[str]:
    """The passes there are."""
    return [name for name in _discover.names("passes") if name not in _PARTS]


def load(name: str) -> Base:
    """The pass of this name; `qat` is `quantize_aware`.

    Raises:
        UsageError: There is none.
    """
    name = ALIASES.get(name, name)
    known = _discover.shipped("passes", name) or name in names()
    if name in _PARTS or not known:
        raise UsageError(f"no pass '{name}'", _discover.did_you_mean(name, [*names(), *ALIASES]))
    found: Base = _discover.load("passes", name)()
    return found


def from_mapping(
    pass_name: str, values: Mapping[str, Any], where: str
) -> tuple[PassOptions, dict[str, Any]]:
    """The options of a pass and its own fine-tuning, from a `[[compress]]` table or short form.

    Args:
        pass_name: As `load` takes it.
        values: Plain values by key; `pass` is skipped. Keys of `FineTune` are taken from the
            table `fine_tune`, and as keys beside the options (`prune:0.6:epochs=5`).
        where: What a message begins with, e.g. `edgekit.toml: compress 1`.

    Returns:
        The options, and the checked `FineTune` keys that were given, for `Context.tuned`.

    Raises:
        UsageError: No such pass, unknown key, wrong type, value out of range.
    """
    try:
        found = load(pass_name)
        return _parsed(found.Options, {k: v for k, v in values.items() if k != "pass"})
    except UsageError as error:
        raise type(error)(f"{where}: {pass_name}: {error.message}", error.hint) from error


def refuse_order(pass_names: Iterable[str]) -> None:
    """Raise UsageError for passes that cannot follow each other, before any work is done."""
    traits: frozenset[str] = frozenset()
    for name in pass_names:
        found = load(name)
        found.refuse_traits(traits)
        traits |= found.leaves


def _parsed(
    options: type[PassOptions], values: Mapping[str, Any]
) -> tuple[PassOptions, dict[str, Any]]:
    tuning = {item.name: item for item in dataclasses.fields(FineTune)}
    own = [item.name for item in dataclasses.fields(options)]
    known(values, [*own, *tuning, "fine_tune"])
    given = values.get("fine_tune", {})
    if not isinstance(given, Mapping):
        raise UsageError(f"fine_tune = {given!r}: not a table", "write fine_tune = { epochs = 5 }")
    known(given, tuning)
    given = {**given, **{key: value for key, value in values.items() if key in tuning}}
    kinds = typing.get_type_hints(FineTune)
    overrides = {key: of_field(value, kinds[key], tuning[key]) for key, value in given.items()}
    resolve(FineTune(**overrides), sys.maxsize, labelled=True)
    return options(**{key: value for key, value in values.items() if key in own}), overrides

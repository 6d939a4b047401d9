"""The contract of a network of the zoo: options in, an untrained Keras 3 model out.

To add one: put `<name>.py` in this folder with a class `Network(Base)` that sets `name`, `title`,
`paper`, `Options`, the `shape` and `classes` that it was published for, and `figures`, and whose
`layers` makes the scores of the input with a `Builder`. Each field of `Options` carries its range,
and `search` where `edgekit search` tries values of it. `tests/zoo` counts what `figures` says.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from edgekit import _discover
from edgekit.errors import UsageError
from edgekit.passes._options import PassOptions, known, option
from edgekit.zoo._types import Head, Shape

if TYPE_CHECKING:  # networks and their options are listed without Keras
    from edgekit.zoo._builder import Builder

__all__ = ["Base", "Figure", "ZooOptions", "load", "names", "option", "options_of"]
_MOST = 1 << 24  # values of an input: a mistyped shape shall not fill the memory


@dataclass(frozen=True)
class ZooOptions(PassOptions):
    """Base of every network's `Options`: values are checked against their ranges."""


@dataclass(frozen=True)
class Figure:
    """What a network costs, and what its source says that it costs.

    Attributes:
        parameters: Trained ones, as `count.parameters` counts them: without moving statistics.
        macs: Multiply-accumulates of one inference, as `count.macs` counts them.
        published: Both as the source rounds them; None where it does not say.
        source: Where that stands.
        options: Those that are not the defaults.
        shape: Of the input; (): the network's own.
        within: Relative difference from `published` that is no mistake: other rounding of
            channels, biases or paddings.
    """

    parameters: int
    macs: int
    published: tuple[float | None, float | None] = (None, None)
    source: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    shape: Shape = ()
    within: float = 0.02


class Base(ABC):
    """Checks what it is given; the subclass names the layers.

    Attributes:
        name: As in `zoo:NAME`.
        title: What makes it small, for people.
        paper: Where it comes from.
        Options: Frozen dataclass of what can differ.
        shape: Of the input that it was published for: [height, width, channels] or [time,
            channels].
        classes: That it was published for.
        figures: The first is of the defaults.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paper: ClassVar[str]
    Options: ClassVar[type[ZooOptions]]
    shape: ClassVar[Shape] = (224, 224, 3)
    classes: ClassVar[int] = 1000
    figures: ClassVar[tuple[Figure, ...]]

    def build(
        self,
        options: Any,
        shape: Shape = (),
        classes: int = 0,
        *,
        head: Head = "softmax",
        seed: int = 0,
    ) -> Any:
        """The network with random weights, a `keras.Model` of Keras 3.

        Args:
            options: Of the class `Options`.
            shape: Of one input; [height, width, channels] or [time, channels]; (): its own.
            classes: Outputs; 0: its own.
            head: What the scores go through.
            seed: The same weights for the same seed, whatever else the process does.

        Raises:
            UsageError: A shape that the network cannot take.
        """
        from edgekit.zoo._builder import Builder

        shape, classes = tuple(shape) or self.shape, classes or self.classes
        refuse_shape(self.name, shape, classes)
        builder = Builder(seed)
        inputs, x = builder.entry(shape)
        scores = self.layers(builder, x, options, classes)
        return builder.model(inputs, scores, head, self.name)

    @abstractmethod
    def layers(self, b: Builder, x: Any, options: Any, classes: int) -> Any:
        """Scores [batch, classes] of `x` [batch, height, width, channels]."""


def refuse_shape(name: str, shape: Shape, classes: int) -> None:
    """Raise UsageError for an input, or a number of classes, that no network of the zoo has."""
    if len(shape) not in (2, 3) or min(shape) < 1 or not 0 < math.prod(shape) <= _MOST:
        shown = "x".join(map(str, shape)) or "no size"
        raise UsageError(
            f"{name} cannot take an input of {shown}",
            "networks of the zoo take height x width x channels, or time x channels",
        )
    if classes < 1:
        raise UsageError(f"{name} cannot have {classes} classes", "give 1 or more")


def names() -> list[str]:
    """The networks there are."""
    return _discover.names("zoo")


def load(name: str) -> Base:
    """The network of this name.

    Raises:
        UsageError: There is none.
    """
    _discover.require("zoo", name)
    found: Base = _discover.load("zoo", name)()
    return found


def options_of(network: Base, values: Mapping[str, Any]) -> ZooOptions:
    """Checked options from plain values by key.

    Raises:
        UsageError: An unknown key, a wrong type, a value out of range; names the network.
    """
    try:
        known(values, network.Options.__dataclass_fields__)
        return network.Options(**values)
    except UsageError as error:
        raise UsageError(f"{network.name}: {error.message}", error.hint) from error

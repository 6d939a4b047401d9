"""What augmentation may be declared: names, values, and the inputs each transform fits.

`transforms` has the functions that do it.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgekit.errors import UsageError

if TYPE_CHECKING:  # options are listed without numpy
    import numpy as np


@dataclass(frozen=True)
class Kind:
    """What is known of a transform.

    Attributes:
        default: Value where none is given; None for a transform that takes none.
        most: Largest value.
        ranks: Of the inputs it fits, without the batch axis: 3 pictures, 2 series; none: all.
        whole: Whether the value is a whole number.
        moves: Whether it moves things to other places, away from labels that have places.
    """

    default: float | None
    most: float = math.inf
    ranks: tuple[int, ...] = ()
    whole: bool = False
    moves: bool = False


KINDS = {
    "flip": Kind(None, ranks=(3,), moves=True),
    "flip_vertical": Kind(None, ranks=(3,), moves=True),
    "shift": Kind(4, ranks=(3,), whole=True, moves=True),
    "time_shift": Kind(2, ranks=(2, 3), whole=True, moves=True),
    "noise": Kind(0.02),
    "scale": Kind(0.1, most=1),
    "mix": Kind(0.5, most=1),
    "cut": Kind(0.5, most=1, ranks=(2, 3), moves=True),
}
BLENDS = ("mix", "cut")
"""What takes from another row, in all inputs at once."""
AUTO = {"mix": 0.5, "noise": 0.02}


@dataclass(frozen=True)
class Input:
    """What transforms need to know of an input: shape without batch axis, and its values.

    `deviation` is the standard deviation along the last axis, [C]; None for whole numbers, which
    no transform may change.
    """

    shape: tuple[int, ...]
    deviation: np.ndarray | None


def parse(texts: Sequence[str]) -> dict[str, float]:
    """Name and value of what is asked for by name, whatever the inputs; `auto` adds to it.

    Args:
        texts: `name` or `name=value`; `none` or `auto`.

    Raises:
        UsageError: An unknown transform, or a value that cannot be.
    """
    given: dict[str, float] = {}
    for text in map(str.strip, texts):
        if text == "none" and len(texts) > 1:
            raise UsageError(
                f"augment: none stands beside {', '.join(t for t in texts if t != text)}",
                "leave one of them out",
            )
        if text not in ("none", "auto"):
            name, _, value = (part.strip() for part in text.partition("="))
            given[name] = _value(text, name, value)
    return given


def choose(
    texts: Sequence[str], inputs: Sequence[Input], placed: bool = False, teacher: bool = True
) -> dict[str, float]:
    """Name and value of every transform of an `augment` option, in the order they are done.

    Args:
        texts: As `parse` takes them. `auto` is mix and noise, which suit any float input as long
            as a teacher says what the changed rows are.
        inputs: Of the model. A transform changes all float inputs that it fits.
        placed: Whether labels have places (pixels, time steps) that may not move.
        teacher: Whether a teacher's scores are learned from, too.

    Raises:
        UsageError: What `parse` refuses, or inputs that a transform does not fit.
    """
    given = parse(texts)
    for name, value in given.items():
        _fits(name, value, inputs, placed)
    if "auto" in map(str.strip, texts) and teacher:
        given = {name: value for name, value in AUTO.items() if suits(name, inputs)} | given
    return {name: given[name] for name in KINDS if name in given}


def _value(text: str, name: str, value: str) -> float:
    kind = KINDS.get(name)
    if kind is None:
        near = difflib.get_close_matches(name, KINDS, 1)
        there_are = f"there are: auto, none, {', '.join(KINDS)}"
        raise UsageError(
            f"augment: there is no transform '{name}'",
            f"did you mean '{near[0]}'?" if near else there_are,
        )
    if kind.default is None:
        if value:
            raise UsageError(f"augment: {name} takes no value, not {value}", f"write {name}")
        return 1.0
    try:
        number = float(value) if value else kind.default
    except ValueError:
        number = math.nan
    if not 0 < number <= kind.most or (kind.whole and number != int(number)):
        what = "a whole number from 1" if kind.whole else "a number above 0"
        limit = "" if kind.most == math.inf else f", at most {kind.most:g}"
        raise UsageError(
            f"augment: {text} cannot be used", f"give {what}{limit}: {name}={kind.default:g}"
        )
    return number


def _fits(name: str, value: float, inputs: Sequence[Input], placed: bool) -> None:
    kind = KINDS[name]
    if not suits(name, inputs):
        shapes = ", ".join(str([1, *about.shape]) for about in inputs)
        whole = " of whole numbers" if any(about.deviation is None for about in inputs) else ""
        fitting = [other for other in KINDS if suits(other, inputs)]
        hint = f"what fits: {', '.join(fitting)}" if fitting else "write augment = ['none']"
        raise UsageError(f"augment: {name} does not fit inputs {shapes}{whole}", hint)
    if placed and kind.moves:
        raise UsageError(
            f"augment: {name} moves the input away from labels that have places in it",
            "leave it out, or train without labels",
        )
    axes = 2 if name == "shift" else 1
    sizes = [size for about in inputs if takes(name, about) for size in about.shape[:axes]]
    if kind.whole and value >= min(sizes):
        raise UsageError(
            f"augment: {name}={value:g} moves everything out of an input of {min(sizes)} places",
            f"give less: {name}={max(1, min(sizes) // 8)}",
        )


def suits(name: str, inputs: Sequence[Input]) -> bool:
    """Whether there is an input that the transform fits."""
    if name in BLENDS:  # a row is made of two in all of its inputs
        return all(takes(name, about) for about in inputs)
    return any(takes(name, about) for about in inputs)


def takes(name: str, about: Input) -> bool:
    """Whether the transform fits this input."""
    ranks = KINDS[name].ranks
    return about.deviation is not None and (not ranks or len(about.shape) in ranks)

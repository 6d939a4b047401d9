"""How long, how fast and on what a model is fine-tuned."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from typing import Any

from edgekit.errors import UsageError
from edgekit.training.augment import parse

STEPS = 1000
"""Optimiser steps that the default number of epochs aims at."""
FEWEST_EPOCHS, MOST_EPOCHS = 3, 150
MOST_BITS = 16
LEARNING_RATE = 3e-3
"""For kernels that are trained apart from their per-channel scale. ResNet8 without labels, lowest
guard loss: 70 % zeros, 12 epochs: 0.55 with 4e-3, 0.56 with 1e-2, 0.61 with 2e-2; but with 50 %,
where little is lost, 6 epochs with 1e-2 end above the 0.24 that they begin with."""
LABEL_WEIGHT = 0.1
"""ResNet8 with 50 % zeros, 10 epochs with labels, on guard rows: agreement 98 % and KL 0.017; with
0.5 96 % and 0.022."""
FEATURE_WEIGHT = 50.0
"""ResNet8 with 50 % zeros, 6 epochs, KL to the original on pictures of another kind than those that
it was trained on: 0.094 with 5, 0.087 with 20, 0.078 with 50, 0.080 with 200."""

LEAP = 5.0
"""Times its recent mean that the norm of a gradient may be."""


def _option(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class FineTune:
    """What `fine_tune = { ... }` sets; 0 is a sound default from the size of the data."""

    epochs: int = _option(0, "passes over the training rows; 0: about 1,000 steps, 3 to 150 epochs")
    learning_rate: float = _option(0.0, "peak of Muon's cosine schedule; 0: the pass' own, or 3e-3")
    batch: int = _option(0, "rows a step; 0: 32, or 64 from 6,000 rows on")
    patience: int = _option(
        0, "epochs without a lower guard loss before it stops; 0: half of them, at least 3"
    )
    max_minutes: float = _option(0.0, "wall time after which it stops; 0: no limit")
    augment: tuple[str, ...] = _option(
        ("auto",),
        "transforms of the inputs: flip, flip_vertical, shift=4, time_shift=2, noise=0.02, "
        "scale=0.1, mix=0.5, cut=0.5; auto: mix and noise; none",
    )
    temperature: float = _option(4.0, "softens the original's class scores (arXiv:1503.02531)")
    label_weight: float = _option(
        LABEL_WEIGHT, "share of the labels in the loss, 0 to 1; the rest is the original's scores"
    )
    feature_weight: float = _option(
        FEATURE_WEIGHT,
        "weight of the difference of inner activations from the original's (arXiv:1412.6550)",
    )
    clip: float = _option(
        LEAP,
        "times its recent mean that the norm of all gradients may be (arXiv:1211.5063); 0: any",
    )
    gradient_bits: int = _option(
        0, "bits of gradients, rounded at random, 2 to 16 (arXiv:1606.06160); 0: as they are"
    )


def resolve(
    options: FineTune, rows: int, labelled: bool, learning_rate: float = LEARNING_RATE
) -> FineTune:
    """All defaults filled in; what is already filled in stays.

    Args:
        options: As the user gave them.
        rows: To train on.
        labelled: Whether they have labels; without, `label_weight` becomes 0.
        learning_rate: The pass' own default.

    Raises:
        UsageError: A value that cannot be, an unknown transform, or a batch above the rows.
    """
    _check(options, rows)
    batch = options.batch or max(1, min(64 if rows >= 6000 else 32, rows // 4))
    wanted = math.ceil(STEPS / max(rows // batch, 1))
    epochs = options.epochs or min(max(wanted, FEWEST_EPOCHS), MOST_EPOCHS)
    return replace(
        options,
        epochs=epochs,
        learning_rate=options.learning_rate or learning_rate,
        batch=batch,
        patience=options.patience or max(3, epochs // 2),
        label_weight=options.label_weight if labelled else 0.0,
    )


def _check(options: FineTune, rows: int) -> None:
    for item in fields(options):
        value = getattr(options, item.name)
        if item.name == "augment":
            parse(value)
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _refused(item.name, value, "it is not a number")
        if not math.isfinite(value) or value < 0:
            raise _refused(item.name, value, "give a number from 0 up")
        if isinstance(item.default, int) and value != int(value):
            raise _refused(item.name, value, "give a whole number")
    if options.temperature == 0:
        raise _refused("temperature", options.temperature, "give one above 0; 1 softens nothing")
    if options.label_weight > 1:
        raise _refused("label_weight", options.label_weight, "it is a share from 0 to 1")
    if options.gradient_bits and not 2 <= options.gradient_bits <= MOST_BITS:
        raise _refused("gradient_bits", options.gradient_bits, "give 2 to 16, or 0 for none")
    if 0 < options.clip < 1:
        raise _refused("clip", options.clip, "give 1 or more: 1 cuts whatever is above the mean")
    if options.batch > rows:
        raise UsageError(
            f"fine_tune: a batch of {options.batch} is more than the {rows} training rows",
            "leave batch out, or give more training data",
        )


def _refused(name: str, value: Any, why: str) -> UsageError:
    return UsageError(f"fine_tune: {name} = {value} cannot be used", why)

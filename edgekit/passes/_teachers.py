"""Whom a model learns from: one network or several, and which of their inner activations."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgekit import _tf
from edgekit._discover import did_you_mean
from edgekit.bridge.heads import Head
from edgekit.bridge.lift import Lifted, LiftedLayer
from edgekit.errors import UsageError

_SMALLEST = 1e-12
"""Below any probability worth a logarithm."""


@dataclass(frozen=True)
class Pair:
    """Two activations, of which one follows the other.

    Attributes:
        mine: Tensor index of the student's.
        theirs: Tensor index of the teacher's.
        channels: Of the teacher's.
        alike: Whether they have the same shape.
    """

    mine: int
    theirs: int
    channels: int
    alike: bool


def named(student: Lifted, teacher: Lifted) -> tuple[Pair, ...]:
    """Layers of the same name whose outputs have the same shape."""
    theirs = {layer.name: layer for layer in teacher.layers}
    pairs = [_pair(s, theirs[s.name], student, teacher) for s in student.layers if s.name in theirs]
    return tuple(pair for pair in pairs if pair.alike)


def paired(
    student: Lifted, teacher: Lifted, features: Sequence[tuple[str, str]]
) -> tuple[Pair, ...]:
    """The layers that the user names.

    Raises:
        UsageError: A name that there is not, or layers whose outputs have other places.
    """
    pairs = []
    for mine, theirs in features:
        ours = _layer(mine, student, "the student")
        pair = _pair(ours, _layer(theirs, teacher, "the teacher"), student, teacher)
        shapes = [_shape(student, pair.mine), _shape(teacher, pair.theirs)]
        if shapes[0][:-1] != shapes[1][:-1]:
            raise UsageError(
                f"features: {mine} gives {[1, *shapes[0]]}, and {theirs} {[1, *shapes[1]]}: only "
                "channels may differ",
                "name layers whose outputs have the same height and width",
            )
        pairs.append(pair)
    return tuple(pairs)


def follow(student: Lifted, teacher: Lifted, pairs: Sequence[Pair], seed: int) -> Lifted:
    """The student, whose activations in `pairs` have the teacher's channels.

    A linear layer from channels to channels turns them, which trains along and is not built.
    """
    keras = _tf.tf_keras()
    turned = dict(student.activations)
    for number, pair in enumerate(pairs):
        if not pair.alike:
            start = keras.initializers.GlorotUniform(seed=seed + number)
            name = f"edgekit_follow_{number}"
            turn = keras.layers.Dense(pair.channels, kernel_initializer=start, name=name)
            turned[pair.mine] = turn(student.activations[pair.mine])
    return dataclasses.replace(student, activations=turned)


def together(
    teachers: Sequence[Lifted], pairs: Sequence[Pair], how: str, temperature: float
) -> Lifted:
    """One teacher that gives the mean of all, and the inner activations of the first.

    Args:
        teachers: With the same inputs, outputs and heads.
        pairs: The activations that are followed; all others are left out.
        how: `scores` are averaged as they are; of `probabilities`, softened, scores are made again.
        temperature: That softens them.
    """
    first = teachers[0]
    inner = {pair.mine: first.activations[pair.theirs] for pair in pairs}
    if len(teachers) == 1:
        return dataclasses.replace(first, layers=(), activations=inner)
    inputs = list(first.scores.inputs)
    each = [list(first.scores.outputs), *(_scores(other, inputs) for other in teachers[1:])]
    means = [
        _mean(head, scores, how, temperature)
        for head, *scores in zip(first.heads, *each, strict=True)
    ]
    scores = _tf.tf_keras().Model(inputs, means)
    return dataclasses.replace(first, scores=scores, layers=(), activations=inner)


def _scores(teacher: Lifted, inputs: Sequence[Any]) -> list[Any]:
    return list(_tf.tensorflow().nest.flatten(teacher.scores(list(inputs))))


def _mean(head: Head, scores: Sequence[Any], how: str, temperature: float) -> Any:
    """Scores whose probabilities are the mean of those of `scores`; or their mean."""
    tf = _tf.tensorflow()
    if how == "scores" or head == "linear":
        return sum(scores) / len(scores)
    softened = [each / temperature for each in scores]
    if head == "softmax":
        mean = sum(tf.nn.softmax(each) for each in softened) / len(scores)
        return temperature * tf.math.log(mean + _SMALLEST)
    mean = sum(tf.sigmoid(each) for each in softened) / len(scores)
    return temperature * (tf.math.log(mean + _SMALLEST) - tf.math.log(1 - mean + _SMALLEST))


def _pair(mine: LiftedLayer, theirs: LiftedLayer, student: Lifted, teacher: Lifted) -> Pair:
    indices = mine.op.outputs[0], theirs.op.outputs[0]
    ours, other = _shape(student, indices[0]), _shape(teacher, indices[1])
    return Pair(*indices, other[-1], ours == other)


def _shape(lifted: Lifted, index: int) -> tuple[int, ...]:
    return tuple(lifted.activations[index].shape[1:])


def _layer(name: str, lifted: Lifted, whose: str) -> LiftedLayer:
    layers = {layer.name: layer for layer in lifted.layers}
    if name not in layers:
        raise UsageError(
            f"features: {whose} has no layer '{name}'", did_you_mean(name, list(layers))
        )
    return layers[name]

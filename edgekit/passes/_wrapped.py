"""What passes share that train layers, wrapped or as they are: training, and the result."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import Lifted, LiftedLayer, lift
from edgekit.bridge.lower import lower
from edgekit.bridge.names import layer_names
from edgekit.bridge.weights import KINDS
from edgekit.evaluate.weights import find
from edgekit.graph.read import read
from edgekit.passes._keep import keep, trained_scales
from edgekit.passes._options import PassOptions
from edgekit.passes.base import Candidate, Context, Entry
from edgekit.passes.promises import Promise
from edgekit.problem import Problem
from edgekit.training.loop import fine_tune
from edgekit.training.options import FineTune, resolve

_SHOWN = 6


@dataclass(frozen=True)
class Training:
    """How long a pass trains.

    Attributes:
        options: With all defaults filled in.
        steps: Optimiser steps in all.
    """

    options: FineTune
    steps: int


def training(context: Context, learning_rate: float | None = None) -> Training:
    """The fine-tuning of a pass, with its own default learning rate if it has one."""
    own = {} if learning_rate is None else {"learning_rate": learning_rate}
    rows = context.rows
    options = resolve(context.fine_tune, len(rows), rows.labels is not None, **own)
    return Training(options, options.epochs * max(len(rows) // options.batch, 1))


def train(
    candidate: Candidate,
    context: Context,
    lifted: Lifted,
    planned: Training,
    *,
    callbacks: Sequence[Any] = (),
    keep_from: float = 0.0,
    holding: Container[str] = (),
    above_zero: Sequence[Any] = (),
    constant: Sequence[Any] = (),
    teacher: Lifted | None = None,
    title: str,
) -> dict[str, Any]:
    """Fine-tune `lifted` and hold what earlier passes promised.

    Args:
        candidate: Before the pass.
        context: Rows, teacher, seed, progress.
        lifted: Is trained in place.
        planned: How long.
        callbacks: Of tf_keras.
        keep_from: Share of the training before which no weights may be kept.
        holding: Names of layers whose wrappers hold earlier promises themselves.
        above_zero: Variables that must not change their sign.
        constant: Variables that stay as they are.
        teacher: To learn from; None: the original.
        title: What the user reads.

    Returns:
        `Trained.to_json()`.
    """
    _tf.tensorflow().random.set_seed(context.seed)
    if candidate.heads is not None:
        exits, weight = len(candidate.heads.layers), candidate.heads.weight
        lifted = dataclasses.replace(lifted, exits=exits, exit_weight=weight)
    trained = fine_tune(
        lifted,
        _repeated(teacher or _teacher(context.original, candidate), lifted.exits),
        context.rows,
        context.guard,
        planned.options,
        seed=context.seed,
        progress=context.progress,
        callbacks=(*callbacks, keep(candidate, lifted, holding, above_zero, constant)),
        keep_from=keep_from,
        title=title,
    )
    return trained.to_json()


def _teacher(original: bytes, candidate: Candidate) -> Lifted:
    """The original, its inner activations by the candidate's tensor indices.

    They have the channels that the candidate still has.
    """
    tf, lifted = _tf.tensorflow(), lift(original, form="folded")
    if candidate.mates is not None:
        found = {mine: lifted.activations[index] for mine, index in candidate.mates.items()}
        lifted = dataclasses.replace(lifted, layers=(), activations=found)
    narrowed = {
        index: tf.gather(lifted.activations[index], channels, axis=-1)
        for index, channels in candidate.kept.items()
        if index in lifted.activations and len(channels) < lifted.activations[index].shape[-1]
    }
    return dataclasses.replace(lifted, activations={**lifted.activations, **narrowed})


def _repeated(teacher: Lifted, exits: int) -> Lifted:
    """The teacher with its first answer once more for each exit."""
    if not exits:
        return teacher
    answers = [*teacher.scores.outputs, *[teacher.scores.outputs[0]] * exits]
    scores = _tf.tf_keras().Model(teacher.scores.inputs, answers)
    heads = (*teacher.heads, *teacher.heads[:1] * exits)
    return dataclasses.replace(teacher, scores=scores, heads=heads)


def finish(
    candidate: Candidate,
    lifted: Lifted,
    *,
    entry: Entry,
    promises: Sequence[Promise] = (),
    scales: Mapping[int, NDArray[Any]] | None = None,
    problems: Iterable[Problem] = (),
) -> Candidate:
    """The candidate with the trained weights, and what is newly said about it.

    Args:
        candidate: Before the pass.
        lifted: After training, its layers without wrappers.
        entry: For the log.
        promises: New ones, which go before old ones of the same kind and kernel.
        scales: New `weight_scales`.
        problems: New ones.
    """
    tflite = lower(lifted)
    made = {(promise.tensor, promise.kind) for promise in promises}
    kept = [p for p in candidate.promises if (p.tensor, p.kind) not in made]
    all_scales = trained_scales(candidate, lifted) | dict(scales or {})
    to = _moved(lifted, tflite)
    held = [layer for layer in lifted.layers if layer.kernel in all_scales]
    return dataclasses.replace(
        candidate,
        tflite=tflite,
        promises=tuple(
            dataclasses.replace(p, tensor=to.get(p.layer, p.tensor)) for p in (*kept, *promises)
        ),
        weight_scales={to[layer.name]: all_scales[layer.kernel] for layer in held},
        problems=(*candidate.problems, *problems, *beyond(entry.name, lifted, entry.layers)),
        log=(*candidate.log, entry),
    )


def beyond(name: str, lifted: Lifted, done: Container[str] = ()) -> list[Problem]:
    """A note that names the layers whose weights are not lifted: fused LSTM, embeddings, ...

    Args:
        name: Of the pass, which does not work on them.
        lifted: What it worked on.
        done: Names of those that it did something to all the same.
    """
    graph, reached = read(lifted.data), {layer.kernel for layer in lifted.layers}
    found = [each for each in find(graph) if each.tensor.dtype == "float32"]
    left = {each.op.index: each.op for each in found if each.tensor.index not in reached}
    names = layer_names(graph)
    left = {index: op for index, op in left.items() if names[index] not in done}
    if not left:
        return []
    shown = ", ".join(f"{names[index]} ({op.name})" for index, op in list(left.items())[:_SHOWN])
    more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
    return [
        Problem(
            "note",
            names[min(left)],
            f"{name} leaves {shown}{more} as is: no pass works on the weights of such ops",
            "nothing needs doing; an unrolled recurrent layer (unroll=True) can be worked on",
        )
    ]


def _moved(lifted: Lifted, tflite: bytes) -> dict[str, int]:
    """Layer name -> where its kernel is now: one that others read got a tensor of its own."""
    ops = read(tflite).ops
    return {
        layer.name: ops[layer.op.index].inputs[KINDS[layer.op.name].kernel]
        for layer in lifted.layers
    }


def trained(
    name: str,
    options: PassOptions,
    candidate: Candidate,
    context: Context,
    *,
    told: Mapping[str, Mapping[str, float]],
    lifted: Lifted | None = None,
    learning_rate: float | None = None,
    problems: Iterable[Problem] = (),
    title: str,
) -> Candidate:
    """A candidate whose layers the pass has changed, fine-tuned with nothing around them.

    Args:
        name: Of the pass.
        options: Of the pass.
        candidate: With the new layers.
        context: Rows, teacher, seed, progress.
        told: For the log: what each layer has now.
        lifted: The candidate, where not all of it is to learn.
        learning_rate: The pass' own default.
        problems: New ones.
        title: What the user reads.
    """
    planned, lifted = training(context, learning_rate), lifted or lift(candidate.tflite)
    found = train(candidate, context, lifted, planned, title=title)
    entry = make_entry(name, options, planned, found, told)
    return finish(candidate, lifted, entry=entry, problems=problems)


def make_entry(
    name: str,
    options: PassOptions,
    planned: Training,
    trained: Mapping[str, Any],
    layers: Mapping[str, Mapping[str, float]] | None = None,
) -> Entry:
    """The log entry of a finished pass."""
    told = options.to_json() | {"fine_tune": dataclasses.asdict(planned.options)}
    return Entry(name, told, trained, layers or {})


def kernel_of(layer: LiftedLayer) -> NDArray[Any]:
    """The variable that is trained, in Keras' layout, without the scale behind it."""
    return np.asarray(layer.kernel_variable)

"""A network of the zoo in the place of a model: the same inputs and outputs, ready to learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit import _tf
from edgekit.bridge.call import compact
from edgekit.bridge.heads import head_of
from edgekit.convert import float_tflite
from edgekit.errors import UsageError
from edgekit.graph.graph import Graph
from edgekit.training.rows import Rows
from edgekit.zoo._count import macs, parameters
from edgekit.zoo._spec import parse
from edgekit.zoo._types import Shape
from edgekit.zoo.base import refuse_shape

_ROWS = 128


def student(spec: str, original: Graph, rows: Rows, seed: int) -> bytes:
    """The float flatbuffer of the network that `spec` names.

    Its normalization has the statistics of training rows, so that what is folded into the weights
    gives activations of unit variance to begin with (as in Mishra and Matas 2016,
    arXiv:1511.06422); it then learns without statistics of batches.

    Args:
        spec: As `parse` takes it.
        original: Whose input, number of scores and last activation it gets.
        rows: Inputs of the original.
        seed: Of the weights.

    Raises:
        UsageError: The original is no model of one input and one vector of scores, or `spec` is
            wrong.
    """
    network, options = parse(spec)
    shape, classes = shapes_of(spec, original)
    head = head_of(original, original.outputs[0])[0]
    model = network.build(options, shape, classes, head=head, seed=seed)
    _settle(model, rows)
    return float_tflite(model)


def cost(spec: str, original: Graph) -> tuple[int, int]:
    """Multiply-accumulates and parameters of `student`, counted without converting it.

    Raises:
        UsageError: As `student`.
    """
    network, options = parse(spec)
    model = network.build(options, *shapes_of(spec, original))
    return macs(model), parameters(model)


def shapes_of(spec: str, original: Graph) -> tuple[Shape, int]:
    """The input and the number of scores that the network of `spec` has in place of `original`.

    Raises:
        UsageError: As `student`; nothing is built.
    """
    inputs, outputs = original.input_tensors(), original.output_tensors()
    shapes = [compact(each.shape) for each in (*inputs, *outputs)]
    if len(inputs) != 1 or len(outputs) != 1 or len(shapes[1]) != 1 or inputs[0].dtype != "float32":
        shown = " and ".join(f"{list(each.shape)} {each.dtype}" for each in (*inputs, *outputs))
        raise UsageError(
            f"student: {spec} has one float input and one vector of scores, the model {shown}",
            "give a network of your own: student=FILE",
        )
    refuse_shape(parse(spec)[0].name, shapes[0], shapes[1][0])
    return shapes[0], shapes[1][0]


def _settle(model: Any, rows: Rows) -> None:
    """Let normalization layers take their statistics from one batch of rows."""
    norms = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    if not norms:
        return
    for layer in norms:
        layer.momentum = 0.0
    chosen = np.unique(np.linspace(0, len(rows) - 1, _ROWS).astype(np.int64))
    with _tf.silent():
        model(rows.batch(chosen)[0], training=True)

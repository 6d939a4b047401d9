"""A small net to compress, rows for it, and what is counted in the result."""

from __future__ import annotations

from typing import Any

import numpy as np
from hand_made import O, T
from small_nets import RELU, Net

from edgekit.graph.read import read
from edgekit.passes import base
from edgekit.training.options import FineTune
from edgekit.training.rows import Rows

CONV, DEPTHWISE, POINTWISE, DENSE = "y0", "y1", "y2", "y4"
"""Names of the layers; y3 is a mean."""


def net(seed: int = 0) -> bytes:
    """conv 3x3 (4 -> 8), depthwise, conv 1x1 (8 -> 8), mean, dense (8 -> 8)."""
    rng = np.random.default_rng(seed)
    made = Net(6, 6, 4).conv(rng.normal(size=(8, 3, 3, 4)), rng.normal(size=8))
    made.depthwise(rng.normal(size=(1, 3, 3, 8)), rng.normal(size=8))
    made.conv(rng.normal(size=(8, 1, 1, 8)), rng.normal(size=8))
    return made.mean().dense(rng.normal(size=(8, 8)), rng.normal(size=8)).tflite()


def depthwise_only(seed: int = 0) -> bytes:
    """A net with nothing that TFMOT prunes or clusters."""
    rng = np.random.default_rng(seed)
    return Net(6, 6, 4).depthwise(rng.normal(size=(1, 3, 3, 4))).mean().tflite()


def shared_dense(seed: int = 0) -> bytes:
    """Two FULLY_CONNECTED in a row that read the same weights."""
    rng = np.random.default_rng(seed)
    made = Net(8).dense(rng.normal(size=(8, 8)), rng.normal(size=8), RELU)
    made.ops.append(O("FULLY_CONNECTED", (3, 1, 2), (4,), made.ops[0].options))
    made.tensors.append(T("y1", (1, 8)))
    made.last = 4
    return made.tflite()


def context(tflite: bytes, seed: int = 0, **fine_tune: Any) -> base.Context:
    """16 rows to learn from, 8 to guard; two epochs of four steps."""
    rng = np.random.default_rng(1)
    shape = read(tflite).input_tensors()[0].shape[1:]
    rows, guard = (
        Rows((rng.normal(size=(count, *shape)).astype(np.float32),)) for count in (16, 8)
    )
    tuned = {"epochs": 2, "batch": 4, "augment": ("none",)} | fine_tune
    return base.Context(tflite, rows, guard, FineTune(**tuned), seed)


def run(
    spec: dict[str, Any], before: base.Candidate, seed: int = 0, **fine_tune: Any
) -> base.Candidate:
    """`before` after the pass that `spec` names, as a `[[compress]]` table would."""
    options, tuning = base.from_mapping(spec["pass"], spec, "edgekit.toml")
    shared = context(before.tflite, seed, **fine_tune)
    return base.load(spec["pass"]).run(before, options, shared.tuned(tuning))


def constants(tflite: bytes, place: int) -> dict[str, np.ndarray]:
    """Layer name -> an input of its op: 1 for the kernels, 2 for the biases."""
    graph = read(tflite)
    return {
        graph.tensors[op.outputs[0]].name: np.asarray(graph.tensors[op.inputs[place]].data)
        for op in graph.ops
        if op.name != "MEAN"
    }


def kernels(tflite: bytes) -> dict[str, np.ndarray]:
    """Layer name -> its kernel, as the flatbuffer has it."""
    return constants(tflite, 1)


def zeros(tflite: bytes) -> dict[str, float]:
    """Layer name -> the share of zeros in its kernel."""
    return {name: float((kernel == 0).mean()) for name, kernel in kernels(tflite).items()}


def codes(candidate: base.Candidate, layer: str) -> np.ndarray:
    """The kernel of a layer in units of the candidate's `weight_scales`, [out, ...]."""
    graph = read(candidate.tflite)
    op = next(op for op in graph.ops if graph.tensors[op.outputs[0]].name == layer)
    scale = candidate.weight_scales[op.inputs[1]]
    kernel = np.asarray(graph.tensors[op.inputs[1]].data)
    return kernel / scale.reshape(-1, *[1] * (kernel.ndim - 1))

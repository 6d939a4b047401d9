"""Recurrent layers that are one operator of the file: their weights can go, but cannot be trained.

The smallest become zero before the training, and the other layers make up for them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgekit.bridge.names import layer_names
from edgekit.evaluate import weights
from edgekit.graph import edit
from edgekit.graph.graph import Op
from edgekit.graph.read import read
from edgekit.passes import _masks
from edgekit.passes.base import Candidate
from edgekit.passes.promises import Promise

_OPS = {
    "LSTM": "LSTM",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "LSTM",
    "BIDIRECTIONAL_SEQUENCE_LSTM": "LSTM",
    "RNN": "RNN",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "RNN",
    "SVDF": "SVDF",
}
"""Operator -> what a layer of it is called."""


@dataclass(frozen=True, eq=False)
class Fused:
    """A recurrent layer.

    Attributes:
        name: As `layer_names` has it.
        kind: `LSTM`, `RNN` or `SVDF`.
        op: The operator.
        tensors: Indices of its matrices: of inputs and states, of every gate.
        kernel: All of their weights, flat, one matrix behind the other.
    """

    name: str
    kind: str
    op: Op
    tensors: tuple[int, ...]
    kernel: np.ndarray

    def kernel_array(self) -> np.ndarray:
        """The weights."""
        return self.kernel


def find(tflite: bytes) -> list[Fused]:
    """Those of a float flatbuffer, in the order of execution."""
    graph = read(tflite)
    names, found = layer_names(graph), weights.find(graph)
    layers = []
    for op in graph.ops:
        mine = [e.tensor for e in found if e.op.index == op.index and e.tensor.dtype == "float32"]
        if op.name in _OPS and mine:
            every = np.concatenate([np.asarray(tensor.data).ravel() for tensor in mine])
            indices = tuple(tensor.index for tensor in mine)
            layers.append(Fused(names[op.index], _OPS[op.name], op, indices, every))
    return layers


def zeroed(candidate: Candidate, shares: Mapping[str, float]) -> Candidate:
    """The candidate with that share of each layer's weights zero, and the promise of it."""
    if not shares:
        return candidate
    model, made = edit.unpack(candidate.tflite), []
    for layer in find(candidate.tflite):
        if layer.name not in shares:
            continue
        kept, begin = _masks.mask(layer.kernel, shares[layer.name]), 0
        for index in layer.tensors:
            tensor = model.subgraphs[0].tensors[index]
            values = edit.constant(model, tensor)
            assert values is not None, "they are constants"
            values = values * kept[begin : begin + values.size].reshape(values.shape)
            begin += values.size
            edit.set_constant(model, tensor, values.astype(np.float32))
            made.append(Promise(layer.name, index, "sparsity", float((values == 0).mean())))
    new = {(promise.tensor, promise.kind) for promise in made}
    old = [p for p in candidate.promises if (p.tensor, p.kind) not in new]
    return dataclasses.replace(candidate, tflite=edit.pack(model), promises=(*old, *made))


def zeros(tflite: bytes, names: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Layer name -> its share of zeros, for the log."""
    return {
        layer.name: {"sparsity": float((layer.kernel == 0).mean())}
        for layer in find(tflite)
        if layer.name in names
    }

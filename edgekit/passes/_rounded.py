"""A candidate as a model that rounds where, and as, its int8 file will."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from edgekit import _tf
from edgekit.bridge.lift import LiftedLayer, lift
from edgekit.calibrate import ranges
from edgekit.errors import ModelError
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.model import TensorSpec
from edgekit.passes._chosen import note
from edgekit.passes._fake_quant import FakeQuantized, Rounding, Scales
from edgekit.passes._keep import clustered, sparse
from edgekit.passes._ranged import Range, activation, union
from edgekit.passes._wrapped import finish
from edgekit.passes.base import Candidate, Entry
from edgekit.passes.select import select
from edgekit.problem import Problem
from edgekit.quantizers._grid import grids
from edgekit.training.rows import Rows

CALIBRATED = 256
"""Rows that ranges start from."""
SIGMAS = 8
"""Typical width of an activation's range in standard deviations."""
_NAME = "quantize_aware"
MOVES = (
    *("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "PAD", "SLICE", "STRIDED_SLICE", "GATHER"),
    *("MAX_POOL_2D", "CONCATENATION", "PACK", "SPACE_TO_DEPTH", "DEPTH_TO_SPACE", "REDUCE_MAX"),
    *("SPLIT", "SPLIT_V", "UNPACK", "MIRROR_PAD", "GATHER_ND", "RESIZE_NEAREST_NEIGHBOR"),
)
"""Their outputs are values of their inputs, or zero: rounded already where the range is one."""


class Choice(Protocol):
    """What is rounded, and how its ranges move: `quantize_aware.Options` has it."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Patterns of the layers that are rounded; none: all."""

    @property
    def exclude(self) -> tuple[str, ...]:
        """Patterns of layers that are not."""

    @property
    def decay(self) -> float:
        """Of the moving average of ranges."""


class Rounded:
    """A candidate as a model that rounds, and back.

    Kernels are rounded in a wrapper around each layer, which also keeps what earlier passes
    promised. An activation is rounded where the int8 quantizer gives it a scale, on the range that
    decides that scale.

    Args:
        candidate: What to train.
        options: What is rounded.
        rows: To learn from; ranges start from the smallest and largest values on some of them.

    Attributes:
        lifted: To be trained; its wrappers hold earlier promises.

    Raises:
        ModelError: No layer would be rounded.
        UsageError: A pattern that fits no layer.
    """

    def __init__(self, candidate: Candidate, options: Choice, rows: Rows) -> None:
        self._candidate, self._graph = candidate, read(candidate.tflite)
        self._makers = {index: op for op in self._graph.ops for index in op.outputs}
        self._grids = grids(candidate.tflite)
        plain = lift(candidate.tflite, form="folded").layers
        chosen = {layer.name for layer in select(plain, options.layers, options.exclude)}
        self._skipped = [layer for layer in plain if layer.name not in chosen]
        if all(self._scales_in_file(layer) == "none" for layer in plain):
            raise ModelError(
                "no layer that qat may round becomes int8: there is nothing to train for",
                "leave qat out, or choose other layers",
            )
        self._start = start_ranges(candidate.tflite, self._graph, rows)
        self._decay = _tf.tensorflow().Variable(options.decay, trainable=False)
        self._groups = self._measured()
        self._faked: dict[str, tuple[LiftedLayer, FakeQuantized]] = {}
        self.lifted = lift(candidate.tflite, form="folded", wrap=self._wrap, after=self._after)

    def freeze(self, first: float) -> Any:
        """A callback that holds the ranges from the epoch `first` on, the first of all being 0."""
        keras, decay = _tf.tf_keras(), self._decay

        class Freeze(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
                if epoch >= first:
                    decay.assign(1.0)

        return Freeze()

    def finished(self, entry: Entry) -> Candidate:
        """The candidate with the trained weights, and what the int8 file is to have.

        The weights go back into the layers, so that this ends the rounding.
        """
        scales = {layer.kernel: faked.restore() for layer, faked in self._faked.values()}
        # what it says of scales is about kernels as they were
        before = dataclasses.replace(
            self._candidate, weight_scales={}, ranges=dict(self._learned())
        )
        found = {kernel: scale for kernel, scale in scales.items() if scale is not None}
        return finish(before, self.lifted, entry=entry, scales=found, problems=self._problems())

    def _problems(self) -> Iterator[Problem]:
        """What is not trained as the int8 file computes it."""
        hint = "leave `layers` and `exclude` out to train all of them"
        yield from note(self._skipped, "not rounded in training, but in int8 files: {}", hint)
        if self._grids.floats:
            names = ", ".join(self._grids.floats)
            hint = "nothing to do; other ops in their place would become int8"
            yield Problem("note", _NAME, f"stay float in training and file: {names}", hint)

    def _learned(self) -> Iterator[tuple[int, tuple[float, float]]]:
        for index, grid in self._grids.activations.items():
            if grid.source in self._groups:
                yield index, union(self._groups[grid.source].values())

    def _measured(self) -> dict[int, dict[int, Range]]:
        """The tensor whose range decides in the file -> ranges of those that it decides for.

        Those that only hold values of others are left out: what they are is rounded already.
        """
        unrounded = {
            self._graph.ops[number].outputs[0] for layer in self._skipped for number in layer.ops
        }
        groups: dict[int, dict[int, Range]] = {}
        for index, grid in self._grids.activations.items():
            measured = index in self._start and not self._moved(index)
            if grid.source >= 0 and grid.source not in unrounded and measured:
                groups.setdefault(grid.source, {})[index] = Range(*self._start[index])
        return groups

    def _wrap(self, layer: LiftedLayer) -> Any:
        """Around all layers, rounded or not: the wrapper is what keeps earlier promises."""
        low, high = self._start.get(layer.op.outputs[0], (0.0, 0.0))
        rounding = Rounding(
            scales=self._scales_in_file(layer),
            sparse=sparse(self._candidate, layer),
            books=clustered(self._candidate, layer),
            shared=self._candidate.weight_scales.get(layer.kernel),
            unit=(high - low) / SIGMAS or 1.0,
        )
        faked = FakeQuantized(layer.layer, layer.kind, rounding)
        self._faked[layer.name] = layer, faked
        return faked.wrapper

    def _scales_in_file(self, layer: LiftedLayer) -> Scales:
        if layer.name in {skipped.name for skipped in self._skipped}:
            return "none"
        per_channel = self._grids.kernels.get(layer.kernel)
        return "none" if per_channel is None else "channel" if per_channel else "tensor"

    def _after(self, index: int) -> Any | None:
        """The layer that rounds an activation; None where it is float, or rounded already."""
        grid, name = self._grids.activations.get(index), f"rounded_{index}"
        if grid is not None and grid.source < 0 and not self._moved(index):
            fixed = Range(grid.low, grid.high)
            return activation(name, fixed, [fixed], None)
        group = self._groups.get(grid.source, {}) if grid is not None else {}
        if index not in group:
            return None
        # what comes in is what it is: it has been measured, and augmentation must not move it
        decay = None if index in self._graph.inputs else self._decay
        return activation(name, group[index], list(group.values()), decay)

    def _moved(self, index: int) -> bool:
        """Whether the tensor holds nothing but values of others on the same grid."""
        maker = self._makers.get(index)
        if maker is None or maker.name not in MOVES:
            return False
        grids, tensors = self._grids.activations, self._graph.tensors
        sources = [i for i in maker.inputs if i >= 0 and tensors[i].dtype == "float32"]
        return all(grids.get(source) == grids[index] for source in sources)


def start_ranges(tflite: bytes, graph: Graph, rows: Rows) -> dict[int, tuple[float, float]]:
    """The smallest and largest value of each activation on some of the rows."""
    specs = [TensorSpec(t.name, t.shape, t.dtype) for t in graph.input_tensors()]
    chosen = np.unique(np.linspace(0, len(rows) - 1, CALIBRATED).astype(np.int64))

    def each() -> Iterator[tuple[np.ndarray, ...]]:
        for position in chosen:
            row = rows.batch(np.array([position]))
            yield tuple(a.reshape(s.shape) for a, s in zip(row, specs, strict=True))

    return ranges.read(ranges.calibrate(tflite, specs, each))

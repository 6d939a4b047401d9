"""int8: integer weights and activations, static scales from calibration data.

With estimator `minmax` and no corrections the result is the TensorFlow converter's: the same
calibrator and the same quantizer (`mlir_quantize`), given the flatbuffer in place of a Keras model.
What training decided (`Model.learned`) goes before what calibration finds.
Specification: https://ai.google.dev/edge/litert/models/quantization_spec
"""

from __future__ import annotations

import dataclasses
from typing import Any

from edgekit._tf import module, tensorflow
from edgekit.bridge.activations import activations
from edgekit.calibrate import ranges
from edgekit.calibrate.choose import CORRECTIONS, Pipeline, Wish, choose
from edgekit.errors import ModelError
from edgekit.evaluate.matching import match
from edgekit.graph.read import read
from edgekit.graph.slices import slice_all
from edgekit.graph.tied import around
from edgekit.graph.widen import widen
from edgekit.model import Learned, Model
from edgekit.problem import Problem
from edgekit.quantizers._code_book import rescale
from edgekit.quantizers.base import Base, Quantized, QuantizeOptions, Rows, left_float

IN_FLOAT = ("DIV", "EXP", "LOG")
"""Stay float: one scale cannot serve results from tiny to huge, int8 DIV stops the program where
a divisor rounds to zero, and microcontrollers have no int8 EXP and LOG."""


_SCALES_LOST = Problem(
    "warning",
    "quantize",
    "per_channel = false: clustered kernels get one scale a tensor and lose their code books",
    "leave per_channel out, or leave out cluster",
)


class Quantizer(Base):
    """Static int8."""

    name = "int8"
    io = ("int8", "uint8", "float32")
    calibrates = True
    uses_ranges = True

    def apply(self, model: Model, rows: Rows, options: QuantizeOptions) -> Quantized:
        """Calibrate and quantize; see `Base.quantize`."""
        return self.built(model, rows, options, model.tflite)

    def built(
        self, model: Model, rows: Rows, options: QuantizeOptions, weights: bytes
    ) -> Quantized:
        """What `apply` gives, with kernels from elsewhere where they have scales of their own.

        Args:
            model: As for `quantize`.
            rows: Likewise.
            options: Likewise.
            weights: The model's flatbuffer, perhaps with other values in its kernels.
        """
        dense = not options.disable_per_channel_dense
        options, problems = settled(model.learned, _located(model.tflite, options))

        def to_integers(calibrated: bytes) -> bytes:
            built = to_int8(ranges.replace(calibrated, model.learned.ranges), options)
            scales = model.learned.weight_scales if options.per_channel else {}
            built = rescale(weights, built, scales, dense)
            return widen(built, _counterparts(model.tflite, built, options.keep_int16))

        wish = Wish(options.estimator, options.equalise, options.bias_correct)
        pipeline = Pipeline(model.tflite, model.inputs, to_integers, options.keep_int16)
        chosen = choose(pipeline, wish, rows)
        floats = left_float(chosen.tflite, self.name, options.keep_float)
        return Quantized(
            chosen.tflite,
            chosen.estimator,
            chosen.effects,
            (*problems, *chosen.problems, *floats),
            chosen.reference,
        )


def _located(tflite: bytes, options: QuantizeOptions) -> QuantizeOptions:
    """The options with names of tensors, where they may be those of layers."""
    return dataclasses.replace(
        options,
        keep_float=activations(tflite, options.keep_float),
        keep_int16=activations(tflite, options.keep_int16),
    )


def _counterparts(tflite: bytes, built: bytes, names: tuple[str, ...]) -> frozenset[str]:
    """What the built file calls these activations: the quantizer renames some."""
    if not names:
        return frozenset()
    left, right = read(tflite), read(built)
    pairs = {i: left.tensors[j].name for i, j in match(left, right).items()}
    lost = set(names) - set(pairs.values())
    if lost:
        raise ModelError(
            f"'{min(lost)}' cannot get 16 bits: the int8 file has no such tensor",
            "leave it out of keep_int16, or keep it in float: keep_float",
        )
    return frozenset(right.tensors[index].name for index, name in pairs.items() if name in names)


def settled(
    learned: Learned, options: QuantizeOptions
) -> tuple[QuantizeOptions, tuple[Problem, ...]]:
    """The options that leave what was learned as it is, and what the user should know of it.

    Corrections would undo it: equalisation rescales channels, and learned weights have met their
    own rounding. Training rounds dense kernels with one scale, which every runtime can read.
    """
    changes: dict[str, Any] = {}
    if learned.weight_scales or learned.ranges:
        changes["equalise"] = "off"
    if learned.ranges:
        changes |= {"estimator": "minmax", "bias_correct": "off", "disable_per_channel_dense": True}
    settled = dataclasses.replace(options, **changes)
    problems = [_overruled(options, settled)] if _wished(options, settled) else []
    if learned.weight_scales and not options.per_channel:
        problems.append(_SCALES_LOST)
    return settled, tuple(problems)


def _wished(options: QuantizeOptions, settled: QuantizeOptions) -> list[str]:
    """What was asked for by name and is not done."""
    names = [name for name in CORRECTIONS if getattr(options, name) == "on"]
    wished = [name for name in names if getattr(settled, name) != "on"]
    if options.estimator not in ("auto", settled.estimator):
        wished.append(f"estimator {options.estimator}")
    return wished


def _overruled(options: QuantizeOptions, settled: QuantizeOptions) -> Problem:
    return Problem(
        "note",
        "quantize",
        f"{', '.join(_wished(options, settled))} not applied: training has decided the int8 form",
        "leave them out, or leave out the pass (cluster, qat) that decides",
    )


def to_int8(calibrated: bytes, options: QuantizeOptions) -> bytes:
    """A flatbuffer with calibrated ranges, quantized by TensorFlow's own quantizer.

    Raises:
        ModelError: The quantizer does not take it; names the op.
        UsageError: `keep_float` names no activation.
    """
    tf = tensorflow()
    convert = module("tensorflow.lite.python.convert")

    sliced = slice_all(calibrated)
    kept = [output for _, output in around(sliced, options.keep_float)]

    def work() -> bytes:
        built: bytes = convert.mlir_quantize(
            sliced,
            denylisted_ops=list(IN_FLOAT),  # a tuple would be ignored
            denylisted_nodes=kept,
            disable_per_channel=not options.per_channel,
            input_data_type=tf.as_dtype(options.input_dtype or Quantizer.io[0]),
            output_data_type=tf.as_dtype(options.output_dtype or Quantizer.io[0]),
            disable_per_channel_for_dense_layers=options.disable_per_channel_dense,
        )
        return built

    return ranges.quietly("the int8 quantizer", work)

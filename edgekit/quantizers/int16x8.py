"""int16x8: int16 activations, int8 weights, int64 biases; min-max ranges.

65,536 levels leave estimators and corrections nothing to gain, so they are not applied.
https://ai.google.dev/edge/litert/models/post_training_integer_quant_16x8
"""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np

from edgekit._tf import module, tensorflow
from edgekit.calibrate.interpret import Interpreter
from edgekit.calibrate.ranges import checked, quietly
from edgekit.graph import edit
from edgekit.model import Model
from edgekit.problem import Problem
from edgekit.quantizers._code_book import PLACES, rescale
from edgekit.quantizers.base import Base, Quantized, QuantizeOptions, Rows, left_float

SMALLEST = 5e-7 / 127
"""Scale of a channel without weights, as the int8 quantizer has it."""


class Quantizer(Base):
    """Static int16 activations with int8 weights."""

    name = "int16x8"
    io = ("int16", "float32")
    calibrates = True

    def apply(self, model: Model, rows: Rows, options: QuantizeOptions) -> Quantized:
        """Calibrate and quantize; see `Base.quantize`."""
        tf = tensorflow()
        calibrator = module("tensorflow.lite.python.optimize.calibrator")

        def feed() -> Iterator[list[np.ndarray]]:
            return (list(row) for row in checked(rows(), model.inputs))

        def work() -> bytes:
            extended = calibrator.add_intermediate_tensors(_own_biases(model.tflite))
            built: bytes = calibrator.Calibrator(extended).calibrate_and_quantize(
                feed,
                tf.as_dtype(options.input_dtype or self.io[0]),
                tf.as_dtype(options.output_dtype or self.io[0]),
                allow_float=True,
                activations_type=tf.int16,
                bias_type=tf.int64,
                disable_per_channel=not options.per_channel,
                disable_per_channel_quantization_for_dense_layers=options.disable_per_channel_dense,
            )
            return built

        built = _positive(quietly("the int16x8 quantizer", work))
        # The quantizer writes int16 ops that have no kernel: better found here than on the device.
        Interpreter(built).run(next(checked(rows(), model.inputs)))
        if options.per_channel:
            dense = not options.disable_per_channel_dense
            built = rescale(model.tflite, built, model.learned.weight_scales, dense)
        return Quantized(built, "minmax", {}, (*_ignored(options), *left_float(built, self.name)))


def _own_biases(tflite: bytes) -> bytes:
    """The float flatbuffer with a bias tensor for each op that adds one.

    A layer that is called twice has one, and TensorFlow writes it in steps of the first call's
    input scale only (2.21; its int8 quantizer does not).
    """
    model, changed = edit.unpack(tflite), False
    for graph in model.subgraphs:
        seen: set[int] = set()
        for op in graph.operators:
            places = PLACES.get(edit.operator_name(model, op))
            index = int(op.inputs[places.bias]) if places and len(op.inputs) > places.bias else -1
            if places and index in seen:
                own = copy.copy(graph.tensors[index])
                own.name = b"%s;%d" % (bytes(own.name), len(graph.tensors))
                graph.tensors.append(own)
                values = edit.constant(model, own)
                if values is not None:
                    edit.set_constant(model, own, values)  # in a buffer of its own
                op.inputs = np.array(op.inputs)  # what was read from a file is read-only
                op.inputs[places.bias] = len(graph.tensors) - 1
                changed = True
            seen |= {index} if index >= 0 else set()
    return edit.pack(model) if changed else tflite


def _positive(built: bytes) -> bytes:
    """`built` with a scale for the channels that have neither weights nor a bias.

    TensorFlow gives them scale 0, and their bias, too, which no runtime has to take. All that
    they store is 0, whatever its scale.
    """
    model, changed = edit.unpack(built), False
    for tensor in (tensor for graph in model.subgraphs for tensor in graph.tensors):
        scale = getattr(tensor.quantization, "scale", None)
        if scale is not None and np.any(np.asarray(scale) == 0):
            tensor.quantization.scale = np.where(scale == 0, np.float32(SMALLEST), scale)
            changed = True
    return edit.pack(model) if changed else built


def _ignored(options: QuantizeOptions) -> tuple[Problem, ...]:
    given = [f"estimator {options.estimator}"] if options.estimator != "minmax" else []
    given += [name for name in ("equalise", "bias_correct") if getattr(options, name) == "on"]
    if not given:
        return ()
    return (
        Problem(
            "note",
            "quantize",
            f"int16x8 takes min-max ranges as they are: {', '.join(given)} not applied",
            "16 bits leave them nothing to gain; use them with --quantize int8",
        ),
    )

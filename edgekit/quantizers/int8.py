"""int8: integer weights and activations, static scales from calibration data.

With estimator `minmax` and no corrections the result is the TensorFlow converter's: the same
calibrator and the same quantizer (`mlir_quantize`), given the flatbuffer in place of a Keras model.
Specification: https://ai.google.dev/edge/litert/models/quantization_spec
"""

from __future__ import annotations

from collections.abc import Callable

from edgekit._tf import tensorflow
from edgekit.calibrate.choose import Pipeline, Wish, choose
from edgekit.calibrate.ranges import quietly
from edgekit.graph.read import read
from edgekit.model import Model
from edgekit.quantizers.base import Base, Quantized, QuantizeOptions, Rows, float_ops, left_float

TRIES = 16  # about half of them succeed where the result varies


class Quantizer(Base):
    """Static int8."""

    name = "int8"
    io = ("int8", "uint8", "float32")
    calibrates = True

    def apply(self, model: Model, rows: Rows, options: QuantizeOptions) -> Quantized:
        """Calibrate and quantize; see `Base.quantize`."""
        pipeline = Pipeline(model.tflite, model.inputs, lambda data: to_int8(data, options))
        wish = Wish(options.estimator, options.equalise, options.bias_correct)
        chosen = choose(pipeline, wish, rows)
        return Quantized(
            chosen.tflite,
            chosen.estimator,
            chosen.effects,
            (*chosen.problems, *left_float(chosen.tflite, self.name)),
        )


def to_int8(calibrated: bytes, options: QuantizeOptions) -> bytes:
    """A flatbuffer with calibrated ranges, quantized by TensorFlow's own quantizer.

    Raises:
        ModelError: The quantizer does not take it; names the op.
    """
    tf = tensorflow()
    from tensorflow.lite.python.convert import mlir_quantize

    def work() -> bytes:
        built: bytes = mlir_quantize(
            calibrated,
            disable_per_channel=not options.per_channel,
            input_data_type=tf.as_dtype(options.input_dtype or Quantizer.io[0]),
            output_data_type=tf.as_dtype(options.output_dtype or Quantizer.io[0]),
            disable_per_channel_for_dense_layers=options.disable_per_channel_dense,
        )
        return built

    built = quietly("the int8 quantizer", work)
    if not (_wavers(built) and float_ops(built)):
        return built
    return _best(built, lambda: quietly("the int8 quantizer", work))


def _wavers(built: bytes) -> bool:
    """Whether the quantizer may give another result next time.

    It visits ops in the order of their addresses, and for SPLIT and UNPACK the order decides
    whether the op becomes integer (TF 2.21).
    """
    return any(len(op.outputs) > 1 for op in read(built).ops)


def _best(built: bytes, again: Callable[[], bytes]) -> bytes:
    """Of several results the one with the fewest float ops; of equals the least by its bytes."""
    tried = [built]
    while len(tried) < TRIES and float_ops(tried[-1]):
        tried.append(again())
    return min(tried, key=lambda result: (len(float_ops(result)), result))

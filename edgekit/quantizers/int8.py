"""int8: integer weights and activations, static scales from calibration data.

With estimator `minmax` and no corrections the result is the TensorFlow converter's: the same
calibrator and the same quantizer (`mlir_quantize`), given the flatbuffer in place of a Keras model.
Specification: https://ai.google.dev/edge/litert/models/quantization_spec
"""

from __future__ import annotations

from edgekit._tf import tensorflow
from edgekit.calibrate.choose import Pipeline, Wish, choose
from edgekit.calibrate.ranges import quietly
from edgekit.graph.slices import slice_all
from edgekit.model import Model
from edgekit.quantizers.base import Base, Quantized, QuantizeOptions, Rows, left_float

IN_FLOAT = ("DIV", "EXP", "LOG")
"""Stay float: one scale cannot serve results from tiny to huge, int8 DIV stops the program where
a divisor rounds to zero, and microcontrollers have no int8 EXP and LOG."""


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
            chosen.reference,
        )


def to_int8(calibrated: bytes, options: QuantizeOptions) -> bytes:
    """A flatbuffer with calibrated ranges, quantized by TensorFlow's own quantizer.

    Raises:
        ModelError: The quantizer does not take it; names the op.
    """
    tf = tensorflow()
    from tensorflow.lite.python.convert import mlir_quantize

    sliced = slice_all(calibrated)

    def work() -> bytes:
        built: bytes = mlir_quantize(
            sliced,
            denylisted_ops=list(IN_FLOAT),  # a tuple would be ignored
            disable_per_channel=not options.per_channel,
            input_data_type=tf.as_dtype(options.input_dtype or Quantizer.io[0]),
            output_data_type=tf.as_dtype(options.output_dtype or Quantizer.io[0]),
            disable_per_channel_for_dense_layers=options.disable_per_channel_dense,
        )
        return built

    return quietly("the int8 quantizer", work)

"""float32: the flatbuffer as it is. Also the way out for a model that is quantized already."""

from __future__ import annotations

from edgekit.graph.read import read
from edgekit.model import Model
from edgekit.problem import Problem
from edgekit.quantizers.base import Base, Quantized, QuantizeOptions, Rows, quantized_already


class Quantizer(Base):
    """No quantization."""

    name = "float32"
    accepts_quantized = True

    def apply(self, model: Model, rows: Rows, options: QuantizeOptions) -> Quantized:
        """The model's own flatbuffer; see `Base.quantize`."""
        dtype = quantized_already(read(model.tflite))
        if not dtype:
            return Quantized(model.tflite)
        note = Problem(
            "note",
            model.source.path.name,
            f"already quantized ({dtype}): exported as it is",
            "give the float model to choose the number format",
        )
        return Quantized(model.tflite, problems=(note,))

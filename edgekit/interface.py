"""What a program must know of a built model to call it, whatever language it is written in.

The one contract between raw data and the model's input, which every exporter repeats:

    raw row -> resized (bilinear, `edgekit.data.resize`)
            -> ((x * scale + offset) - mean) / std, in float64, rounded once to float32
            -> for integer inputs: divided by the input's scale in float32, rounded half away from
               zero, plus the zero point, clamped; NaN is the zero point (`edgekit.affine`)

An input of int32, int64 or bool that is not quantized takes class numbers, tokens or flags: whole
numbers, as they are. A program that repeats all this has the integers of `prepare` bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.affine import quantise
from edgekit.artifact import sha256
from edgekit.data.prepare import INTEGERS
from edgekit.errors import DataError
from edgekit.graph.graph import Graph, Tensor
from edgekit.preprocess import Preprocess

RELEASE = "1.0.0"
_SHORT = 12


@dataclass(frozen=True)
class Port:
    """An input or output of a built model.

    Attributes:
        name: Any text.
        shape: With the batch axis, which is 1.
        dtype: Of its elements, a numpy name.
        scale, zero_point: real = scale * (stored - zero_point); None where nothing is quantized.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class Interface:
    """A built model as its caller sees it.

    Attributes:
        name: Of the model, any text.
        sha256: Of `model.tflite`, hexadecimal.
        inputs, outputs: In the model's order.
        preprocess: From raw rows to real values of the inputs.
        labels: Names of the classes, in the order of the scores; empty where they are not known.
    """

    name: str
    sha256: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    preprocess: Preprocess
    labels: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """Of the library that a model becomes, in a form that package managers take.

        Another model has another one, so that it takes the place of the last.
        """
        return f"{RELEASE}+sha{self.sha256[:_SHORT]}"


def interface_of(
    name: str, tflite: bytes, graph: Graph, preprocess: Preprocess, labels: tuple[str, ...]
) -> Interface:
    """The interface of a built flatbuffer; `graph` is what `edgekit.graph.read` makes of it."""
    inputs, outputs = (
        tuple(_port(tensor) for tensor in side)
        for side in (graph.input_tensors(), graph.output_tensors())
    )
    return Interface(name, sha256(tflite), inputs, outputs, preprocess, labels)


def prepare(row: NDArray[Any], tensor: Tensor, preprocess: Preprocess) -> NDArray[Any]:
    """A raw row [..., channels] as the input `tensor` stores it, without the batch axis.

    Raises:
        DataError: The row does not fit what was declared.
    """
    if tensor.dtype in INTEGERS and tensor.quantization is None:
        return _whole(row, tensor)
    return quantise(preprocess.apply(row), tensor)


def _whole(row: NDArray[Any], tensor: Tensor) -> NDArray[Any]:
    with np.errstate(invalid="ignore"):
        whole = row.astype(tensor.dtype)
    if not np.array_equal(whole, row):
        raise DataError(
            f"input '{tensor.name}' takes {tensor.dtype}, and a value is none",
            "give whole numbers in the range of that type",
        )
    return whole


def _port(tensor: Tensor) -> Port:
    known = tensor.quantization
    if known is None or len(known.scale) != 1:
        return Port(tensor.name, tensor.shape, tensor.dtype)
    scale, zero = float(known.scale[0]), int(known.zero_point[0])
    return Port(tensor.name, tensor.shape, tensor.dtype, scale, zero)

"""Run a flatbuffer row by row while quantizing: float32 rows in, every tensor within reach.

The optimised kernels without delegates: several times faster than the reference kernels, and the
same on every processor of a kind, which XNNPACK's are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from edgekit._tf import silent
from edgekit.affine import dequantise, quantise
from edgekit.errors import ModelError
from edgekit.graph.graph import Tensor
from edgekit.graph.read import read
from edgekit.sqnr import Sqnr

Row = tuple[np.ndarray, ...]
Rows = Callable[[], Iterator[Row]]


class Interpreter:
    """One flatbuffer on LiteRT, one thread.

    Args:
        tflite: The flatbuffer.
        keep: Keep intermediate tensors readable after a run.

    Raises:
        ModelError: LiteRT cannot run it.
    """

    def __init__(self, tflite: bytes, keep: bool = False) -> None:
        self.graph = read(tflite)
        self._litert = _load(tflite, keep)

    def run(self, row: Row) -> list[np.ndarray]:
        """Run one row of real values; the outputs as real values."""
        self._litert.reset_all_variables()
        for tensor, values in zip(self.graph.input_tensors(), row, strict=True):
            self._litert.set_tensor(tensor.index, quantise(values, tensor))
        try:
            self._litert.invoke()
        except RuntimeError as error:
            raise _unrunnable(error) from error
        return [self.read(tensor) for tensor in self.graph.output_tensors()]

    def read(self, tensor: Tensor) -> np.ndarray:
        """The tensor's values after a run, float32 in real units."""
        return dequantise(self._litert.get_tensor(tensor.index), tensor)

    def readable(self, tensor: Tensor) -> bool:
        """Whether the tensor holds values after a run: temporaries of some ops never do."""
        try:
            self._litert.get_tensor(tensor.index)
        except ValueError:
            return False
        return True


def sqnr(reference: bytes, built: bytes, rows: Rows) -> float:
    """Signal to quantisation noise ratio of the outputs over `rows`, in dB.

    With several outputs the mean of theirs.
    """
    exact, rough = Interpreter(reference), Interpreter(built)
    sums = [Sqnr() for _ in exact.graph.outputs]
    for row in rows():
        pairs = zip(exact.run(row), rough.run(row), strict=True)
        sums = [sums[i].add((want,), (got,)) for i, (want, got) in enumerate(pairs)]
    return float(np.mean([ratio.db for ratio in sums]))


def _load(tflite: bytes, keep: bool) -> Any:
    from ai_edge_litert.interpreter import Interpreter as LiteRT
    from ai_edge_litert.interpreter import OpResolverType

    try:
        with silent():
            litert = LiteRT(
                model_content=tflite,
                num_threads=1,
                experimental_preserve_all_tensors=keep,
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            litert.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise _unrunnable(error) from error
    return litert


def _unrunnable(error: Exception) -> ModelError:
    return ModelError(
        f"LiteRT cannot run the model: {error}",
        "Remove or replace the op that it names, or pick another quantizer.",
    )

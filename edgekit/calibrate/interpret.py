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
from edgekit.evaluate.sqnr import Sqnr
from edgekit.graph.graph import Tensor
from edgekit.graph.read import read

SQUEEZES = ("SOFTMAX", "LOGISTIC", "QUANTIZE", "DEQUANTIZE")
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


class Judge:
    """Closeness of integer flatbuffers to a float one on some rows.

    A softmax or sigmoid at the end is left out: it squeezes most rows into zeros and ones, and the
    few uncertain ones would decide alone. What is the same for all classes a softmax does not see:
    their mean is subtracted.

    Args:
        reference: The float flatbuffer; it runs once.
        rows: What to compare on.
    """

    def __init__(self, reference: bytes, rows: Rows) -> None:
        self._rows = rows
        self._wanted = list(_scores(reference, rows))

    def sqnr(self, built: bytes) -> float:
        """Signal to quantisation noise ratio of the outputs in dB; of several, the mean."""
        sums = [Sqnr() for _ in self._wanted[0]]
        for wanted, got in zip(self._wanted, _scores(built, self._rows), strict=True):
            sums = [sums[i].add((one,), (got[i],)) for i, one in enumerate(wanted)]
        return float(np.mean([ratio.db for ratio in sums]))


def _scores(tflite: bytes, rows: Rows) -> Iterator[list[np.ndarray]]:
    interpreter = Interpreter(tflite, keep=True)
    graph = interpreter.graph
    producer = {index: op for op in graph.ops for index in op.outputs}
    ends = []
    for index in graph.outputs:
        softmax = False
        while (op := producer.get(index)) is not None and op.name in SQUEEZES:
            softmax = softmax or op.name == "SOFTMAX"
            index = op.inputs[0]
        ends.append((graph.tensors[index], softmax))
    for row in rows():
        interpreter.run(row)
        yield [_centred(interpreter.read(tensor), softmax) for tensor, softmax in ends]


def _centred(scores: np.ndarray, softmax: bool) -> np.ndarray:
    return scores - scores.mean(axis=-1, keepdims=True) if softmax else scores


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
        "remove or replace the op that it names, or pick another quantizer",
    )

"""What activations look like on calibration data: histograms of every float tensor, streamed."""

from __future__ import annotations

from collections.abc import Mapping

from edgekit.calibrate.histogram import BINS, Counter, Histogram
from edgekit.calibrate.interpret import Interpreter, Rows
from edgekit.graph.graph import Tensor


def histograms(
    tflite: bytes, ranges: Mapping[int, tuple[float, float]], rows: Rows, bins: int = BINS
) -> dict[int, Histogram]:
    """One pass over `rows`; memory does not grow with their number.

    Args:
        tflite: The float flatbuffer.
        ranges: Tensor index -> smallest and largest value, from `ranges.read`: the first pass.
        rows: Calibration rows.
        bins: Of each histogram.

    Returns:
        Tensor index -> its histogram, for the tensors of `ranges` that LiteRT lets read.
    """
    interpreter = Interpreter(tflite, keep=True)
    counters: dict[int, Counter] = {}
    watched: list[Tensor] = []
    for number, row in enumerate(rows()):
        interpreter.run(row)
        if number == 0:
            watched = _watched(interpreter, ranges)
            counters = {t.index: Counter(*ranges[t.index], bins) for t in watched}
        for tensor in watched:
            counters[tensor.index].add(interpreter.read(tensor))
    return {index: counter.histogram() for index, counter in counters.items()}


def _watched(interpreter: Interpreter, ranges: Mapping[int, tuple[float, float]]) -> list[Tensor]:
    return [
        tensor
        for tensor in interpreter.graph.tensors
        if tensor.index in ranges
        and tensor.dtype == "float32"
        and tensor.data is None
        and interpreter.readable(tensor)
    ]

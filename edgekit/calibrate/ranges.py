"""Ranges of activations in the flatbuffer: measure, read, replace.

The TensorFlow calibrator measures each tensor's smallest and largest value and stores them in the
flatbuffer (`QuantizationParameters.min`, `.max`), where the quantizer reads them. Estimators other
than min-max replace them there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from edgekit._tf import module, silent
from edgekit.calibrate.estimators import base
from edgekit.calibrate.interpret import Row, Rows
from edgekit.calibrate.statistics import histograms
from edgekit.errors import DataError, EdgekitError, ModelError
from edgekit.graph import edit
from edgekit.graph.tied import tied
from edgekit.model import TensorSpec

_NAMES_OP = re.compile(r"custom op|'tfl\.\w+'|\bop: ")
INFINITE = float(np.finfo(np.float32).max)  # the calibrator stores this where it met infinity


def calibrate(tflite: bytes, inputs: Sequence[TensorSpec], rows: Rows) -> bytes:
    """One pass over `rows`: the flatbuffer with the range of every activation in it.

    Args:
        tflite: The float flatbuffer.
        inputs: Of the model; rows must have their shapes.
        rows: Calibration rows, float32 or what casts to the input's dtype.

    Raises:
        DataError: No rows, or a row of another shape.
        ModelError: The calibrator does not take the model, or an activation is not finite.
    """
    calibrator = module("tensorflow.lite.python.optimize.calibrator")

    def feed() -> Iterator[list[np.ndarray]]:
        return (list(row) for row in checked(rows(), inputs))

    def work() -> bytes:
        extended = calibrator.add_intermediate_tensors(tflite)
        found: bytes = calibrator.Calibrator(extended).calibrate(feed)
        return found

    return quietly("the calibrator", work)


def checked(rows: Iterator[Row], inputs: Sequence[TensorSpec]) -> Iterator[Row]:
    """The rows in the inputs' dtypes; refuses none at all, wrong shapes, NaN."""
    number = -1
    for number, row in enumerate(rows):
        shapes = tuple(tuple(values.shape) for values in row)
        if shapes != tuple(spec.shape for spec in inputs):
            wanted = ", ".join(f"{spec.name} {list(spec.shape)}" for spec in inputs)
            raise DataError(
                f"calibration row {number} has shape {list(map(list, shapes))}, model: {wanted}",
                "give data whose rows have the model's input shape",
            )
        if not all(np.isfinite(values).all() for values in row):
            raise DataError(
                f"calibration row {number} holds NaN or infinite values",
                "remove the row, or repair what computes it",
            )
        yield tuple(v.astype(s.dtype, copy=False) for v, s in zip(row, inputs, strict=True))
    if number < 0:
        raise DataError("calibration has no rows", "give at least one sample; 100 are usual")


def quietly(who: str, work: Callable[[], bytes]) -> bytes:
    """Run TensorFlow's C++ in silence; what it raises becomes a ModelError with the op's name."""
    try:
        with silent():
            return bytes(work())
    except EdgekitError:
        raise
    except Exception as error:
        raise ModelError(
            f"{who} does not take the model: {reason(str(error))}",
            "replace the op or tensor in the source model, or build with --quantize float32",
        ) from error


def reason(text: str) -> str:
    """The line of a TensorFlow message that names the op, without its stack; else the first."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if _NAMES_OP.search(line)]
    return (telling or lines or ["no reason given"])[0][:300]


def read(calibrated: bytes) -> dict[int, tuple[float, float]]:
    """Tensor index -> (smallest, largest) of every calibrated activation of the main graph.

    Raises:
        ModelError: A range is not finite.
    """
    found = {}
    for index, tensor in enumerate(edit.unpack(calibrated).subgraphs[0].tensors):
        stored = _stored(tensor)
        if stored is None:
            continue
        if not np.abs(stored).max() < INFINITE:
            raise ModelError(
                f"activation '{edit.tensor_name(tensor)}' is not finite on the calibration data",
                "check the data's preprocessing and the model for division by zero or overflow",
            )
        found[index] = stored
    return found


def replace(calibrated: bytes, ranges: Mapping[int, tuple[float, float]]) -> bytes:
    """The flatbuffer with these ranges for these tensors; each is widened to hold zero."""
    if not ranges:
        return calibrated
    model = edit.unpack(calibrated)
    tensors = model.subgraphs[0].tensors
    for index, (low, high) in ranges.items():
        tensors[index].quantization.min = np.array([min(0.0, low)], np.float32)
        tensors[index].quantization.max = np.array([max(0.0, high)], np.float32)
    return edit.pack(model)


def estimate(
    tflite: bytes,
    calibrated: bytes,
    rows: Rows,
    estimators: Sequence[str],
    exact: Collection[str] = (),
) -> dict[str, bytes]:
    """The flatbuffer with each estimator's ranges; one pass over `rows` for all of them.

    `minmax` is what `calibrated` holds already and needs no pass. The activations `exact`, and
    what ops tie to them, keep it in any case.
    """
    measured = read(calibrated)
    for index in tied(edit.unpack(calibrated), exact) if exact else ():
        measured.pop(index, None)
    others = [name for name in estimators if name != "minmax"]
    found = histograms(tflite, measured, rows) if others else {}
    results = {name: calibrated for name in estimators if name == "minmax"}
    for name in others:
        estimator = base.load(name)
        results[name] = replace(
            calibrated,
            {index: estimator(histogram, base.LEVELS) for index, histogram in found.items()},
        )
    return results


def _stored(tensor: Any) -> tuple[float, float] | None:
    quantization = tensor.quantization
    if quantization is None or quantization.min is None or quantization.max is None:
        return None
    if len(quantization.min) != 1 or len(quantization.max) != 1:
        return None
    return float(quantization.min[0]), float(quantization.max[0])

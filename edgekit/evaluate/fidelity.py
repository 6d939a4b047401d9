"""How close a built model's outputs are to the float model's: agreement and SQNR, no labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from edgekit.errors import DataError, EdgekitError
from edgekit.evaluate.layers import Layer, layer_table
from edgekit.evaluate.paired import Answer, Reference, class_vectors, pairs
from edgekit.evaluate.sqnr import Sqnr
from edgekit.problem import Problem
from edgekit.runtimes.base import Row, runtime_version


@dataclass(frozen=True)
class Fidelity:
    """Built against float outputs.

    Attributes:
        samples: Rows compared.
        top1_agreement: Percent of rows where every class vector (`paired.class_vectors`) has its
            largest value at the same place; None when there is no class vector.
        sqnr_db: Signal to quantization noise ratio over all outputs and rows, in dB, within
            -200..200; 200 means identical.
        worst: Row index and SQNR in dB of the row that differs most.
        layers: SQNR of each op's output and why it is low; reference kernels on a few rows.
        runtime: What ran the built model, with its version.
        problems: Why there is no layer table where one was asked for.
    """

    samples: int
    top1_agreement: float | None
    sqnr_db: float
    worst: tuple[int, float]
    layers: tuple[Layer, ...]
    runtime: str
    problems: tuple[Problem, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """All of it, for the report; figures rounded to 0.001."""
        data = asdict(self)
        if self.top1_agreement is not None:
            data["top1_agreement"] = round(self.top1_agreement, 3)
        data["sqnr_db"] = round(self.sqnr_db, 3)
        data["worst"] = {"row": self.worst[0], "sqnr_db": round(self.worst[1], 3)}
        data["problems"] = [problem.to_json() for problem in self.problems]
        data["layers"] = [layer.to_json() for layer in self.layers]
        return data


def measure(
    reference: Reference,
    built: bytes,
    rows: Iterable[Row],
    runtime: str,
    limit: int = 200,
    *,
    float_model: bytes | None = None,
    layer_rows: int = 8,
    answer: Answer | None = None,
) -> Fidelity:
    """Compare a built model with the float one on unlabeled rows, in constant memory.

    Args:
        reference: The float model: a function or a flatbuffer.
        built: The built flatbuffer.
        rows: Model-ready float32 arrays `[1, ...]`, one for each input; read once.
        runtime: What runs `built`; see `edgekit.runtimes.base.RUNTIMES`.
        limit: The most rows that are used.
        float_model: Flatbuffer for the layer table where `reference` is a function.
        layer_rows: Rows that the layer table is taken on; 0: no table.
        answer: As `pairs` takes it.

    Raises:
        DataError: There are no rows, or they do not fit the model.
        ModelError: Outputs do not correspond, or are NaN or infinite.
        TargetError: The runtime cannot run the built model.
    """
    total, few = Sqnr(), list[Row]()
    worst = (0, float("inf"))
    samples = agreeing = 0
    classes: list[int] = []
    some = islice(rows, limit)
    for index, pair in enumerate(pairs(reference, built, some, runtime, answer)):
        classes = class_vectors(pair.row, pair.reference)
        agreeing += all(pair.reference[k].argmax() == pair.built[k].argmax() for k in classes)
        one = Sqnr().add(pair.reference, pair.built)
        total += one
        worst = min(worst, (index, one.db), key=lambda item: item[1])
        samples += 1
        few += [pair.row] if index < layer_rows else []
    if not samples:
        raise DataError(
            "there are no rows to compare the models on", "give evaluation or calibration data"
        )
    flatbuffer = float_model or (reference if isinstance(reference, bytes) else None)
    agreement = 100.0 * agreeing / samples if classes else None
    layers, problems = _layers(flatbuffer, built, few)
    version = runtime_version(runtime)
    return Fidelity(samples, agreement, total.db, worst, layers, version, problems)


def _layers(
    flatbuffer: bytes | None, built: bytes, rows: list[Row]
) -> tuple[tuple[Layer, ...], tuple[Problem, ...]]:
    """The layer table; what it cannot run is no reason to withhold the rest."""
    if flatbuffer is None or not rows:
        return (), ()
    try:
        return layer_table(flatbuffer, built, rows), ()
    except EdgekitError as error:
        message = f"no layer table: {error.message}"
        return (), (Problem("note", "fidelity", message, error.hint),)

"""The analysis: every layer changed alone, level by level, and what the scores say to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgekit import __version__
from edgekit.artifact import digest, sha256
from edgekit.errors import ModelError, UsageError
from edgekit.graph.read import read
from edgekit.passes.base import Context
from edgekit.progress import Progress
from edgekit.quantizers._grid import Grids, grids
from edgekit.sensitivities import activations, prune, quantize, remove
from edgekit.sensitivities.changes import Change, Layer, kernels
from edgekit.sensitivities.journal import Journal
from edgekit.sensitivities.judge import Judge
from edgekit.sensitivities.probe import Probe
from edgekit.sensitivities.result import KINDS, Curve, Kind, Point, Sensitivity
from edgekit.training.rows import Rows
from edgekit.versions import versions

LEVELS = (0.3, 0.5, 0.7, 0.8, 0.9)


@dataclass(frozen=True, eq=False)
class Asked:
    """What is to be analysed.

    Attributes:
        model: Its name.
        tflite: The float flatbuffer.
        rows: To measure on; with labels accuracy is measured, without agreement.
        calibration: Rows that ranges of activations and the worth of channels come from.
        rows_sha256: Of the former.
        calibration_sha256: Of the latter.
        kinds: Some of `KINDS`.
        levels: Shares, ascending, for `prune` and `remove`.
        metric: As `evaluate.metrics.scorer` takes it.
        seed: Of the decisions that are drawn to judge channels.
    """

    model: str
    tflite: bytes
    rows: Rows
    calibration: Rows
    rows_sha256: str
    calibration_sha256: str
    kinds: Sequence[Kind] = tuple(KINDS)
    levels: Sequence[float] = LEVELS
    metric: str = ""
    seed: int = 0

    @property
    def key(self) -> str:
        """Hash of everything that a point depends on besides its own level."""
        labels = self.rows.labels
        answers = None if labels is None else sha256(labels.tobytes())
        data = [self.rows_sha256, self.calibration_sha256, answers, self.metric, self.seed]
        return digest([sha256(self.tflite), data, versions(), __version__])


def check_levels(levels: Sequence[float]) -> None:
    """Refuse what are no shares.

    Raises:
        UsageError: Names the first.
    """
    wrong = [level for level in levels if not 0 < level < 1]
    if wrong or not levels:
        raise UsageError(
            f"level {wrong[0]:g} is no share" if wrong else "there are no levels",
            "give shares between 0 and 1, e.g. 0.3,0.5,0.7",
        )


def analyse(
    asked: Asked, progress: Progress, journal: Path | None = None, resume: bool = False
) -> tuple[Sensitivity, Journal]:
    """Measure every point.

    Args:
        asked: What is to be analysed.
        progress: Told what is being done.
        journal: File for finished points; None keeps none.
        resume: Whether points of an earlier run that was stopped are taken over.

    Returns:
        The result, the same bytes whether resumed or not; and the journal, to be removed when the
        result is safe.

    Raises:
        ModelError: The model cannot be lifted, gives NaN, or has nothing of the kinds asked for.
        DataError: Labels that do not fit its outputs.
        UsageError: A metric or levels that cannot be.
    """
    check_levels(asked.levels)
    progress.step(f"making {asked.model} ready to be changed")
    grid = grids(asked.tflite) if {"quantize", "activations"} & {*asked.kinds} else None
    scales = {i: g.source for i, g in grid.activations.items() if g.source >= 0} if grid else {}
    probe = Probe(asked.tflite, asked.rows, scales if "activations" in asked.kinds else {})
    shapes = [tensor.shape for tensor in read(asked.tflite).output_tensors()]
    judge = Judge(asked.rows, shapes, probe.outputs, asked.metric)
    probe.calibrate(asked.calibration)
    layers = [layer for layer in _layers(asked, probe, grid, scales, progress) if layer.changes]
    if not layers:
        raise ModelError(
            f"there is nothing to {' or '.join(asked.kinds)} in the model",
            "ask for other --kinds, or look at the layers with edgekit inspect",
        )
    kept = Journal(journal, asked.key, resume)
    curves = tuple(_curves(layers, probe, judge, kept, progress))
    result = Sensitivity(
        model=asked.model,
        model_sha256=sha256(asked.tflite),
        metric=judge.metric,
        better=judge.better,
        original=_rounded(judge(probe.outputs)),
        samples=len(asked.rows),
        rows_sha256=asked.rows_sha256,
        curves=curves,
    )
    return result, kept


def _layers(
    asked: Asked, probe: Probe, grid: Grids | None, scales: dict[int, int], progress: Progress
) -> Iterator[Layer]:
    """What is tried, in the order of `KINDS`."""
    graph = read(asked.tflite)
    found = kernels(graph, probe.lifted)
    if "prune" in asked.kinds:
        yield from prune.layers(found, asked.levels)
    if "quantize" in asked.kinds and grid is not None:
        yield from quantize.layers(found, grid.kernels)
    if "activations" in asked.kinds:
        yield from activations.layers(graph, scales)
    if "remove" in asked.kinds:
        rows = asked.calibration
        context = Context(asked.tflite, rows, rows, seed=asked.seed, progress=progress)
        yield from remove.layers(context, asked.levels)


def _curves(
    layers: Sequence[Layer], probe: Probe, judge: Judge, journal: Journal, progress: Progress
) -> Iterator[Curve]:
    total = sum(len(layer.changes) for layer in layers)
    progress.step(f"measuring {total} changes of {len(judge)} rows")
    done = 0
    for layer in layers:
        points = []
        for change in layer.changes:
            name = f"{layer.kind} {layer.layers[0]} {change.level:g}"
            figures = journal.find(name)
            if figures is None:
                loss, outputs = probe.measure(change)
                figures = _rounded(loss), _rounded(judge(outputs))
                journal.add(name, figures)
            points.append(_point(change, *figures))
            done += 1
            progress.advance(done, total)
            progress.note(name)
        yield Curve(
            layer.kind,
            layer.layers[0],
            layer.layers,
            layer.op,
            layer.parameters,
            layer.macs,
            tuple(points),
        )


def _point(change: Change, loss: float, metric: float) -> Point:
    return Point(change.level, loss, metric, change.parameters, change.macs, change.bits)


def _rounded(figure: float) -> float:
    """To six significant digits, as fine-tuning rounds its losses."""
    return float(f"{figure:.6g}")

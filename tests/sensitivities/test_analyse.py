"""The analysis on small nets: each figure against the change made by hand and run by LiteRT."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import compressing
import numpy as np
import pytest
from compressing import CONV, DENSE, DEPTHWISE, POINTWISE

from edgekit.bridge.lift import lift
from edgekit.bridge.lower import lower
from edgekit.errors import ModelError, UsageError
from edgekit.graph.read import read
from edgekit.passes._masks import mask
from edgekit.progress import Progress
from edgekit.runtimes.litert import LiteRT
from edgekit.sensitivities import analyse as analysis
from edgekit.sensitivities.analyse import Asked, analyse
from edgekit.sensitivities.quantize import rounded
from edgekit.sensitivities.result import Curve, Point, Sensitivity
from edgekit.training.rows import Rows


def asked(tflite: bytes | None = None, labels: Any = None, **values: Any) -> Asked:
    tflite = tflite or compressing.net()
    rows = compressing.context(tflite).rows
    judged = Rows(rows.inputs, labels)
    return Asked("net", tflite, judged, rows, "0" * 64, "1" * 64, **values)


def run(wanted: Asked, journal: Path | None = None, resume: bool = False) -> Sensitivity:
    return analyse(wanted, Progress(), journal, resume)[0]


@pytest.fixture(scope="module")
def found() -> Sensitivity:
    return run(asked(levels=(0.5, 0.75)))


def outputs(tflite: bytes) -> np.ndarray:
    rows = compressing.context(compressing.net()).rows.inputs[0]
    with LiteRT(tflite) as runtime:
        return np.stack([runtime.run((row[None],))[0][0] for row in rows])


def with_kernel(layer: str, change: Any) -> bytes:
    """The net with one kernel changed, [flatbuffer's layout]."""
    lifted = lift(compressing.net(), form="folded")
    chosen = next(each for each in lifted.layers if each.name == layer)
    return lower(lifted, {layer: change(chosen.kernel_array())})


def expected(changed: bytes) -> tuple[float, float]:
    """Loss and agreement of a changed net: squared error over the original's variance."""
    wanted, given = outputs(compressing.net()), outputs(changed)
    loss = float(np.mean((wanted - given) ** 2) / np.mean(wanted.var(axis=0)))
    return loss, 100 * float((wanted.argmax(1) == given.argmax(1)).mean())


def point(found: Sensitivity, kind: str, layer: str, level: float) -> Point:
    curve = next(c for c in found.curves if c.kind == kind and c.layer == layer)
    return next(p for p in curve.points if p.level == level)


@pytest.mark.parametrize("layer", [CONV, DEPTHWISE, POINTWISE, DENSE])
def test_pruned(found: Sensitivity, layer: str) -> None:
    got = point(found, "prune", layer, 0.5)
    loss, agreement = expected(with_kernel(layer, lambda k: k * mask(k, 0.5)))
    assert got.loss == pytest.approx(loss, rel=1e-3)
    assert got.metric == pytest.approx(agreement)
    kernel = compressing.kernels(compressing.net())[layer]
    assert got.parameters == kernel.size // 2


@pytest.mark.parametrize("layer", [CONV, DEPTHWISE])
def test_rounded(found: Sensitivity, layer: str) -> None:
    def four_bits(kernel: np.ndarray) -> np.ndarray:
        if layer == CONV:  # [h, w, in, out]
            return rounded(kernel, 4, 3)
        return rounded(kernel.reshape(*kernel.shape[:2], 8, 1), 4, 2).reshape(kernel.shape)

    got = point(found, "quantize", layer, 4)
    loss, agreement = expected(with_kernel(layer, four_bits))
    assert got.loss == pytest.approx(loss, rel=1e-3)
    assert got.metric == pytest.approx(agreement)
    losses = [p.loss for p in _curve(found, "quantize", layer).points]
    assert losses == sorted(losses)
    assert got.bits == 28 * compressing.kernels(compressing.net())[layer].size


def _curve(found: Sensitivity, kind: str, layer: str) -> Curve:
    return next(c for c in found.curves if c.kind == kind and c.layer == layer)


def test_rounding_by_hand() -> None:
    kernel = np.array([[1.0, -0.4], [30.0, 8.0]], np.float32)
    assert rounded(kernel, 2, 0) == pytest.approx(np.array([[1, 0], [30, 0]]))
    assert rounded(kernel, 2, None) == pytest.approx(np.array([[0, 0], [30, 0]]))
    assert not rounded(np.zeros((2, 2), np.float32), 4, 0).any()


def test_narrowed(found: Sensitivity) -> None:
    curve = _curve(found, "remove", CONV)
    assert CONV in curve.layers
    losses = [p.loss for p in curve.points]
    assert 0 < losses[0] < losses[1]
    # half of 8 channels: 3 x 3 x 4 weights and a bias, a depthwise filter with its, a column each
    assert curve.points[0].parameters == 4 * (36 + 1 + 9 + 1 + 8)
    # nothing is removed that the output needs to keep its size
    assert DENSE not in [c.layer for c in found.of("remove")]


def test_activations(found: Sensitivity) -> None:
    curves = found.of("activations")
    assert curves[0].op == "INPUT"
    assert {CONV, DEPTHWISE, POINTWISE} <= {c.layer for c in curves}
    for curve in curves:
        assert [p.level for p in curve.points] == [8]
        assert 0 < curve.points[0].loss < 0.01
    wanted = outputs(compressing.net())
    dense = _curve(found, "activations", DENSE).points[0]
    # the output itself: rounding to 255 steps of its range, uniformly wrong
    step = (max(wanted.max(), 0) - min(wanted.min(), 0)) / 255
    noise = step**2 / 12 / float(np.mean(wanted.var(axis=0)))
    assert 0.4 * noise < dense.loss < 2.5 * noise


def test_with_labels_it_is_accuracy() -> None:
    labels = outputs(compressing.net()).argmax(1)
    labels[:4] = (labels[:4] + 1) % 8
    found = run(asked(labels=labels, kinds=("prune",), levels=(0.9,)))
    assert (found.metric, found.better, found.original) == ("top1", "higher", 75.0)
    given = outputs(with_kernel(CONV, lambda k: k * mask(k, 0.9)))
    assert _curve(found, "prune", CONV).points[0].metric == pytest.approx(
        100 * float((given.argmax(1) == labels).mean())
    )


def test_values_instead_of_classes() -> None:
    labels = outputs(compressing.net()) + 0.5
    found = run(asked(labels=labels, kinds=("prune",), levels=(0.5,), metric="mse"))
    assert (found.metric, found.better) == ("mse", "lower")
    assert found.original == pytest.approx(0.25, rel=1e-3)
    assert found.drop(_curve(found, "prune", CONV).points[0]) > 0


def test_it_repeats_and_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = asked(levels=(0.5,), kinds=("prune", "remove"))
    whole = run(wanted)
    file = tmp_path / "journal"
    measure, calls = analysis.Probe.measure, []

    def counted(self: Any, change: Any) -> Any:
        calls.append(change)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return measure(self, change)

    monkeypatch.setattr(analysis.Probe, "measure", counted)
    with pytest.raises(KeyboardInterrupt):
        run(wanted, file)
    with file.open("a") as journal:
        journal.write('["torn')
    resumed, kept = analyse(wanted, Progress(), file, True)
    points = sum(len(curve.points) for curve in whole.curves)
    assert len(calls) == 3 + points - 2
    assert resumed == whole
    kept.remove()
    assert not file.exists()


def test_points_of_other_data_are_not_taken(tmp_path: Path) -> None:
    wanted = asked(levels=(0.5,), kinds=("prune",))
    file = tmp_path / "journal"
    run(wanted, file)
    labels = outputs(compressing.net()).argmax(1)
    other = dataclasses.replace(wanted, rows=Rows(wanted.rows.inputs, labels))
    assert run(other, file, True).metric == "top1"
    assert len(file.read_text().splitlines()) == 5


def test_the_model_is_put_back(found: Sensitivity) -> None:
    """Every curve is measured from the same original, whatever came before."""
    alone = run(asked(kinds=("remove",), levels=(0.5, 0.75)))
    assert alone.of("remove") == found.of("remove")


def test_refused() -> None:
    with pytest.raises(UsageError, match=r"level 1\.5 is no share"):
        run(asked(levels=(0.5, 1.5)))
    with pytest.raises(UsageError, match="no levels"):
        run(asked(levels=()))
    with pytest.raises(ModelError, match="nothing to remove"):
        run(asked(compressing.depthwise_only(), kinds=("remove",)))


def test_a_shared_kernel_is_one_curve() -> None:
    found = run(asked(compressing.shared_dense(), kinds=("prune",), levels=(0.5,)))
    assert len(found.curves) == 1
    op = read(compressing.shared_dense()).ops[0]
    assert found.curves[0].parameters == 64
    assert found.curves[0].op == op.name

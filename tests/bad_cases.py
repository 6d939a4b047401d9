"""Models and data that plain post-training quantization ruins, and a small build for the ladder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hand_made import O, T
from small_nets import Net, as_model, rows_of, wild_depthwise

from edgekit.calibrate.interpret import Interpreter
from edgekit.evaluate import accuracy, fidelity
from edgekit.evaluate.budget import Budget, verdict
from edgekit.ladder import Attempt, Climb, Judged, climb
from edgekit.plan import Plan, Step
from edgekit.quantizers.base import QuantizeOptions, load
from edgekit.rungs import Means, ladder
from edgekit.target.op_table import load_op_table

QAT = Step("compress", "quantize_aware")


@dataclass(frozen=True, eq=False)
class Case:
    """A float flatbuffer, rows to calibrate on and rows to judge on, each [n, h, w, channels]."""

    tflite: bytes
    calibration: np.ndarray
    held: np.ndarray

    def build(self, budget: Budget, runtime: str) -> Callable[[Attempt], Judged]:
        """Makes and judges attempts; the labels are what the float model says."""
        model, rows = as_model(self.tflite), rows_of(self.held)
        floats = Interpreter(self.tflite)
        labels = [int(floats.run(row)[0].argmax()) for row in rows()]

        def build(attempt: Attempt) -> Judged:
            options = QuantizeOptions(**attempt.plan.quantize.options)
            chosen = rows_of(self.calibration[: attempt.samples])
            built = load("int8").quantize(model, chosen, options)
            like = built.reference or self.tflite
            close = fidelity.measure(self.tflite, built.tflite, rows(), runtime, float_model=like)
            right = None
            if budget.accuracy_drop is not None:
                right = accuracy.measure(self.tflite, built.tflite, rows(), labels, runtime)
            return Judged(verdict(budget, right, close), close, built.tflite, like, built)

        return build

    def climb(
        self,
        budget: Budget,
        samples: int = 200,
        table: str = "litert-2.3",
        runtime: str = "litert-reference",
        **options: Any,
    ) -> Climb:
        """The whole ladder from a build with these options."""
        given = {"input_dtype": "int8", "output_dtype": "float32", **options}
        start = Attempt(Plan("test", (Step("quantize", "int8", given),)), samples)
        means = Means(load_op_table(table), len(self.calibration), 0, QAT)
        return climb(start, ladder(start, means), self.build(budget, runtime))


def outlier_layer() -> Case:
    """One channel of a tensor is 300 times as large as the others, and nobody needs it.

    Two layers read the tensor, so that it cannot be equalised, and an eighth of its values are
    large, so that no estimator may cut them off.
    """
    rng = np.random.default_rng(0)
    loud = rng.normal(size=(8, 3, 3, 3))
    loud[3] *= 300
    net = Net(8, 8, 3).conv(loud)
    bad, branches = net.last, []
    for _ in range(2):
        deaf = rng.normal(size=(8, 1, 1, 8))
        deaf[..., 3] = 0
        net.last = bad
        branches.append(net.conv(deaf).last)
    net.tensors.append(T("sum", net.shape))
    net.last = len(net.tensors) - 1
    net.ops.append(O("ADD", tuple(branches), (net.last,), ("AddOptions", {})))
    tflite = net.mean().dense(rng.normal(size=(5, 8))).tflite()
    rows = rng.normal(size=(90, 8, 8, 3))
    return Case(tflite, rows[:40], rows[40:])


def wide_tail() -> Case:
    """One row in eight is ten times as loud as the others, and none of the first ten is."""
    rng = np.random.default_rng(0)
    net = Net(8, 8, 3).conv(rng.normal(size=(8, 3, 3, 3)), rng.normal(size=8))
    net.conv(rng.normal(size=(8, 1, 1, 8)), rng.normal(size=8)).mean()
    tflite = net.dense(rng.normal(size=(5, 8)), rng.normal(size=5)).tflite()
    rows = rng.normal(size=(110, 8, 8, 3))
    loud = rng.random(110) < 1 / 8
    loud[:10] = False
    rows[loud] *= rng.uniform(8, 10, size=(loud.sum(), 1, 1, 1))
    return Case(tflite, rows[:50], rows[50:])


def wild_channels() -> Case:
    """A depthwise layer between channels whose ranges differ by a factor of 1000."""
    rows = np.random.default_rng(1).normal(size=(90, 8, 8, 3))
    return Case(wild_depthwise().tflite(), rows[:40], rows[40:])

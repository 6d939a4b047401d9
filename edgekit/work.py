"""The work of a build, each piece done once and shared by all targets that need it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from edgekit import preprocess
from edgekit.artifact import digest, sha256
from edgekit.data.check import check, check_alike, check_repeated
from edgekit.data.prepare import Prepared, prepare
from edgekit.data.samples import Samples, open_samples
from edgekit.data.select import drop_shared, name_rows, refuse_overlap, select, shared_rows
from edgekit.evaluate.accuracy import Accuracy
from edgekit.evaluate.accuracy import measure as measure_accuracy
from edgekit.evaluate.fidelity import Fidelity
from edgekit.evaluate.fidelity import measure as measure_fidelity
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.importers.base import detect, hash_source, load
from edgekit.model import Format, Model
from edgekit.plan import AS_IS, Plan
from edgekit.problem import Problem
from edgekit.progress import Progress
from edgekit.project import Project
from edgekit.quantizers.base import Quantized, QuantizeOptions, quantized_already
from edgekit.quantizers.base import load as load_quantizer
from edgekit.runtimes.base import Arena, Row, open_runtime, run_float

T = TypeVar("T")


class Work:
    """Everything that does not depend on the target, computed when first asked for.

    Args:
        project: What is to be built.
        root: Folder that the project's paths are relative to.
        progress: Told when a piece of work begins.
    """

    def __init__(self, project: Project, root: Path, progress: Progress) -> None:
        self.project = project
        self.root = root
        self._progress = progress
        self._done: dict[str, Any] = {}

    @property
    def path(self) -> Path:
        """The model file."""
        return self.root / self.project.model.path

    @property
    def name(self) -> str:
        """Of the model: its file name without the suffix."""
        return self.path.resolve().stem if self.path.is_file() else self.path.resolve().name

    @cached_property
    def source_format(self) -> Format:
        """What the model file is, by its content."""
        return detect(self.path)

    @cached_property
    def source_sha256(self) -> str:
        """Hash of the model file or folder."""
        return hash_source(self.path)

    @cached_property
    def quantized_already(self) -> bool:
        """Whether the model is a `.tflite` that is no longer float."""
        if self.source_format != "tflite":
            return False
        return bool(quantized_already(read(self.path.read_bytes(), str(self.path))))

    @cached_property
    def model(self) -> Model:
        """The model, imported and proved."""
        self._progress.step(f"importing {self.path.name} ({self.source_format}), proving it equal")
        return load(self.path, self.project.model.modules)

    @cached_property
    def graph(self) -> Graph:
        """The model's graph before quantization."""
        return read(self.model.tflite)

    @cached_property
    def preprocess(self) -> preprocess.Preprocess:
        """The one contract that all data go through."""
        return preprocess.parse(self.project.data.preprocess)

    @cached_property
    def calibration(self) -> tuple[Samples, Samples] | None:
        """The rows that calibration uses, and those left over; None when no data are given."""
        samples = self._open(self.project.data.calibration)
        if samples is None:
            return None
        return select(samples, self.project.data.samples, self.project.build.seed)

    @cached_property
    def evaluation(self) -> tuple[Samples, Problem | None] | None:
        """The rows to judge on, and which were dropped because others use them."""
        data = self.project.data
        samples = self._open(data.evaluation)
        if samples is None:
            return None
        fitted = (*data.calibration, *data.training)
        refuse_overlap(fitted, data.evaluation, self.root, self.model.inputs)
        training = self._open(data.training)
        used = [self.calibration[0]] if self.calibration else []
        used += [training] if training else []
        kept, count = drop_shared(samples, used)
        return kept, _dropped(name_rows(samples, shared_rows(samples, used))) if count else None

    def _open(self, specs: tuple[str, ...]) -> Samples | None:
        return open_samples(specs, self.root, self.model.inputs) if specs else None

    def prepared(self, samples: Samples) -> Prepared:
        """`samples` as the model wants them."""
        model = self.model
        return prepare(samples, self.preprocess, model.inputs, model.channels_first)

    @cached_property
    def data_problems(self) -> tuple[Problem, ...]:
        """What is to be said about the data."""
        problems: list[Problem] = []
        if self.calibration:
            self._progress.step("checking the calibration data")
            rows = self.prepared(self.calibration[0])
            problems += [*rows.problems, *check(rows, self.preprocess, self._predict)]
        if self.evaluation:
            problems += self._evaluation_problems(*self.evaluation)
        return tuple(problems)

    def _evaluation_problems(self, samples: Samples, dropped: Problem | None) -> list[Problem]:
        rows = self.prepared(samples)
        problems = [dropped, *rows.problems] if dropped else [*rows.problems]
        problems += check_repeated(samples)
        if self.calibration:
            problems += check_alike(self.prepared(self.calibration[0]), rows)
        return problems

    def quantized(self, plan: Plan) -> Quantized:
        """The model in the number format of `plan`."""
        step = plan.quantize
        return self._once(["quantize", step.name, step.options], lambda: self._quantize(plan))

    def arena(self, built: bytes, runtime: str) -> Arena | None:
        """Load `built` and run it once: TargetError where the runtime cannot; TFLM's arena."""
        foreign = self.source_format == "tflite"
        return self._once(["arena", sha256(built), runtime], lambda: _try(built, runtime, foreign))

    def fidelity(self, quantized: Quantized, runtime: str) -> Fidelity | None:
        """How close the built model is to the float one; None without rows to compare on."""
        return self._once(
            ["fidelity", sha256(quantized.tflite), runtime],
            lambda: self._fidelity(quantized, runtime),
        )

    def accuracy(self, built: bytes, runtime: str) -> Accuracy | None:
        """Accuracy of float and built model on the same rows; None without labels."""
        return self._once(
            ["accuracy", sha256(built), runtime], lambda: self._accuracy(built, runtime)
        )

    def _once(self, key: list[Any], work: Callable[[], T]) -> T:
        name = digest(key)
        if name not in self._done:
            self._done[name] = work()
        return cast(T, self._done[name])

    def _quantize(self, plan: Plan) -> Quantized:
        model = self.model
        if plan.scheme == AS_IS:
            return Quantized(model.tflite)
        self._progress.step(f"quantizing to {plan.scheme}")
        options = QuantizeOptions(**plan.quantize.options, seed=self.project.build.seed)
        return load_quantizer(plan.scheme).quantize(model, self._calibration_rows, options)

    def _calibration_rows(self) -> Iterator[Row]:
        assert self.calibration is not None, "the plan refuses a build without calibration data"
        return iter(self.prepared(self.calibration[0]))

    def _predict(self, row: Row) -> Row:
        runtime = self._once(["predict"], lambda: open_runtime("litert", self.model.tflite))
        return next(run_float(runtime, self.graph, [row]))

    def _comparison_rows(self) -> Samples | None:
        """Unlabeled rows that calibration left over, else the evaluation inputs."""
        if self.calibration and len(self.calibration[1]):
            limit = self.project.fidelity.samples
            return select(self.calibration[1], limit, self.project.build.seed)[0]
        return self.evaluation[0] if self.evaluation else None

    def _fidelity(self, quantized: Quantized, runtime: str) -> Fidelity | None:
        samples = self._comparison_rows()
        if samples is None or not len(samples) or self.quantized_already:
            return None
        self._progress.step(f"comparing with the float model on {runtime}")
        limit = self.project.fidelity.samples
        rows = self._progress.track(iter(self.prepared(samples)), min(limit, len(samples)))
        return measure_fidelity(
            self.model.tflite,
            quantized.tflite,
            rows,
            runtime,
            limit,
            float_model=quantized.reference,
        )

    def _accuracy(self, built: bytes, runtime: str) -> Accuracy | None:
        if self.evaluation is None:
            return None
        samples = self.evaluation[0]
        if samples.labels is None or not len(samples):
            return None
        self._progress.step(f"measuring accuracy on {runtime}")
        rows = self._progress.track(iter(self.prepared(samples)), len(samples))
        metric = self.project.fidelity.metric
        return measure_accuracy(self.model.tflite, built, rows, samples.labels, runtime, metric)


def _dropped(rows: str) -> Problem:
    return Problem(
        "warning",
        "--evaluation",
        f"evaluation samples that calibration or training also hold are dropped: {rows}",
        "judge on samples that the model was not fitted to",
    )


def _try(built: bytes, name: str, foreign: bool) -> Arena | None:
    with open_runtime(name, built, isolated=foreign) as runtime:
        runtime.run(tuple(np.zeros(spec.shape, spec.dtype) for spec in runtime.inputs))
        return runtime.arena

"""The work of a build, each piece done once and shared by all targets that need it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from edgekit import _discover
from edgekit.artifact import digest, sha256
from edgekit.c_project.make import NAME as EXPORTER
from edgekit.c_project.make import Made, make_project
from edgekit.chain import Stage, frozen
from edgekit.class_names import check_names, read_names
from edgekit.compiler.cores import Core, core_of
from edgekit.data.samples import Samples
from edgekit.dead_channels import without_dead
from edgekit.evaluate.accuracy import Accuracy
from edgekit.evaluate.accuracy import measure as measure_accuracy
from edgekit.evaluate.fidelity import Fidelity
from edgekit.evaluate.fidelity import measure as measure_fidelity
from edgekit.evaluate.paired import Answer
from edgekit.exits.exits import Exits
from edgekit.exits.stages import staged
from edgekit.golden.litert import Golden, make_golden
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.importers.base import load
from edgekit.learning import Learning
from edgekit.model import Learned, Model
from edgekit.passes.base import Candidate
from edgekit.passes.base import Entry as PassEntry
from edgekit.passes.promises import broken_in_integers, ranges_kept
from edgekit.plan import AS_IS, Plan
from edgekit.problem import Problem
from edgekit.progress import Progress
from edgekit.project import Project
from edgekit.quantizers._sparse import sparse_encoding
from edgekit.quantizers.base import Quantized, QuantizeOptions
from edgekit.quantizers.base import load as load_quantizer
from edgekit.runtimes.base import Arena, Row, open_runtime, run_float
from edgekit.sensitivities.rank import Cost, int8_costs
from edgekit.sensitivities.result import Sensitivity
from edgekit.sets import Sets
from edgekit.source import Source
from edgekit.target.profile import Profile
from edgekit.tflite_metadata import described
from edgekit.training.spent import Spent

T = TypeVar("T")
LAYER_ROWS = 8
"""Rows that a table of layers is taken on."""


class Work(Source):
    """Everything that does not depend on the target, computed when first asked for.

    Args:
        project: What is to be built.
        root: Folder that the project's paths are relative to.
        progress: Told when a piece of work begins.
        resume: Whether compression goes on where an earlier build was stopped.
        model: The model, where it is imported already.

    Attributes:
        spent: What passes took.
    """

    def __init__(
        self,
        project: Project,
        root: Path,
        progress: Progress,
        resume: bool = False,
        model: Model | None = None,
    ) -> None:
        super().__init__(project, root)
        self.progress = progress
        self.spent = Spent()
        self._resume = resume
        self._imported = model
        self._done: dict[str, Any] = {}

    @cached_property
    def model(self) -> Model:
        """The model, imported and proved."""
        if self._imported is not None:
            return self._imported
        self.progress.step(f"importing {self.path.name} ({self.source_format}), proving it equal")
        return load(self.path, self.project.model.modules)

    @cached_property
    def graph(self) -> Graph:
        """The model's graph before quantization."""
        return read(self.model.tflite)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes, where they are given; DataError where they do not fit the model."""
        path = self.project.model.labels
        if not path:
            return ()
        found = read_names(self.root / path)
        check_names(found, self.graph.output_tensors(), path)
        return found

    @cached_property
    def costs(self) -> dict[str, Cost]:
        """What int8 costs each layer, where a sensitivity analysis is given."""
        path = self.project.quantize.sensitivity
        if not path:
            return {}
        return int8_costs(Sensitivity.from_file(self.root / path, sha256(self.model.tflite)))

    @cached_property
    def sets(self) -> Sets:
        """The data sets, as this model wants them."""
        return Sets(self.project, self.root, self.model)

    def data_problems(self, samples: int) -> tuple[Problem, ...]:
        """What is to be said about the data where at most so many samples calibrate."""
        calibrating = self.sets.calibrating(samples) if self.sets.calibration else None
        return self.once(
            ["data problems", len(calibrating or ())], lambda: self._data_problems(calibrating)
        )

    def stages(self, plan: Plan) -> tuple[Stage, ...]:
        """The model after each pass of `plan`."""
        if not plan.compress:
            return ()
        steps = [asdict(step) for step in plan.compress]
        return self.once(["compress", steps], lambda: self._learning.stages(plan))

    def compressed(self, plan: Plan) -> Model:
        """The model after all passes of `plan`."""
        stages = self.stages(plan)
        if not stages:
            return self.model
        last = stages[-1].candidate
        learned = Learned(last.ranges, last.weight_scales)
        return self.model.step(
            " + ".join(stage.name for stage in stages),
            tflite=last.tflite,
            keras=None,
            saved_model=None,
            traits=last.traits,
            learned=learned,
        )

    def left(self, plan: Plan) -> Candidate | None:
        """What the last pass of `plan` left; None where it has none."""
        stages = self.stages(plan)
        return stages[-1].candidate if stages else None

    def log(self, plan: Plan) -> tuple[PassEntry, ...]:
        """What each pass of `plan` did."""
        stages = self.stages(plan)
        return stages[-1].candidate.log if stages else ()

    def finish(self) -> None:
        """All is built: nothing will be resumed."""
        if "_learning" in self.__dict__:
            self._learning.finish()

    def quantized(self, plan: Plan, samples: int | None = None) -> Quantized:
        """The model in the number format of `plan`, calibrated on at most so many samples."""
        most = self.project.data.samples if samples is None else samples
        steps = [asdict(step) for step in (*plan.compress, plan.quantize)]
        return self.once(["quantize", steps, most], lambda: self._quantize(plan, most))

    def without_dead(self, built: Quantized, runtime: str) -> Quantized:
        """`built` without channels that change nothing, where a run gives the same outputs."""
        if self.project.quantize.dead == "off" or self.quantized_already:
            return built
        key = ["dead", sha256(built.tflite), runtime]
        tflite, problems = self.once(key, lambda: without_dead(built.tflite, runtime))
        return replace(built, tflite=tflite, problems=(*built.problems, *problems))

    def sparse(self, built: bytes, runtime: str) -> tuple[bytes, tuple[Problem, ...]]:
        """`built` with sparse kernels where that is proved to work, and what there is to say."""
        samples = self.sets.compared
        rows = iter(self.sets.prepared(samples)) if samples else ()
        return sparse_encoding(built, runtime, rows, seed=self.project.build.seed)

    def described(self, built: Quantized, plan: Plan) -> Quantized:
        """`built` with metadata for other readers, where an exporter of `plan` asks for it.

        A model that is exported as it is stays as it is.
        """
        exporters = [_discover.load("exporters", name) for name in plan.exporters]
        asked = any(getattr(exporter, "metadata", False) for exporter in exporters)
        if not asked or plan.scheme == AS_IS:
            return built
        tflite = self.once(
            ["metadata", sha256(built.tflite)],
            lambda: described(built.tflite, self.name, self.sets.preprocess, self.labels),
        )
        return replace(built, tflite=tflite)

    def arena(self, built: bytes, runtime: str) -> Arena | None:
        """Load `built` and run it once: TargetError where the runtime cannot; TFLM's arena."""
        foreign = self.source_format == "tflite"
        return self.once(["arena", sha256(built), runtime], lambda: _try(built, runtime, foreign))

    def compiled(
        self,
        built: bytes,
        graph: Graph,
        profile: Profile,
        plan: Plan,
        exits: Exits | None = None,
    ) -> Made:
        """A built model as C for one target, or why there is none; nothing where none is due."""
        if EXPORTER not in plan.exporters:
            return Made()
        core = core_of(profile.processor.core, self.project.compile.optimize)
        asked, left = EXPORTER in self.project.build.export, self.left(plan)
        gates = len(left.gates.layers) if left and left.gates else 0
        stops = exits.to_json() if exits else None
        return self.once(
            ["compile", sha256(built), profile.name, core.name, core.optimize, stops, gates],
            lambda: self._compiled(built, graph, profile.name, core, asked, exits, gates),
        )

    def golden(self, built: bytes, graph: Graph, plan: Plan) -> Golden | None:
        """Golden vectors for LiteRT, where they are due and can be made."""
        exporters = [_discover.load("exporters", name) for name in plan.exporters]
        if not any(getattr(exporter, "golden", False) for exporter in exporters):
            return None
        foreign = self.source_format == "tflite"
        return self.once(
            ["golden", sha256(built)], lambda: make_golden(built, graph, isolated=foreign)
        )

    def fidelity(
        self,
        built: bytes,
        runtime: str,
        reference: bytes | None = None,
        exits: Exits | None = None,
    ) -> Fidelity | None:
        """How close a model is to the float one; None without rows to compare on.

        Args:
            built: The flatbuffer to judge.
            runtime: What runs `built`.
            reference: The float flatbuffer that has its tensors, for a table of layers.
            exits: Where it stops; None: it runs to its end.
        """
        tensors = sha256(reference) if reference else ""
        return self.once(
            ["fidelity", sha256(built), tensors, runtime, exits.to_json() if exits else None],
            lambda: self._fidelity(built, runtime, reference, exits),
        )

    def accuracy(self, built: bytes, runtime: str, exits: Exits | None = None) -> Accuracy | None:
        """Accuracy of float and built model on the same rows; None without labels."""
        key = ["accuracy", sha256(built), runtime, exits.to_json() if exits else None]
        return self.once(key, lambda: self._accuracy(built, runtime, exits))

    def once(self, key: list[Any], work: Callable[[], T]) -> T:
        """What `work` gives, computed when the key first comes; keys are JSON."""
        name = digest(key)
        if name not in self._done:
            self._done[name] = work()
        return cast(T, self._done[name])

    @cached_property
    def _learning(self) -> Learning:
        return Learning(
            self.project,
            self.root,
            self.name,
            self.model,
            self.sets,
            self.progress,
            self._resume,
            self.spent,
        )

    def _quantize(self, plan: Plan, samples: int) -> Quantized:
        model = self.compressed(plan)
        if plan.scheme == AS_IS:
            return Quantized(model.tflite)
        built, left = self.in_format(plan, model, samples), self.left(plan)
        built = replace(built, problems=(*self._kept(plan, built), *built.problems))
        return replace(built, tflite=staged(built.tflite)) if left and left.heads else built

    def in_format(self, plan: Plan, model: Model, samples: int) -> Quantized:
        """Another model in the number format of `plan`."""
        self.progress.step(f"quantizing to {plan.scheme}")
        options = QuantizeOptions(**plan.quantize.options, seed=self.project.build.seed)
        return load_quantizer(plan.scheme).quantize(
            model, lambda: iter(self.sets.prepared(self.sets.calibrating(samples))), options
        )

    def _kept(self, plan: Plan, built: Quantized) -> list[Problem]:
        """What the passes say, and whether the file keeps what they promised."""
        stages = self.stages(plan)
        if not stages:
            return []
        last = stages[-1].candidate
        problems = [*self.sets.split.problems, *frozen(self.model.keras), *last.problems]
        problems += broken_in_integers(last.promises, last.tflite, built.tflite)
        if plan.scheme in ("int8", "int4"):
            problems += ranges_kept(last.ranges, last.tflite, built.tflite)
        return problems

    def _data_problems(self, calibrating: Samples | None) -> tuple[Problem, ...]:
        if calibrating:
            self.progress.step("checking the calibration data")
        return self.sets.problems(self._predict, calibrating)

    def _predict(self, row: Row) -> Row:
        runtime = self.once(["predict"], lambda: open_runtime("litert", self.model.tflite))
        return next(run_float(runtime, self.graph, [row]))

    def _compiled(
        self,
        built: bytes,
        graph: Graph,
        target: str,
        core: Core,
        asked: bool,
        exits: Exits | None,
        gates: int,
    ) -> Made:
        self.progress.step(f"compiling to C for {core.name}, proving it equal")
        return make_project(
            self.name, built, graph, target, core, asked=asked, exits=exits, gates=gates
        )

    def _answer(self, exits: Exits | None) -> Answer:
        """What of a built model's outputs is compared with the original's."""
        count = len(self.graph.outputs)
        return exits.answer if exits else lambda outputs: outputs[:count]

    def _fidelity(
        self, built: bytes, runtime: str, reference: bytes | None, exits: Exits | None
    ) -> Fidelity | None:
        samples = self.sets.compared
        if samples is None or not len(samples) or self.quantized_already:
            return None
        self.progress.step(f"comparing with the float model on {runtime}")
        limit = self.project.fidelity.samples
        rows = self.progress.track(iter(self.sets.prepared(samples)), min(limit, len(samples)))
        return measure_fidelity(
            self.model.tflite,
            built,
            rows,
            runtime,
            limit,
            float_model=reference,
            layer_rows=LAYER_ROWS if reference else 0,
            answer=self._answer(exits),
        )

    def _accuracy(self, built: bytes, runtime: str, exits: Exits | None) -> Accuracy | None:
        samples = self.sets.labelled
        if samples is None:
            return None
        assert samples.labels is not None
        self.progress.step(f"measuring accuracy on {runtime}")
        rows = self.progress.track(iter(self.sets.prepared(samples)), len(samples))
        metric = self.project.fidelity.metric
        return measure_accuracy(
            self.model.tflite,
            built,
            rows,
            samples.labels,
            runtime,
            metric,
            answer=self._answer(exits),
        )


def _try(built: bytes, name: str, foreign: bool) -> Arena | None:
    with open_runtime(name, built, isolated=foreign) as runtime:
        runtime.run(tuple(np.zeros(spec.shape, spec.dtype) for spec in runtime.inputs))
        return runtime.arena

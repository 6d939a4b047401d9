"""The stages of a trial, cheap ones first: the first that rules it out ends it.

1. estimate: multiply-accumulates and bytes, before anything is built;
2. size: a draft, trained for one epoch, is built: its bytes, flash, RAM, multiply-accumulates;
3. agreement: how far the draft decides like the float model;
4. device: what an emulator or a device says of the draft;
5. fine-tuning: the build itself, trained as the project says, judged and measured.

What trains nothing is built once, by the last stage.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optuna import TrialPruned

from edgekit.passes import base as passes
from edgekit.progress import Progress
from edgekit.project import CompressEntry, Project
from edgekit.search.objective import Limit, of_build, of_report
from edgekit.zoo._spec import is_spec

if TYPE_CHECKING:
    from edgekit.artifact import Build
    from edgekit.harness.report import Report
    from edgekit.model import Model

Measure = Callable[..., "Report"]
"""As `edgekit.harness.api.bench_one`."""
SLACK = 0.05
"""Share of a limit by which a draft may break it: training changes what packs well, a little."""
DRAFT_EPOCHS = 1
_BYTES = {"float32": 4, "float16": 2}
_ONE = 1.0
_LESS = {"exits", "gated"}
"""What passes leave whose networks do not do all of it for every row."""
_TRAINED = ("drop", "accuracy", "agreement")
"""What a draft tells little of."""


class RuledOut(TrialPruned):
    """A stage ends the trial.

    Args:
        stage: Which.
        reason: One line.
    """

    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(reason)
        self.stage = stage
        self.reason = reason


@dataclass
class Trial:
    """A trial on its way: its project, and the figures that are known so far."""

    project: Project
    figures: dict[str, float] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)

    def learn(self, found: tuple[Mapping[str, float], Mapping[str, str]]) -> None:
        """Take in figures and how they were got."""
        self.figures |= found[0]
        self.how |= found[1]


@dataclass(frozen=True)
class Stages:
    """What all trials go through.

    Attributes:
        root: Folder that paths are relative to.
        limits: That rule trials out.
        draft_agreement: Percent of decisions that a draft must have in common with the model.
        device: That measures latency and energy; "": nothing does.
        bench: More arguments of `edgekit.bench`.
        progress: Told what is done.
        measure: Takes the place of `bench_one`.
    """

    root: Path
    limits: tuple[Limit, ...]
    draft_agreement: float = 0.0
    device: str = ""
    bench: Mapping[str, Any] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    measure: Measure | None = None

    def run(self, trial: Trial) -> None:
        """All stages.

        Raises:
            RuledOut: By one of them.
            EdgekitError: It cannot be built or measured.
        """
        self._estimate(trial)
        if self._drafts(trial.project):
            self._draft(trial)
        build = self._build(trial.project)
        trial.learn(of_build(build))
        self._refuse("fine-tuning" if trial.project.compress else "size", trial)
        if self.device:
            trial.learn(self._measured(build, {}))
            self._refuse("device", trial)

    def _estimate(self, trial: Trial) -> None:
        model = model_of(self.root, trial.project)
        trial.figures |= estimate(trial.project, model)
        trial.how |= dict.fromkeys(trial.figures, "estimated")
        self._refuse("estimate", trial, SLACK)

    def _draft(self, trial: Trial) -> None:
        build = self._build(draft(trial.project))
        trial.learn(of_build(build))
        learned = (*_TRAINED, *(("macs",) if stops_early(trial.project) else ()))
        sizes = [each for each in self.limits if each.name not in learned]
        self._refuse("size", trial, SLACK, sizes)
        least, found = self.draft_agreement, trial.figures.get("agreement")
        if found is not None and found < least and not starts_anew(trial.project):
            reason = f"a draft agrees in {found:.1f} % of decisions, below {least:g} %"
            raise RuledOut("agreement", reason)
        if self.device:
            trial.learn(self._measured(build, {"inferences": 1}))
            self._refuse("device", trial, SLACK, sizes)

    def _drafts(self, project: Project) -> bool:
        """Whether one epoch is much less work than the whole."""
        epochs = [_epochs(entry, project) for entry in project.compress]
        return bool(epochs) and all(each == 0 or each > 2 * DRAFT_EPOCHS for each in epochs)

    def _build(self, project: Project) -> Build:
        from edgekit.pipeline import build_targets

        model = model_of(self.root, project)
        builds, failure = build_targets(
            project, self.root, Nested(self.progress), force=False, model=model
        )
        if failure is not None:
            raise failure
        return builds[0]

    def _measured(
        self, build: Build, more: Mapping[str, Any]
    ) -> tuple[dict[str, float], dict[str, str]]:
        from edgekit.harness.api import bench_one

        wanted = {**self.bench, **more}
        measure = self.measure or bench_one
        return of_report(measure(build, self.device, progress=Nested(self.progress), **wanted))

    def _refuse(
        self, stage: str, trial: Trial, slack: float = 0.0, limits: Iterable[Limit] | None = None
    ) -> None:
        for each in self.limits if limits is None else limits:
            if each.violation(trial.figures) > slack:
                raise RuledOut(stage, each.broken(trial.figures))


class Nested(Progress):
    """The steps of a build as notes of the trial that it is for."""

    def __init__(self, outer: Progress) -> None:
        self._outer = outer

    def step(self, what: str) -> None:
        """Told as a note."""
        self._outer.note(what)

    def note(self, text: str) -> None:
        """Likewise."""
        self._outer.note(text)


def model_of(root: Path, project: Project) -> Model:
    """The float model of `project`, imported once a process."""
    return _model(root / project.model.path, project.model.modules)


def draft(project: Project) -> Project:
    """The same, trained for one epoch."""
    entries = [
        dataclasses.replace(
            entry,
            options={
                **entry.options,
                "fine_tune": {**entry.options.get("fine_tune", {}), "epochs": DRAFT_EPOCHS},
            },
        )
        for entry in project.compress
    ]
    return dataclasses.replace(project, compress=tuple(entries))


def estimate(project: Project, model: Model) -> dict[str, float]:
    """Figures that a recipe tells before it is built, as far as it does.

    Budgets of passes say which share of multiply-accumulates or parameters stays; where channels
    leave and nothing says how many parameters they take along, bytes are not known.
    """
    whole = _whole(project, model)
    if whole is None:
        return {}
    macs, parameters = _left(project.compress, "macs"), _left(project.compress, "parameters")
    found: dict[str, float] = {}
    if macs is not None and not stops_early(project):
        found["macs"] = macs * whole[0]
    if parameters is not None and project.quantize.sparse == "off":
        found["parameters"] = parameters * whole[1]
        found["bytes"] = found["parameters"] * _BYTES.get(project.quantize.scheme, 1)
    return found


def _whole(project: Project, model: Model) -> tuple[int, int] | None:
    """Multiply-accumulates and parameters of what passes begin with; None where it is a file."""
    from edgekit.graph import count
    from edgekit.graph.read import read

    graph = read(model.tflite)
    if not starts_anew(project):
        return count.macs(graph), count.parameters(graph)
    student = str(project.compress[0].options.get("student", ""))
    if not is_spec(student):
        return None
    from edgekit.zoo._student import cost

    return cost(student, graph)


def starts_anew(project: Project) -> bool:
    """Whether another network learns in the model's place: a draft of it knows little yet."""
    every = (passes.from_mapping(each.name, each.options, "")[0] for each in project.compress)
    return any(options.starts for options in every)


def stops_early(project: Project) -> bool:
    """Whether the network may do less than all its multiply-accumulates, once it has learned to."""
    return any(passes.load(each.name).leaves & _LESS for each in project.compress)


def _left(entries: Iterable[CompressEntry], key: str) -> float | None:
    """The share that passes leave; None where one of them does not say."""
    left = _ONE
    for entry in entries:
        if entry.name not in ("remove", "depthwise_separable", "low_rank"):
            continue
        share = entry.options.get(key, 0)
        if not 0 < share < 1:
            return None
        left *= share
    return left if math.isfinite(left) else None


def _epochs(entry: CompressEntry, project: Project) -> int:
    return int(entry.options.get("fine_tune", {}).get("epochs") or project.fine_tune.epochs)


@lru_cache(maxsize=2)
def _model(path: Path, modules: tuple[str, ...]) -> Model:
    from edgekit.importers.base import load

    return load(path, modules)

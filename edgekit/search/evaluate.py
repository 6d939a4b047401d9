"""One trial from its recipe to its outcome; it can be sent to another process."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from optuna import TrialPruned

from edgekit._functions import load_function
from edgekit.errors import DeviceError, EdgekitError, MissingExtra, TargetError, UsageError
from edgekit.progress import Progress
from edgekit.project import Project, from_mapping
from edgekit.search.executor import Outcome, Recipe
from edgekit.search.objective import REWARD, Limit, reward
from edgekit.search.recipes import to_toml
from edgekit.search.stages import Measure, RuledOut, Stages, Trial


@dataclass(frozen=True)
class Evaluate:
    """Builds and measures what a recipe says.

    Attributes:
        root: Folder that paths are relative to.
        objectives: Figures that a complete trial must have.
        limits: That rule trials out.
        device: That measures; "": none.
        bench: More arguments of `edgekit.bench`.
        recipes: Folder, relative to `root`, for the project file of each trial; "": none.
        train: `python:module:function` that trains the model of a trial; "": none.
        draft_agreement: As `[search]` has it.
        progress: Told what is done.
        measure: Takes the place of `edgekit.harness.api.bench_one`, where devices are elsewhere.
    """

    root: Path
    objectives: tuple[str, ...]
    limits: tuple[Limit, ...] = ()
    device: str = ""
    bench: Mapping[str, Any] = field(default_factory=dict)
    recipes: str = ""
    train: str = ""
    draft_agreement: float = 0.0
    progress: Progress = field(default_factory=Progress)
    measure: Measure | None = None

    def __call__(self, recipe: Recipe) -> Outcome:
        """What came of it.

        Raises:
            DeviceError: The device does not answer: the next trial would fail, too.
            EdgekitError: The first trial of a study cannot be built for a reason that all share.
        """
        began = time.monotonic()
        trial = Trial(from_mapping(recipe.project, "recipe"))
        ended, stage, reason = "complete", "", ""
        try:
            self._run(trial, recipe)
        except RuledOut as error:
            ended, stage, reason = "pruned", error.stage, error.reason
        except TrialPruned as error:
            ended, stage, reason = "pruned", "training", str(error)
        except (DeviceError, MissingExtra):
            raise
        except EdgekitError as error:
            if recipe.number == 0 and not isinstance(error, TargetError):
                raise
            ended, stage, reason = "pruned", "build", f"{error.message} ({error.hint})"
        return Outcome(
            recipe.number,
            ended,  # type: ignore[arg-type]
            trial.figures,
            trial.how,
            stage,
            reason,
            round(time.monotonic() - began, 3),
            trial.project.build.output,
        )

    def _run(self, trial: Trial, recipe: Recipe) -> None:
        if self.train:
            trial.project = trained(self.train, trial.project, recipe, self.root)
        if self.recipes:
            place = Path(self.recipes, f"{recipe.number:04d}.toml")
            (self.root / place).write_text(to_toml(trial.project, str(place)), encoding="utf-8")
        stages = Stages(
            self.root,
            self.limits,
            self.draft_agreement,
            self.device,
            self.bench,
            self.progress,
            self.measure,
        )
        stages.run(trial)
        if REWARD in self.objectives:
            trial.learn(reward(trial.figures, trial.how, self.limits))
        missing = [name for name in self.objectives if name not in trial.figures]
        if missing:
            raise RuledOut("device", f"nothing says its {missing[0]}")


def trained(name: str, project: Project, recipe: Recipe, root: Path) -> Project:
    """`project` with the model that the user's function trains; it says where it saved it.

    Raises:
        UsageError: The function cannot be loaded, fails, or returns no path of a model.
    """
    train = load_function(name, "the training")
    try:
        path: Any = train(recipe.trial)
    except (TrialPruned, EdgekitError):
        raise
    except (Exception, SystemExit) as error:  # the user's function: anything may come
        raise UsageError(
            f"{name} failed: {type(error).__name__}: {error}", "run it alone to see why"
        ) from error
    if not isinstance(path, str | Path) or not (root / path).exists():
        raise UsageError(
            f"{name} returned {path!r}, which is no model",
            "return the path of the model that it saved, e.g. f'trial-{trial.number}.keras'",
        )
    model = replace(project.model, path=os.path.relpath(root / path, root))
    return replace(project, model=model)

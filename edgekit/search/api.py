"""A search from a project to its front: built, measured, judged once on the evaluation data."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edgekit import publish
from edgekit.artifact import Build, write_json
from edgekit.errors import BudgetError, OutputError
from edgekit.progress import Progress
from edgekit.project import Project
from edgekit.search.asked import Asked, ask
from edgekit.search.evaluate import Evaluate
from edgekit.search.executor import Executor, Sequential
from edgekit.search.found import FILE, TIMES, Found, Point
from edgekit.search.space import Choices, recipe
from edgekit.search.stages import model_of
from edgekit.search.study import Study, Tried
from edgekit.work import Work

STUDY = "study.journal"
BUILDS, RECIPES = "builds", "trials"
_HOW: Callable[[Evaluate], Executor] = Sequential


def search_one(
    project: Project,
    *,
    output: str | Path | None = None,
    study: str | Path | None = None,
    resume: bool = False,
    timeout: float | None = None,
    bench: Mapping[str, Any] | None = None,
    executor: Callable[[Evaluate], Executor] = _HOW,
    progress: Progress | None = None,
) -> Found:
    """Search as `[search]` of the project says.

    Args:
        project: With one target; paths are relative to the current folder.
        output: Folder for builds, recipes and the report; default `build/MODEL-TARGET-search`.
        study: File of the study: a journal, or SQLite for `.db`; default: in the output folder.
        resume: Whether a study that is there is gone on with.
        timeout: Seconds after which no trial begins.
        bench: More arguments of `edgekit.bench`, for each trial.
        executor: Makes what runs trials of what evaluates one.
        progress: Told what is done.

    Raises:
        BudgetError: No build keeps all limits; study and report are kept.
        EdgekitError: As for a build.
    """
    root, progress = Path.cwd(), progress or Progress()
    asked = ask(project, root, progress)
    project, setup, table = asked.project, asked.setup, asked.project.search
    folder = Path(output or f"build/{asked.name}-{asked.profile.name}-search")
    publish.check(root / folder)
    evaluate = Evaluate(
        root,
        tuple(each.name for each in setup.objectives),
        setup.limits,
        asked.device,
        dict(bench or {}),
        str(folder / RECIPES),
        table.train,
        table.draft_agreement,
        progress,
    )
    path = Path(study) if study else root / folder / STUDY
    kept = Study(setup, path, resume)
    _make(root / folder / RECIPES)

    def project_of(choices: Choices, number: int) -> dict[str, Any]:
        place = str(folder / BUILDS / f"{number:04d}")
        return recipe(project, choices).with_table("build", output=place).to_json()

    def told(_: Tried) -> None:
        ended = {each.number for each in kept.tried}
        _remove(root / folder / BUILDS, ended - {each.number for each in kept.front})

    kept.run(executor(evaluate), project_of, table.trials, timeout, progress, told)
    points = [_judged(each, asked, root, progress) for each in kept.front]
    found = Found(asked.profile.name, str(folder), setup, tuple(kept.tried), tuple(points))
    write_json(root / folder / FILE, found.to_json())
    write_json(root / folder / TIMES, found.times())
    if not points:
        raise _nothing(found, path)
    return found


def _remove(folder: Path, numbers: set[int]) -> None:
    """Builds of trials that are not on the front leave; their recipes stay, and what still runs."""
    for place in folder.iterdir() if folder.is_dir() else []:
        if place.name.isdecimal() and int(place.name) in numbers:
            shutil.rmtree(place, ignore_errors=True)


def _judged(tried: Tried, asked: Asked, root: Path, progress: Progress) -> Point:
    """A point of the front, judged on the evaluation data where there are some."""
    from edgekit.runtimes.base import evaluation_runtime

    if not asked.project.data.evaluation:
        return Point(tried)
    build = Build.load(root / tried.outcome.folder)
    project = asked.project.with_table("model", path=build.manifest["model"]["path"])
    work = Work(project, root, progress, model=model_of(root, project))
    runtime, _ = evaluation_runtime(asked.profile.evaluate_with)
    return Point(tried, work.accuracy(build.tflite.read_bytes(), runtime))


def _nothing(found: Found, study: Path) -> BudgetError:
    limits = found.setup.limits

    def away(tried: Tried) -> float:
        """By what share of its limits; a trial that was not built tells nothing."""
        over = sum(max(0.0, each.violation(tried.outcome.figures)) for each in limits)
        return over or float("inf")

    nearest = min(found.tried, key=away, default=None)
    why = f"; nearest: trial {nearest.number}, {nearest.outcome.reason}" if nearest else ""
    return BudgetError(
        f"none of {len(found.tried)} trials keeps all limits{why}",
        f"allow more, or try more: --resume --trials {2 * len(found.tried)}; kept: {study}",
    )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: {error.strerror or error}", "choose another --output"
        ) from error

"""A search from a project to its front: built, measured, judged once on the evaluation data."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edgekit import publish
from edgekit.artifact import Build, write_json
from edgekit.errors import BudgetError, DataError, OutputError, UsageError
from edgekit.identity import relative, relative_spec
from edgekit.pipeline import plan_targets
from edgekit.problem import refuse
from edgekit.progress import Progress
from edgekit.project import Project
from edgekit.search.evaluate import Evaluate
from edgekit.search.executor import Executor, Sequential
from edgekit.search.found import FILE, Found, Point
from edgekit.search.objective import OBJECTIVES, Limit, Objective, limits_of, objective
from edgekit.search.space import Choices, recipe, space_of
from edgekit.search.study import Setup, Study, Tried
from edgekit.target.profile import Profile, load_profile
from edgekit.work import Work

EMULATOR = "qemu"
BASELINE = "random"
STUDY = "study.journal"
BUILDS, RECIPES = "builds", "trials"
_LABELS = ("drop", "accuracy")
_ON_DEVICE = ("latency", "instructions", "energy")
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
    project, profile = _checked(project, root)
    folder = Path(output or f"build/{_name(project)}-{profile.name}-search")
    publish.check(root / folder)
    table, limits = project.search, limits_of(project.search)
    given = {*map(objective, table.objectives), *(OBJECTIVES[each.name] for each in limits)}
    device = _device(table.device, profile, given)
    space = space_of(project)
    labelled = _labelled(project, root, progress)
    names = table.objectives or _usual(profile, labelled, table.device)
    objectives = tuple(objective(name) for name in names)
    wanted = {*names, *(each.name for each in limits)}
    _refuse_unlabelled(wanted, labelled)
    if profile.family == "mcu" and wanted & set(_ON_DEVICE):
        device = device or EMULATOR
    setup = Setup(
        space,
        objectives,
        limits,
        table.sampler,
        project.build.seed,
        (space.mildest,),
        own=bool(table.train),
        infers=table.sampler != BASELINE,
        key={"project": recipe(project, {}).to_json(), "device": device, "train": table.train},
    )
    evaluate = Evaluate(
        root,
        tuple(names),
        limits,
        device,
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
        _keep(root / folder / BUILDS, {each.number for each in kept.front})

    kept.run(executor(evaluate), project_of, table.trials, timeout, progress, told)
    points = [_judged(each, project, root, profile, progress) for each in kept.front]
    found = Found(profile.name, str(folder), setup, tuple(kept.tried), tuple(points))
    write_json(root / folder / FILE, found.to_json())
    if not points:
        raise _nothing(found, limits, path)
    return found


def _checked(project: Project, root: Path) -> tuple[Project, Profile]:
    """The project with relative paths, and its one target."""
    if len(project.build.targets) != 1:
        raise UsageError("a search is for one target", "--target nucleo-l4r5zi")
    name = project.build.targets[0]
    profile = load_profile(str(root / name) if name.endswith(".toml") else name)
    if not project.model.path and not project.search.train:
        raise UsageError("no model given", "edgekit search MODEL, or --train for one of your own")
    data = project.data
    rows = {
        key: tuple(relative_spec(text, root) for text in getattr(data, key))
        for key in ("calibration", "training", "evaluation")
    }
    project = project.with_table("data", **rows)
    if project.model.path:
        project = project.with_table("model", path=relative(project.model.path, root))
        for plan in plan_targets(recipe(project, {}), root):
            refuse(plan.problems, UsageError)
    return project, profile


def _labelled(project: Project, root: Path, progress: Progress) -> bool:
    """Whether labelled rows select; rows to be judged on that are in training are refused."""
    if project.search.train:
        return True
    work = Work(recipe(project, {}), root, progress)
    model = work.model
    if project.data.evaluation and Work(project, root, progress, model=model).sets.evaluation:
        progress.note("evaluation rows are kept for the report")
    return work.sets.labelled is not None


def _refuse_unlabelled(wanted: set[str], labelled: bool) -> None:
    needs = sorted(wanted & set(_LABELS))
    if needs and not labelled:
        raise DataError(
            f"{needs[0]} needs labelled rows to select by, and the training data have no labels",
            "give --training data.npz:x,y, of which a part is held out; --evaluation only reports",
        )


def _usual(profile: Profile, labelled: bool, device: str) -> tuple[str, ...]:
    """Likeness, and what is scarce on such a target."""
    first = "drop" if labelled else "agreement"
    if profile.family != "mcu":
        return first, "latency" if device else "bytes"
    return first, "latency" if profile.processor.clock_mhz else "instructions"


def _device(device: str, profile: Profile, wanted: set[Objective]) -> str:
    """What measures; UsageError where nothing does, and something must."""
    if device or not any(each.stage == "device" for each in wanted):
        return device
    if profile.family == "mcu":
        return EMULATOR
    raise UsageError("latency and energy need a device to measure them on", "--device host")


def _keep(folder: Path, numbers: set[int]) -> None:
    """Builds of trials that are not on the front leave; their recipes stay."""
    for place in folder.glob("[0-9]" * 4) if folder.is_dir() else []:
        if int(place.name) not in numbers:
            shutil.rmtree(place, ignore_errors=True)


def _judged(
    tried: Tried, project: Project, root: Path, profile: Profile, progress: Progress
) -> Point:
    """A point of the front, judged on the evaluation data where there are some."""
    from edgekit.runtimes.base import evaluation_runtime
    from edgekit.search.stages import model_of

    if not project.data.evaluation or project.search.train:
        return Point(tried)
    runtime, _ = evaluation_runtime(profile.evaluate_with)
    work = Work(project, root, progress, model=model_of(root, project))
    built = Build.load(root / tried.outcome.folder).tflite.read_bytes()
    return Point(tried, work.accuracy(built, runtime))


def _nothing(found: Found, limits: tuple[Limit, ...], study: Path) -> BudgetError:
    nearest = min(
        found.tried,
        key=lambda each: sum(max(0.0, limit.violation(each.outcome.figures)) for limit in limits),
        default=None,
    )
    why = f"; nearest: trial {nearest.number}, {nearest.outcome.reason}" if nearest else ""
    return BudgetError(
        f"none of {len(found.tried)} trials keeps all limits{why}",
        f"allow more, or try more: --resume --trials {2 * len(found.tried)}; kept: {study}",
    )


def _name(project: Project) -> str:
    train = project.search.train
    return project.model.name or Path(project.model.path).stem or train.rpartition(":")[2]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: {error.strerror or error}", "choose another --output"
        ) from error

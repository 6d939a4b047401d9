"""What a search is asked for, checked before any trial: target, device, space, objectives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgekit.data.spec import parse
from edgekit.errors import DataError, UsageError
from edgekit.identity import relative, relative_spec
from edgekit.importers._source import hash_source
from edgekit.pipeline import plan_targets
from edgekit.plan import AUTO
from edgekit.problem import refuse
from edgekit.progress import Progress
from edgekit.project import Project
from edgekit.search import students
from edgekit.search.objective import (
    OBJECTIVES,
    REWARD,
    Objective,
    limits_of,
    objective,
    target_of,
)
from edgekit.search.space import recipe, space_of
from edgekit.search.stages import model_of
from edgekit.search.starts import starts
from edgekit.search.study import Setup
from edgekit.target.profile import Profile, load_profile
from edgekit.work import Work

EMULATOR = "qemu"
BASELINE = "random"
_LABELS = ("drop", "accuracy", REWARD)


@dataclass(frozen=True)
class Asked:
    """A search that can begin.

    Attributes:
        project: With paths relative to the root.
        profile: Of its target.
        device: That measures; "": none.
        setup: Of the study.
        name: Of the model, for folders.
    """

    project: Project
    profile: Profile
    device: str
    setup: Setup
    name: str


def ask(project: Project, root: Path, progress: Progress) -> Asked:
    """The search that `[search]` of the project asks for.

    Raises:
        EdgekitError: What stands against it; the model is imported.
    """
    project, profile = _checked(project, root)
    table, limits = project.search, limits_of(project.search)
    given = {*map(objective, table.objectives), *(OBJECTIVES[each.name] for each in limits)}
    if REWARD in table.objectives:
        target_of(limits)
    _device(table.device, profile, given)  # refused before the model is imported
    space = space_of(project)
    labelled = _labelled(project, root, progress)
    if not table.train:
        listed = space.to_json().get(students.STUDENT, [])
        students.refuse_unfit(listed, model_of(root, project))
    names = table.objectives or _usual(profile, labelled, table.device)
    objectives = tuple(map(objective, names))
    wanted = {*given, *objectives}
    _refuse_unlabelled({each.name for each in wanted}, labelled)
    device = _device(table.device, profile, wanted)
    setup = Setup(
        space,
        objectives,
        limits,
        table.sampler,
        project.build.seed,
        starts(space, table.sampler, project.build.seed),
        own=bool(table.train),
        infers=table.sampler != BASELINE,
        key=_key(project, root) | {"device": device, "train": table.train},
    )
    return Asked(project, profile, device, setup, _name(project))


def _key(project: Project, root: Path) -> dict[str, object]:
    """What all trials are made of."""
    data = project.data
    specs = [parse(text, root) for text in (*data.calibration, *data.training)]
    return {
        "project": recipe(project, {}).to_json(),
        "model": hash_source(root / project.model.path) if project.model.path else "",
        "data": [hash_source(spec.path) for spec in specs if not spec.module],
    }


def _checked(project: Project, root: Path) -> tuple[Project, Profile]:
    """The project with relative paths, and its one target."""
    if len(project.build.targets) != 1:
        raise UsageError("a search is for one target", "--target nucleo-l4r5zi")
    if project.quantize.scheme == AUTO:
        hint = 'write quantize.scheme = ["int8", "float16"] in [search.space]'
        raise UsageError("quantize.scheme = auto: a search chooses number formats itself", hint)
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
    progress.step(f"importing {Path(project.model.path).name}")
    model = model_of(root, project)
    work = Work(recipe(project, {}), root, progress, model=model)
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


def _name(project: Project) -> str:
    train = project.search.train
    return project.model.name or Path(project.model.path).stem or train.rpartition(":")[2]

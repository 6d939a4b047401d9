"""`edgekit.sensitivity`: from a model and data to the result and its files."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgekit import publish
from edgekit._discover import did_you_mean
from edgekit.artifact import write_json
from edgekit.data.samples import Samples
from edgekit.data.select import select
from edgekit.errors import DataError, ModelError, OutputError, UsageError
from edgekit.evaluate.metrics import check_name
from edgekit.progress import Progress
from edgekit.project import Project, from_mapping
from edgekit.sensitivities.analyse import LEVELS, Asked, analyse, check_levels
from edgekit.sensitivities.picture import picture
from edgekit.sensitivities.result import FILE, KINDS, Sensitivity
from edgekit.training.rows import Rows, store
from edgekit.work import Work

SUFFIXES = (".svg", ".json")


def analyse_one(
    model: str | Path | Project,
    *,
    kinds: Sequence[str] = tuple(KINDS),
    levels: Sequence[float] = LEVELS,
    output: str | Path | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Sensitivity:
    """`edgekit.sensitivity`: see there; `model` may be a project, too."""
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise UsageError(f"there is no kind '{unknown[0]}'", did_you_mean(unknown[0], KINDS))
    check_levels(levels)
    project = _project(model, options)
    check_name(project.fidelity.metric)
    file = _file(output)
    if file is not None:
        publish.check(file.parent)
    work = Work(project, Path.cwd(), progress or Progress())
    asked = _asked(work, tuple(kind for kind in KINDS if kind in kinds), sorted({*levels}))
    journal = None if file is None else file.with_name(f".{file.stem}.journal")
    try:
        result, kept = analyse(asked, work.progress, journal, resume)
        if file is not None:
            _write(result, file)
    except OSError as error:
        raise OutputError(
            f"{file}: cannot be written: {error.strerror or error}", "choose another --output"
        ) from error
    kept.remove()
    return result


def _file(output: str | Path | None) -> Path | None:
    if output is None:
        return None
    path = Path(output)
    return path if path.suffix == ".json" else path / FILE


def _project(model: str | Path | Project, options: dict[str, Any]) -> Project:
    if isinstance(model, Project):
        return model
    project = Project().with_table("model", path=str(model), modules=options.pop("modules", None))
    project = project.with_table("build", seed=options.pop("seed", None))
    project = project.with_table("fidelity", metric=options.pop("metric", None))
    return from_mapping({"data": options}, "sensitivity()", base=project)


def _asked(work: Work, kinds: Sequence[Any], levels: Sequence[float]) -> Asked:
    """The rows: those of evaluation to measure on, else those that calibrate."""
    if work.sets.calibration is None:
        raise DataError(
            "there is no data to try changes on", "give --calibration DATA; it needs no labels"
        )
    if work.quantized_already:
        raise ModelError(f"{work.path.name} is quantized already", "give the float model")
    data, calibration = work.project.data, work.sets.calibration[0]
    judged = calibration
    if work.sets.evaluation is not None:
        judged = select(work.sets.evaluation[0], data.samples, work.project.build.seed)[0]
    own = judged is not calibration
    with tempfile.TemporaryDirectory(prefix="edgekit-rows-") as folder:
        rows = _rows(work, judged, Path(folder, "rows"), labels=own)
        ranges = _rows(work, calibration, Path(folder, "ranges"), labels=False) if own else rows
    return Asked(
        model=work.name,
        tflite=work.model.tflite,
        rows=rows,
        calibration=ranges,
        rows_sha256=judged.sha256,
        calibration_sha256=calibration.sha256,
        kinds=kinds,
        levels=levels,
        metric=work.project.fidelity.metric,
        seed=work.project.build.seed,
    )


def _rows(work: Work, samples: Samples, folder: Path, labels: bool) -> Rows:
    answers = samples.labels if labels else None
    return store(work.sets.prepared(samples), answers, folder)


def _write(result: Sensitivity, file: Path) -> None:
    """Both files, each in one step."""
    file.parent.mkdir(parents=True, exist_ok=True)
    parts = {
        file.with_suffix(suffix): file.with_name(f".{file.stem}{suffix}.part")
        for suffix in SUFFIXES
    }
    drawn, told = parts.values()
    drawn.write_text(picture(result), encoding="utf-8")
    write_json(told, result.to_json())
    for place, part in parts.items():
        os.replace(part, place)

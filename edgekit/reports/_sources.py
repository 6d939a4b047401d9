"""What a report is made from: builds with their runs, analyses and studies, as found on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from edgekit.artifact import Build
from edgekit.errors import ModelError, UsageError
from edgekit.harness.run_folder import SAMPLES, read_report
from edgekit.publish import MANIFEST
from edgekit.reports._studies import FILE as SEARCH
from edgekit.reports._studies import Study, read_study

if TYPE_CHECKING:
    from edgekit.sensitivities.result import Sensitivity

SENSITIVITY = "sensitivity.json"
_HINT = "give folders of edgekit build, bench, sensitivity or search"


@dataclass(frozen=True)
class Run:
    """A run of `edgekit bench`.

    Attributes:
        name: Of its folder.
        path: The folder, or the file that `--json` printed.
        report: Its report.
    """

    name: str
    path: Path
    report: Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """A build with the runs of its model, or a run whose build was not given.

    Attributes:
        name: Unique.
        build: None for a run alone.
        runs: In the order given.
    """

    name: str
    build: Build | None = None
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True)
class Analysis:
    """A sensitivity analysis with a name of its own."""

    name: str
    found: Sensitivity


@dataclass(frozen=True)
class Sources:
    """All that was given."""

    items: tuple[Item, ...] = ()
    analyses: tuple[Analysis, ...] = ()
    studies: tuple[Study, ...] = ()


def read(paths: Sequence[Path]) -> Sources:
    """Find out what each path is and read it; a run is put to the build of its model.

    A folder that holds builds or runs stands for all of them, by name; runs in it that were broken
    off are left out.

    Raises:
        UsageError: There is nothing of this name, or nothing of ours in it.
        ModelError: It is damaged.
    """
    found = [each for path in paths for each in _expand(path)]
    names = _names(found)
    items: list[Item] = []
    runs: list[Run] = []
    analyses: list[Analysis] = []
    studies: list[Study] = []
    for path, name in zip(found, names, strict=True):
        kind = _kind(path)
        if kind == "build":
            items.append(Item(name, Build.load(path)))
        elif kind == "run":
            runs.append(Run(name, path, read_report(path)))
        elif kind == "study":
            studies.append(read_study(path, name))
        else:
            from edgekit.sensitivities.result import Sensitivity

            analyses.append(Analysis(name, Sensitivity.from_file(path)))
    return Sources(tuple(_joined(items, runs)), tuple(analyses), tuple(studies))


def _joined(items: Sequence[Item], runs: Sequence[Run]) -> Iterator[Item]:
    """Each build with the runs of its model; runs of others follow."""
    left = list(runs)
    for item in items:
        assert item.build is not None
        hashes = {each["sha256"] for each in item.build.manifest["artifacts"]}
        own = [
            run
            for run in left
            if run.report["model_sha256"] in hashes
            and run.report.get("target", item.build.manifest["target"])
            == item.build.manifest["target"]
        ]
        left = [run for run in left if run not in own]
        yield replace(item, runs=tuple(own))
    yield from (Item(run.name, None, (run,)) for run in left)


def _expand(path: Path) -> list[Path]:
    if not path.exists():
        raise UsageError(f"{path}: there is nothing of this name", _HINT)
    if _kind(path):
        return [path]
    inside = sorted(each for each in path.iterdir() if each.is_dir()) if path.is_dir() else []
    known = [each for each in inside if _kind(each)]
    if not known and (path / SAMPLES).is_file():
        raise ModelError(f"{path}: the run was broken off, it has no report", "bench again")
    if not known:
        raise UsageError(f"{path}: no build, run, analysis or study here", _HINT)
    return known


def _kind(path: Path) -> Literal["build", "run", "analysis", "study", ""]:
    if path.is_dir():
        if (path / MANIFEST).is_file():
            return "build"
        if (path / SENSITIVITY).is_file():
            return "analysis"
        if (path / SEARCH).is_file():
            return "study"
        return "run" if _is_run(path) else ""
    if path.name in (MANIFEST, SEARCH):
        return "build" if path.name == MANIFEST else "study"
    if _is_run(path):
        return "run"
    return "analysis" if path.suffix == ".json" else ""


def _is_run(path: Path) -> bool:
    try:
        read_report(path)
    except ModelError:
        return False
    return True


def _names(paths: Sequence[Path]) -> list[str]:
    """The last part of each path, and as much before it as tells them apart."""
    parts = [[part for part in path.resolve().parts if part != "/"] or ["/"] for path in paths]
    names = []
    for own in parts:
        count = 1
        while sum(other[-count:] == own[-count:] for other in parts) > 1 and count < len(own):
            count += 1
        names.append("/".join(own[-count:]))
    return [name if names.count(name) == 1 else f"{name} {i}" for i, name in enumerate(names, 1)]

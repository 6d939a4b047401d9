"""Proof of a build: its files are what the manifest says, and the same comes out again."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from edgekit.artifact import Build
from edgekit.errors import ModelError
from edgekit.progress import Progress
from edgekit.project import from_mapping
from edgekit.publish import MANIFEST


def verify(folder: Path, rebuild: bool, progress: Progress) -> dict[str, Any]:
    """Check the hashes of a build and, if `rebuild`, that building again gives the same bytes.

    Raises:
        ModelError: A file is missing, was changed, or comes out differently; names it.
        EdgekitError: What the rebuild itself says, e.g. that the model is not there any more.
    """
    progress.step("checking hashes")
    build = Build.load(folder)
    if damaged := build.damaged():
        raise ModelError(f"{folder}: {'; '.join(damaged)}", "build again with --force")
    if rebuild:
        progress.step("building again")
        _compare(build, folder)
    return {"build": str(folder), "artifacts": len(build.manifest["artifacts"]), "rebuilt": rebuild}


def _compare(build: Build, folder: Path) -> None:
    from edgekit.pipeline import build_targets

    base = Path(build.report.get("base", "."))
    if not base.is_dir():
        raise ModelError(
            f"{folder}: was built in {base}, which is not there",
            "build again from the sources, or check hashes only with --no-rebuild",
        )
    with tempfile.TemporaryDirectory(prefix="edgekit-") as scratch:
        project = from_mapping(build.manifest["project"], MANIFEST).with_table(
            "build", output=str(Path(scratch) / "again")
        )
        builds, failure = build_targets(project, base, Progress(), force=True)
        if failure is not None:
            raise failure
        differing = _differing(build.folder, builds[0].folder, build.manifest)
    if differing:
        raise ModelError(
            f"{folder}: {', '.join(differing)} came out differently",
            "the model, the data or a package changed since: compare `versions` in the manifests",
        )


def _differing(one: Path, other: Path, manifest: dict[str, Any]) -> list[str]:
    names = [item["path"] for item in manifest["artifacts"]] + [MANIFEST]
    return [name for name in names if not _same(one / name, other / name)]


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()

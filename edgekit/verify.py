"""Proof of a build: its files are what the manifest says, and the same comes out again."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from edgekit.artifact import Build
from edgekit.errors import ModelError
from edgekit.importers.base import hash_source
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

    base = Path(str(build.report.get("base", ".")))
    if not base.is_dir():
        raise ModelError(
            f"{folder}: was built in {base}, which is not there",
            "build again from the sources, or check hashes only with --no-rebuild",
        )
    _same_model(build, base)
    with tempfile.TemporaryDirectory(prefix="edgekit-") as scratch:
        project = from_mapping(build.manifest["project"], MANIFEST).with_table(
            "build", output=str(Path(scratch) / "again")
        )
        settled = (build.manifest.get("schemes") or {}).get("chosen", "")
        builds, failure = build_targets(project, base, Progress(), force=True, settled=settled)
        if failure is not None:
            raise failure
        again = Build.load(builds[0].folder)
        differing = _differing(build.folder, again.folder, build.manifest)
    if differing:
        raise ModelError(
            f"{folder}: {', '.join(differing)} came out differently",
            f"{_reason(build.manifest, again.manifest)}: build again to have a build of it",
        )


def _same_model(build: Build, base: Path) -> None:
    """Refuse another model at once: it may not even take the data."""
    project = from_mapping(build.manifest["project"], MANIFEST)
    given = build.manifest.get("model")
    known = given.get("sha256") if isinstance(given, dict) else None
    path = base / project.model.path
    if path.exists() and hash_source(path) != known:
        raise ModelError(
            f"{build.folder}: {project.model.path} is not the model it was built from",
            "build again from the model as it is now, or check hashes only with --no-rebuild",
        )


def _reason(old: dict[str, Any], new: dict[str, Any]) -> str:
    """What the two manifests say about why they differ."""
    before, after = old.get("versions"), new["versions"]
    if isinstance(before, dict) and before != after:
        names = sorted({*before, *after})
        changed = [n for n in names if before.get(n) != after.get(n)]
        listing = ", ".join(f"{n} {before.get(n)} -> {after.get(n)}" for n in changed)
        return f"packages were changed since ({listing})"
    if old.get("key") != new["key"]:
        return "the data, the target or a module of yours was changed since"
    keys = [key for key in new if old.get(key) != new[key]]
    return f"the manifest was edited ({', '.join(keys)})" if keys else "it is not repeatable"


def _differing(one: Path, other: Path, manifest: dict[str, Any]) -> list[str]:
    names = [item["path"] for item in manifest["artifacts"]] + [MANIFEST]
    return [name for name in names if not _same(one / name, other / name)]


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()

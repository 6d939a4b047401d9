"""What a build leaves: artifacts, the manifest that names them, and the report beside it."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edgekit.errors import ModelError
from edgekit.publish import MANIFEST

SCHEMA = 1
REPORT = "report.json"


@dataclass(frozen=True)
class Artifact:
    """A file of a build: what it is, its path relative to the build, its size and hash."""

    kind: str
    path: str
    bytes: int
    sha256: str

    @classmethod
    def of(cls, kind: str, path: Path, folder: Path) -> Artifact:
        """The artifact that lies at `path` inside `folder`."""
        content = path.read_bytes()
        return cls(kind, str(path.relative_to(folder)), len(content), sha256(content))

    def to_json(self) -> dict[str, Any]:
        """The artifact as the manifest stores it."""
        return asdict(self)


@dataclass(frozen=True)
class Build:
    """A finished build.

    Attributes:
        folder: Where it lies.
        manifest: Everything that is the same whenever it is built again.
        report: What may differ from run to run: times, places, details for people.
        fresh: False when there was nothing to do.
    """

    folder: Path
    manifest: dict[str, Any]
    report: dict[str, Any] = field(default_factory=dict)
    fresh: bool = True

    @property
    def tflite(self) -> Path:
        """The built flatbuffer."""
        return self.folder / "model.tflite"

    @classmethod
    def load(cls, folder: Path) -> Build:
        """Read a build folder.

        Raises:
            ModelError: There is no manifest, or it is not one of ours.
        """
        path = folder / MANIFEST if folder.is_dir() else folder
        hint = "give the folder that edgekit build wrote, e.g. build/model-rpi4"
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            schema = manifest["schema"]
            if schema == SCHEMA:
                _require(manifest)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{folder}: no build here ({_why(path)})", hint) from error
        if schema != SCHEMA:
            raise ModelError(f"{path}: manifest schema {schema}, this edgekit reads {SCHEMA}", hint)
        return cls(path.parent, manifest, _read_report(path.parent / REPORT), fresh=False)

    def damaged(self) -> list[str]:
        """One line for each artifact that is missing or is not what the manifest says."""
        lines = []
        for item in self.manifest["artifacts"]:
            path = self.folder / item["path"]
            if not path.is_file():
                lines.append(f"{item['path']} is missing")
            elif sha256(path.read_bytes()) != item["sha256"]:
                lines.append(f"{item['path']} was changed")
        return lines


def _why(path: Path) -> str:
    """What is in the way of reading the manifest at `path`."""
    if path.name != MANIFEST:
        return "it is a file" if path.exists() else "there is nothing of this name"
    return f"{MANIFEST} missing or damaged"


def _require(manifest: dict[str, Any]) -> None:
    """Raise KeyError, TypeError or ValueError where a part that is relied on is not there."""
    named = {(item["path"], item["sha256"]) for item in manifest["artifacts"]}
    if not named or not isinstance(manifest["project"], dict):
        raise ValueError("it names no artifacts, or no project")


def write_json(path: Path, content: Any) -> None:
    """Write `content` with stable layout: keys in order of insertion, a newline at the end."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256 of `content`."""
    return hashlib.sha256(content).hexdigest()


def digest(content: Any) -> str:
    """SHA-256 of a JSON value, independent of the order of keys."""
    return sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode())


def gzip_bytes(content: bytes) -> int:
    """Size after `gzip -9`: what an app download or an over-the-air update costs."""
    return len(gzip.compress(content, compresslevel=9, mtime=0))


def _read_report(path: Path) -> dict[str, Any]:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return report if isinstance(report, dict) else {}

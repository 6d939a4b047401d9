"""Finished compression passes on disk, so that a build that was killed goes on where it was."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.artifact import digest, sha256
from edgekit.exits.exits import Heads
from edgekit.exits.gates import Gates
from edgekit.passes.base import Candidate, Entry, Variant
from edgekit.passes.promises import Promise
from edgekit.plan import Step
from edgekit.problem import Problem


class Checkpoints:
    """One flatbuffer and one JSON for each finished pass, the JSON last.

    Args:
        folder: Where they are; made when the first pass is finished.
        key: Hash of everything that the passes depend on besides their own options.
        resume: Whether what an earlier build left is used; what this one made always is.
    """

    def __init__(self, folder: Path, key: str, resume: bool) -> None:
        self._folder, self._key, self._resume = folder, key, resume
        self._made: dict[Path, Candidate] = {}

    def load(self, steps: Sequence[Step]) -> Candidate | None:
        """The model after these passes, None where it is not there whole or not to be used."""
        path = self._path(steps)
        if path in self._made or not self._resume:
            return self._made.get(path)
        try:
            tflite = path.with_suffix(".tflite").read_bytes()
            content = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            whole = content.pop("digest") == digest(content)
            return _candidate(tflite, content) if whole and _made_of(content, tflite) else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def save(self, steps: Sequence[Step], candidate: Candidate) -> None:
        """Keep the model after these passes; on disk, too, where that can be written.

        What was trained is worth more than that it could be resumed: a full disk, or another
        build that removes the folder at this moment, stops nothing.
        """
        path = self._path(steps)
        self._made[path] = candidate
        content = _content(candidate)
        text = json.dumps({**content, "digest": digest(content)}, indent=1)
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(path.with_suffix(".tflite"), candidate.tflite)
            _write(path.with_suffix(".json"), text.encode())

    def remove(self) -> None:
        """The build is done: nothing will be resumed."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, steps: Sequence[Step]) -> Path:
        name = digest([self._key, [asdict(step) for step in steps]])[:16]
        return self._folder / f"{len(steps)}-{steps[-1].name}-{name}"


def _write(path: Path, content: bytes) -> None:
    handle, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(part, path)
    except OSError:
        Path(part).unlink(missing_ok=True)
        raise


def _made_of(content: dict[str, Any], tflite: bytes) -> bool:
    return bool(content["sha256"] == sha256(tflite))


def _content(candidate: Candidate) -> dict[str, Any]:
    return {
        "sha256": sha256(candidate.tflite),
        "traits": sorted(candidate.traits),
        "ranges": {str(index): list(ends) for index, ends in candidate.ranges.items()},
        "weight_scales": {
            str(index): np.asarray(scales, np.float32).tolist()
            for index, scales in candidate.weight_scales.items()
        },
        "kept": {
            str(index): np.asarray(channels).tolist() for index, channels in candidate.kept.items()
        },
        "mates": None if candidate.mates is None else [*map(list, candidate.mates.items())],
        "heads": candidate.heads.to_json() if candidate.heads else None,
        "variants": [[each.name, each.tflite.hex()] for each in candidate.variants],
        "gates": list(candidate.gates.layers) if candidate.gates else None,
        "promises": [promise.to_json() for promise in candidate.promises],
        "problems": [problem.to_json() for problem in candidate.problems],
        "log": [entry.to_json() for entry in candidate.log],
    }


def _candidate(tflite: bytes, content: dict[str, Any]) -> Candidate:
    return Candidate(
        tflite,
        traits=frozenset(content["traits"]),
        ranges={int(i): (float(low), float(high)) for i, (low, high) in content["ranges"].items()},
        weight_scales={
            int(index): np.array(scales, np.float32)
            for index, scales in content["weight_scales"].items()
        },
        kept={int(i): np.array(channels, np.int64) for i, channels in content["kept"].items()},
        mates=None if content["mates"] is None else {int(a): int(b) for a, b in content["mates"]},
        heads=Heads.from_json(content["heads"]) if content["heads"] else None,
        variants=tuple(Variant(name, bytes.fromhex(text)) for name, text in content["variants"]),
        gates=Gates(tuple(content["gates"])) if content["gates"] else None,
        promises=tuple(Promise.from_json(promise) for promise in content["promises"]),
        problems=tuple(Problem(**problem) for problem in content["problems"]),
        log=tuple(Entry(**entry) for entry in content["log"]),
    )

"""What the passes of a build learn from, and where those that are finished are kept."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from edgekit import __version__, publish
from edgekit._plan_compress import pass_files
from edgekit.artifact import digest, sha256
from edgekit.chain import Stage, compress
from edgekit.checkpoints import Checkpoints
from edgekit.data.samples import Samples
from edgekit.importers._source import hash_source
from edgekit.model import Model
from edgekit.passes.base import Context
from edgekit.plan import Plan
from edgekit.progress import Progress
from edgekit.project import Project
from edgekit.sets import Sets
from edgekit.training.rows import Rows, store
from edgekit.training.spent import Spent
from edgekit.versions import versions


@dataclass(frozen=True)
class Learning:
    """Rows and checkpoints, made when the first pass runs.

    Attributes:
        project: What is to be built.
        root: Folder that the project's paths are relative to.
        name: Of the model.
        model: The model, imported.
        sets: The data sets, as this model wants them.
        progress: Of the build.
        resume: Whether passes that an earlier build finished are taken over.
        spent: Told what passes take.
    """

    project: Project
    root: Path
    name: str
    model: Model
    sets: Sets
    progress: Progress
    resume: bool
    spent: Spent

    def stages(self, plan: Plan) -> tuple[Stage, ...]:
        """The model after each pass of `plan`."""
        return compress(plan.compress, self._context, self._checkpoints)

    def finish(self) -> None:
        """All is built: nothing will be resumed."""
        if "_checkpoints" in self.__dict__:
            self._checkpoints.remove()

    @cached_property
    def _checkpoints(self) -> Checkpoints:
        files = [hash_source(self.root / name) for name in pass_files(self.project)]
        on = [sha256(self.model.tflite), self._data_key, self.project.build.seed, files]
        key = digest([*on, versions(), __version__])
        return Checkpoints(self._folder, key, self.resume)

    @cached_property
    def _data_key(self) -> list[Any]:
        parts = (self.sets.split.training, self.sets.split.guard)
        labels = [None if p.labels is None else sha256(p.labels.tobytes()) for p in parts]
        return [[part.sha256 for part in parts], labels, self.sets.preprocess.to_json()]

    @property
    def _folder(self) -> Path:
        """Where this build and a later one find it: beside the folders that are built."""
        build = self.project.build
        folder = self.root / (build.output or "build")
        alone = build.output and len(build.targets) == 1
        parent = publish.beside(folder) if alone else folder
        return parent / f".{self.name}-passes"

    @cached_property
    def _context(self) -> Context:
        """What all passes share.

        The rows stay mapped when their files are unlinked: a killed build leaves none behind.
        """
        parts = self.sets.split.training, self.sets.split.guard
        with tempfile.TemporaryDirectory(prefix="edgekit-rows-") as folder:
            rows, guard = [
                self._rows(part, Path(folder, str(number))) for number, part in enumerate(parts)
            ]
        return Context(
            self.model.tflite,
            rows,
            guard,
            self.project.fine_tune,
            self.project.build.seed,
            self.progress,
            self.spent,
            self.root,
            tuple(self.project.model.modules),
        )

    def _rows(self, samples: Samples, folder: Path) -> Rows:
        return store(self.sets.prepared(samples), samples.labels, folder, self.model.outputs)

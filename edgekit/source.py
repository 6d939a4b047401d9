"""What is known of a build before anything heavy is imported: enough to see if anything changed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from edgekit.importers._source import detect, hash_source
from edgekit.model import Format
from edgekit.project import Project


class Source:
    """The choices of the user, and the model file they are for.

    Args:
        project: What is to be built.
        root: Folder that the project's paths are relative to.
    """

    def __init__(self, project: Project, root: Path) -> None:
        self.project = project
        self.root = root

    @property
    def path(self) -> Path:
        """The model file."""
        return self.root / self.project.model.path

    @property
    def name(self) -> str:
        """Of the model: its file name without the suffix."""
        return self.path.resolve().stem if self.path.is_file() else self.path.resolve().name

    @cached_property
    def source_format(self) -> Format:
        """What the model file is, by its content."""
        return detect(self.path)

    @cached_property
    def source_sha256(self) -> str:
        """Hash of the model file or folder."""
        return hash_source(self.path)

    @cached_property
    def quantized_already(self) -> bool:
        """Whether the model is a `.tflite` that is no longer float."""
        if self.source_format != "tflite":
            return False
        from edgekit.graph.read import read
        from edgekit.quantizers.base import quantized_already

        return bool(quantized_already(read(self.path.read_bytes(), str(self.path))))

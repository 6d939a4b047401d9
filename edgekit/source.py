"""What is known of a build before anything heavy is imported: enough to see if anything changed."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from edgekit.errors import UsageError
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
        """Of the model: what the project calls it, or its file name without the suffix.

        Raises:
            UsageError: It is no name of a folder, or not Unicode, which no text that holds it can
                be written in.
        """
        path = self.path.resolve()
        own = self.project.model.name
        found = own or (path.stem if path.is_file() else path.name)
        if not found.isascii() and any("\ud800" <= char <= "\udfff" for char in found):
            raise UsageError(
                f"the name of {os.fsencode(path)!r} is not UTF-8",
                "rename the model to letters that are",
            )
        if "/" in own or "\\" in own or "\0" in own or own in (".", "..") or own != own.strip():
            raise UsageError(
                f"model.name {own!r} cannot be the name of a folder", 'e.g. name = "digits"'
            )
        return found

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

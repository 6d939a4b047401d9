"""The contract of an exporter, and how to write the next one.

An exporter is a file of this folder with a class `Exporter`; its name is the file's name, and a
target lists it under `exporters`. It writes the files that a target wants into the folder it is
given, from nothing but its input: the same input gives the same bytes, and no file holds a time,
a path or a version. What cannot be written raises `TargetError` (or lets `OSError` through: the
build removes the half-written folder).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from edgekit.exits.exits import Exits
from edgekit.graph.graph import Graph
from edgekit.interface import Interface, interface_of
from edgekit.preprocess import Preprocess

if TYPE_CHECKING:
    from edgekit.c_project.project import CProject
    from edgekit.golden.litert import Golden
    from edgekit.target.profile import Profile
    from edgekit.variants import BuiltVariant


@dataclass(frozen=True)
class ExportInput:
    """What every exporter is given.

    Attributes:
        name: Of the model; any text, exporters make identifiers of it.
        tflite: The finished flatbuffer.
        graph: The same, as read by `edgekit.graph.read`.
        profile: The target.
        arena_bytes: Estimate of the arena for TensorFlow Lite Micro; None where it is not known.
        project: The model as C, where it was asked for and could be made.
        golden: Golden vectors for LiteRT, likewise.
        preprocess: From raw rows to what the model was trained on.
        labels: Names of the classes; empty where they are not known.
        exits: Of a network that may answer early.
        variants: Other forms of the network, e.g. narrower ones.
    """

    name: str
    tflite: bytes
    graph: Graph
    profile: Profile
    arena_bytes: int | None = None
    project: CProject | None = None
    golden: Golden | None = None
    preprocess: Preprocess = field(default_factory=Preprocess)
    labels: tuple[str, ...] = ()
    exits: Exits | None = None
    variants: tuple[BuiltVariant, ...] = ()

    @cached_property
    def interface(self) -> Interface:
        """What a program must know of the model to call it."""
        return interface_of(self.name, self.tflite, self.graph, self.preprocess, self.labels)


class Exporter(Protocol):
    """One export format.

    Attributes:
        kind: What the manifest calls the artifacts.

    A class may have besides, where it needs it:

        golden: True: golden vectors for LiteRT are to be made, for it to write.
        metadata: True: the flatbuffer is to carry TensorFlow Lite's metadata.
        tools: Programs that it works without, but not as well: a build is made anew when one of
            them appears or goes.
        problems(build_input): What there is to say before anything is written, as a list of
            `Problem`; an error means that nothing can be.
    """

    kind: str

    def export(self, build_input: ExportInput, folder: Path) -> list[Path]:
        """Write the artifacts into `folder`, which exists, and return their paths."""
        ...

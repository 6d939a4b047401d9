"""The model as a package of Swift for iOS and macOS.

What needs Apple's toolchain has never been compiled by edgekit; the build and the files say so.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgekit.exporters._files import write
from edgekit.exporters.base import ExportInput
from edgekit.problem import Problem
from edgekit.swift.package import ELEMENTS, FOLDER, files
from edgekit.target.io_check import io_problems, library_problems
from edgekit.target.op_table import load_op_table

RUNTIME = "tflite-swift-2.17"


class Exporter:
    """Writes `swift/`."""

    kind = "swift"
    golden = True

    def problems(self, build_input: ExportInput) -> list[Problem]:
        """What stands against a package, and that Xcode has not seen it."""
        graph = build_input.graph
        taker = "the package's Model"
        if unfit := library_problems(graph, self.kind, "Swift package", ELEMENTS, taker):
            return unfit
        refused = io_problems(graph, load_op_table(RUNTIME), "float32")
        return [*(_own_runner(each) for each in refused), _UNCOMPILED]

    def export(self, build_input: ExportInput, folder: Path) -> list[Path]:
        """Write the package."""
        version = load_op_table(RUNTIME).version
        contents = files(build_input.interface, build_input.tflite, build_input.golden, version)
        return write(folder / FOLDER, contents)


def _own_runner(refused: Problem) -> Problem:
    """A warning: the class takes any runtime, and only the usual one cannot do this."""
    hint = f"{refused.hint}, or give the class a runtime that does: init(runner:)"
    return replace(refused, severity="warning", hint=hint)


_UNCOMPILED = Problem(
    "note",
    "swift",
    f"{FOLDER}/ has not been compiled by Xcode: only its parts without Apple's libraries were "
    "tried, with Swift 6.0 on Linux",
    "run the package's test on a Mac before you ship it",
)

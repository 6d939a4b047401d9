"""The model as a package of npm for web pages, on LiteRT.js.

What LiteRT.js cannot carry is refused here too: a build for another target may ask for the package.
"""

from __future__ import annotations

from pathlib import Path

from edgekit.exporters._files import write
from edgekit.exporters.base import ExportInput
from edgekit.npm.package import FOLDER, files
from edgekit.problem import Problem
from edgekit.target.io_check import io_problems
from edgekit.target.op_table import load_op_table

RUNTIME = "litert-js-2.5"


class Exporter:
    """Writes `npm/`."""

    kind = "npm"
    golden = True

    def problems(self, build_input: ExportInput) -> list[Problem]:
        """Inputs and outputs that LiteRT.js does not take."""
        return list(io_problems(build_input.graph, load_op_table(RUNTIME), "float32"))

    def export(self, build_input: ExportInput, folder: Path) -> list[Path]:
        """Write the package."""
        version = load_op_table(RUNTIME).version
        contents = files(build_input.interface, build_input.tflite, build_input.golden, version)
        return write(folder / FOLDER, contents)

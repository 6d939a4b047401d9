"""The model as a package of npm for web pages, on LiteRT.js.

Limits of LiteRT.js are refused here too, since a build for another target may ask for the package.
"""

from __future__ import annotations

from pathlib import Path

from edgekit.errors import TargetError
from edgekit.exporters.base import ExportInput
from edgekit.npm.package import FOLDER, files
from edgekit.problem import refuse
from edgekit.target.op_check import io_problems
from edgekit.target.op_table import load_op_table

RUNTIME = "litert-js-2.5"


class Exporter:
    """Writes `npm/`."""

    kind = "npm"

    def export(self, build_input: ExportInput, folder: Path) -> list[Path]:
        """Write the package.

        Raises:
            TargetError: LiteRT.js does not take the model's inputs or outputs.
        """
        runtime = load_op_table(RUNTIME)
        refuse(io_problems(build_input.graph, runtime, "float32"), TargetError)
        contents = files(
            build_input.interface, build_input.tflite, build_input.golden, runtime.version
        )
        paths = []
        for name, content in contents.items():
            path = folder / FOLDER / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            paths.append(path)
        return paths

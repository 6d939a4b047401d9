"""The model as a folder of plain C that needs no interpreter, for microcontrollers.

What cannot be compiled has been said when the build was judged; then nothing is written here.
"""

from __future__ import annotations

from pathlib import Path

from edgekit.c_project.project import FOLDER, CProject
from edgekit.c_project.read_me import read_me
from edgekit.c_project.texts import cmake_lists, golden_header, main_c
from edgekit.exporters.base import ExportInput


class Exporter:
    """Writes `c_project/`."""

    kind = "c_project"

    def export(self, build_input: ExportInput, folder: Path) -> list[Path]:
        """Write the project that the build has compiled, if there is one."""
        if build_input.project is None:
            return []
        place = folder / FOLDER
        place.mkdir()
        paths = []
        for name, text in files(build_input.project).items():
            path = place / name
            path.write_text(text, encoding="ascii")
            paths.append(path)
        return paths


def files(project: CProject) -> dict[str, str]:
    """Text by file name."""
    prefix, text = project.prefix, project.compiled.text
    return {
        f"{prefix}.h": text.header,
        f"{prefix}.c": text.source,
        f"{prefix}_kernels.h": text.kernels,
        f"{prefix}_weights.h": text.weights,
        f"{prefix}_golden.h": golden_header(project),
        "main.c": main_c(project),
        "CMakeLists.txt": cmake_lists(project),
        "README.md": read_me(project),
    }

"""The model as a folder of plain C that needs no interpreter, for microcontrollers.

What cannot be compiled has been said when the build was judged; then nothing is written here.
"""

from __future__ import annotations

from pathlib import Path

from edgekit.c_project.golden_text import golden_header
from edgekit.c_project.interface.files import interface_files
from edgekit.c_project.project import FOLDER, CProject
from edgekit.c_project.read_me import read_me
from edgekit.c_project.serial.files import FOLDER as SERIAL
from edgekit.c_project.serial.files import serial_files
from edgekit.c_project.wrappers.files import wrapper_files
from edgekit.exporters.base import ExportInput


class Exporter:
    """Writes `c_project/`."""

    kind = "c_project"

    def export(self, build_input: ExportInput, folder: Path) -> list[Path]:
        """Write the project that the build has compiled, if there is one."""
        if build_input.project is None:
            return []
        place = folder / FOLDER
        texts = files(build_input.project)
        prefix, interface = build_input.project.prefix, build_input.interface
        texts |= interface_files(prefix, interface, build_input.graph.input_tensors())
        texts |= wrapper_files(build_input.project, interface.version, texts)
        more = serial_files(build_input.project, texts)
        texts |= {f"{SERIAL}/{name}": text for name, text in more.items()}
        for name, text in texts.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text, encoding="ascii")
        return [place / name for name in texts]


def files(project: CProject) -> dict[str, str]:
    """What is of this model alone: text by file name."""
    prefix, text = project.prefix, project.compiled.text
    return {
        f"{prefix}.h": text.header,
        f"{prefix}.c": text.source,
        f"{prefix}_kernels.h": text.kernels,
        f"{prefix}_weights.h": text.weights,
        f"{prefix}_golden.h": golden_header(project),
        "README.md": read_me(project),
    }

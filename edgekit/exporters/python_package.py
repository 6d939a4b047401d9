"""The model as a package for pip: `python/` with its sources, and the wheel in it.

It needs numpy and the interpreter of the target, not edgekit.
"""

from __future__ import annotations

from pathlib import Path

from edgekit.exporters._files import write
from edgekit.exporters.base import ExportInput
from edgekit.python_package.files import (
    REQUIRES_PYTHON,
    description,
    names,
    package_files,
    project_files,
    requirements,
)
from edgekit.python_package.wheel import wheel, wheel_name

FOLDER = "python"


class Exporter:
    """Writes `python/`."""

    kind = "python_package"
    golden = True

    def export(self, build_input: ExportInput, folder: Path) -> list[Path]:
        """Write sources and wheel."""
        dist, module = names(build_input.name)
        release = build_input.interface.version
        name = wheel_name(dist, release)
        files = package_files(build_input)
        texts = project_files(build_input, name)
        metadata = {
            "Summary": description(build_input),
            "Requires-Python": REQUIRES_PYTHON,
            "Requires-Dist": [*requirements(build_input), 'Pillow; extra == "pictures"'],
            "Provides-Extra": "pictures",
        }
        content = {
            **{key: text.encode("ascii") for key, text in texts.items()},
            **{f"{module}/{key}": data for key, data in files.items()},
            name: wheel(dist, module, release, files, metadata, texts["README.md"]),
        }
        return write(folder / FOLDER, content)

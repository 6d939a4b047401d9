"""The toy of `toy_project` with the firmware of a serial line, as the exporter adds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toy_project import artifact, write_toy

from edgekit.c_project.serial.files import HERE, SOURCES, model_header, model_version
from edgekit.compiler.program import Value

SCALE, ZERO = 0.125, -3
OUTPUT = Value("scores", (1, 4), "int8", SCALE, ZERO)


def write_serial_toy(build: Path, **toy: Any) -> dict[str, Any]:
    """Write it into `build`; the manifest. What `toy` changes is as in `write_toy`."""
    manifest = write_toy(build, **toy)
    folder = build / "c_project"
    sources = [(folder / f"toy{end}").read_text() for end in (".h", ".c", "_weights.h")]
    (folder / "serial").mkdir()
    for name in SOURCES:
        (folder / "serial" / name).write_text((HERE / name).read_text())
    header = model_header("toy", model_version("toy", sources), 1, [OUTPUT])
    (folder / "serial" / "model.h").write_text(header)
    manifest["artifacts"] += [artifact(p, build) for p in sorted((folder / "serial").iterdir())]
    return manifest


def version_of(build: Path) -> str:
    """What the firmware of a toy calls its model."""
    lines = (build / "c_project/serial/model.h").read_text().splitlines()
    return next(line for line in lines if "TH_MODEL_VERSION " in line).split('"')[1]

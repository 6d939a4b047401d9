"""Build folders as the LiteRT drivers want them: a flatbuffer, golden vectors, a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from made_tflite import Made, one_op

from edgekit.artifact import Artifact
from edgekit.exporters.base import ExportInput
from edgekit.exporters.golden import Exporter as GoldenExporter
from edgekit.exporters.tflite import Exporter as TfliteExporter
from edgekit.golden.litert import make_golden
from edgekit.graph.read import read
from edgekit.target.profile import load_profile

HOST = "linux-x86_64"


def small_model(dtype: str = "INT8", size: int = 64) -> bytes:
    """RELU."""
    quantized = ((0.5,), (0,)) if dtype == "INT8" else ((), ())
    return one_op("RELU", [Made(name, (1, size), dtype, None, *quantized) for name in "xy"])


def write_build(folder: Path, data: bytes, target: str = HOST) -> dict[str, Any]:
    """Write the files of a build, and return its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    golden = make_golden(data, read(data))
    given = ExportInput("net", data, read(data), load_profile(target), golden=golden)
    artifacts = [
        Artifact.of(exporter.kind, path, folder).to_json()
        for exporter in (TfliteExporter(), GoldenExporter())
        for path in exporter.export(given, folder)
    ]
    section = golden.to_json() if golden else None
    return {"schema": 1, "target": target, "artifacts": artifacts, "golden": section}

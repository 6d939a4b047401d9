"""The flatbuffer itself: what LiteRT on phones, boards and the web loads."""

from __future__ import annotations

from pathlib import Path

from edgekit.exporters.base import ExportInput

FILE_NAME = "model.tflite"


class Exporter:
    """Writes `model.tflite`."""

    kind = "tflite"

    def export(self, build_input: ExportInput, folder: Path) -> list[Path]:
        """Write the flatbuffer, byte for byte."""
        path = folder / FILE_NAME
        path.write_bytes(build_input.tflite)
        return [path]

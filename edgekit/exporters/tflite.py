"""The flatbuffer itself: what LiteRT on phones, boards and the web loads."""

from __future__ import annotations

from pathlib import Path

from edgekit.exporters.base import ExportInput

FILE_NAME, PARTS_NAME = "model.tflite", "model_parts.tflite"


class Exporter:
    """Writes `model.tflite`; parts of a network that may answer early, and other widths."""

    kind = "tflite"

    def export(self, build_input: ExportInput, folder: Path) -> list[Path]:
        """Write the flatbuffer, byte for byte."""
        texts = {FILE_NAME: build_input.tflite}
        texts |= {each.file_name: each.tflite for each in build_input.variants}
        if build_input.exits is not None:
            from edgekit.exits.stages import parts  # numpy, which few builds need here

            texts[PARTS_NAME] = parts(build_input.tflite, build_input.exits.ends)
        for name, content in texts.items():
            (folder / name).write_bytes(content)
        return [folder / name for name in texts]

from __future__ import annotations

from pathlib import Path
from typing import Any

from made_tflite import small_net

from edgekit.exporters.base import ExportInput
from edgekit.exporters.tflite import Exporter
from edgekit.graph.read import read


def test_the_flatbuffer_is_written_byte_for_byte(tmp_path: Path) -> None:
    data, profile = small_net(), Any
    paths = Exporter().export(ExportInput("net", data, read(data), profile), tmp_path)
    assert paths == [tmp_path / "model.tflite"]
    assert paths[0].read_bytes() == data

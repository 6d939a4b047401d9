"""The flatbuffer in the fewest bytes, for updates over the air, and the C that unpacks it."""

from __future__ import annotations

from pathlib import Path

from edgekit.exporters.base import ExportInput
from edgekit.storage.container import SUFFIX
from edgekit.storage.files import pack_model, write_unpacker


class Exporter:
    """Writes `model.eks`, `edgekit_unpack.c` and `edgekit_unpack.h`."""

    kind = "packed"

    def export(self, build_input: ExportInput, folder: Path) -> list[Path]:
        """Write the packed file and its unpacker."""
        packed = folder / f"model{SUFFIX}"
        packed.write_bytes(pack_model(build_input.tflite).packed.data)
        return [packed, *write_unpacker(folder)]

"""Pack a `.tflite` file, and unpack what was packed: files in, files out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from edgekit.artifact import gzip_bytes
from edgekit.errors import ModelError, UsageError
from edgekit.graph.read import read
from edgekit.publish import write_file
from edgekit.storage import container
from edgekit.storage.container import Packed
from edgekit.storage.damaged import Damaged
from edgekit.storage.layout import constants

UNPACKER = ("edgekit_unpack.c", "edgekit_unpack.h")


@dataclass(frozen=True)
class Report:
    """What packing brought.

    Attributes:
        packed: The packed file.
        original: Bytes before.
        gzip: Bytes after `gzip -9`, to compare.
    """

    packed: Packed
    original: int
    gzip: int

    def to_json(self) -> dict[str, Any]:
        """As `edgekit pack --json` prints it."""
        return {
            "original_bytes": self.original,
            "packed_bytes": len(self.packed.data),
            "gzip_bytes": self.gzip,
            "constants": list(self._constants()),
            "rest_bytes": self.packed.rest,
            "rest_packed_bytes": self.packed.rest_stored,
        }

    def _constants(self) -> Iterator[dict[str, Any]]:
        for constant, stored in self.packed.constants:
            yield {
                "name": constant.name,
                "rows": constant.matrix.rows,
                "columns": constant.matrix.columns,
                "bytes": constant.matrix.nbytes,
                "packed_bytes": len(stored.data),
                "positions": stored.positions.name.lower(),
                "values": stored.values.name.lower(),
            }


def pack_model(tflite: bytes, path: str = "model.tflite") -> Report:
    """A flatbuffer packed, and unpacked again to see that it comes back.

    Raises:
        ModelError: It is no sound flatbuffer.
    """
    graph = read(tflite, path)
    packed = container.pack(tflite, constants(tflite, graph))
    assert container.unpack(packed.data) == tflite, "what was packed does not come back"
    return Report(packed, len(tflite), gzip_bytes(tflite))


def pack_file(model: Path, output: Path | None) -> tuple[Path, Report]:
    """Pack a `.tflite`; the packed file lies beside it, or at `output`."""
    report = pack_model(_content(model), str(model))
    place = output or model.with_suffix(container.SUFFIX)
    _write(place, report.packed.data, model)
    return place, report


def unpack_file(packed: Path, output: Path | None) -> Path:
    """Unpack a file that `pack_file` wrote.

    Raises:
        Damaged: It is not whole, or none.
    """
    try:
        content = container.unpack(_content(packed))
    except Damaged as error:
        raise Damaged(f"{packed}: {error.message}") from None
    place = output or packed.with_suffix(".tflite")
    _write(place, content, packed)
    return place


def write_unpacker(folder: Path) -> list[Path]:
    """The C that unpacks, in a folder that exists."""
    here = resources.files("edgekit.storage")
    written = []
    for name in UNPACKER:
        (folder / name).write_bytes(here.joinpath(name).read_bytes())
        written.append(folder / name)
    return written


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: cannot be read: {error.strerror or error}", "check the path"
        ) from error


def _write(place: Path, content: bytes, source: Path) -> None:
    """Put `content` at `place` in one step."""
    if place.resolve() == source.resolve():
        raise UsageError(f"{place} would overwrite its source", "choose another --output")
    write_file(place, content)

"""What a build says of its C project: what the firmware must be called, compute and print."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.errors import ModelError

_FORMATS = {"f4": "f", "i1": "b", "i2": "h", "i4": "i", "i8": "q"}
_FORMATS |= {"u1": "B", "u2": "H", "u4": "I", "u8": "Q"}


@dataclass(frozen=True)
class Output:
    """One output: bytes in all, bytes of a value, `f`, `i` or `u`, and the quantization."""

    nbytes: int
    width: int
    kind: str
    scale: float
    zero_point: int

    def real(self, content: bytes) -> list[float]:
        """The values that `content` stands for."""
        code = _FORMATS[f"{self.kind}{self.width}"]
        stored = struct.unpack(f"<{self.nbytes // self.width}{code}", content)
        if self.kind == "f":
            return list(stored)
        return [self.scale * (value - self.zero_point) for value in stored]


@dataclass(frozen=True)
class Subject:
    """The model under test.

    Attributes:
        version: What `profile` must answer as the model.
        vectors: Input and output of each golden vector, as bytes.
        outputs: In the order in which their bytes follow each other.
    """

    version: str
    vectors: tuple[tuple[bytes, bytes], ...]
    outputs: tuple[Output, ...]

    def real(self, content: bytes) -> Iterator[tuple[Output, float]]:
        """Every output value of a vector, with the output that it is of."""
        start = 0
        for output in self.outputs:
            for value in output.real(content[start : start + output.nbytes]):
                yield output, value
            start += output.nbytes


def read_subject(build: Path, manifest: Mapping[str, Any]) -> Subject:
    """The C project of a build.

    Raises:
        ModelError: The build has none, or one without firmware for a serial line.
    """
    facts = manifest.get("c_project")
    if not isinstance(facts, Mapping) or not {"prefix", "folder"} <= set(facts):
        raise ModelError(
            f"{build}: this build has no C project, which is what runs on a microcontroller",
            "build with --export c_project for the target of your board",
        )
    folder, prefix = build / facts["folder"], facts["prefix"]
    model, header = _text(folder / "serial/model.h"), _text(folder / f"{prefix}.h")
    golden = _text(folder / f"{prefix}_golden.h")
    inputs, outputs = (_vectors(golden, f"{prefix}_golden_{side}") for side in ("input", "output"))
    subject = Subject(
        version=_found(r'#define TH_MODEL_VERSION "([^"]+)"', model, "serial/model.h"),
        vectors=tuple(zip(inputs, outputs, strict=False)),
        outputs=tuple(_outputs(model, header)),
    )
    if not subject.vectors or sum(one.nbytes for one in subject.outputs) != len(outputs[0]):
        raise ModelError(f"{folder}: golden vectors and model.h differ", "build it again")
    return subject


def _outputs(model: str, header: str) -> Iterator[Output]:
    rows = re.findall(r"\{(\w+_BYTES), (\d), '([fiu])', ([-+.e\d]+)f, (-?\d+)\}", model)
    for name, width, kind, scale, zero in rows:
        nbytes = _found(rf"#define {name} (\d+)", header, "the header of the model")
        yield Output(int(nbytes), int(width), kind, float(scale), int(zero))


def _vectors(text: str, name: str) -> list[bytes]:
    pattern = rf"\b{name}\[\d*\]\[(\d+)\]\s*=\s*\{{(.*?)\}};"
    found = re.search(pattern, text, re.DOTALL)
    if not found:
        raise ModelError(f"there is no {name} among the golden vectors", "build it again")
    content, size = bytes(map(int, re.findall(r"\d+", found[2]))), int(found[1])
    return [content[start : start + size] for start in range(0, len(content), size)]


def _found(pattern: str, text: str, where: str) -> str:
    found = re.search(pattern, text)
    if not found:
        raise ModelError(f"{where} is damaged: nothing like {pattern}", "build it again")
    return found[1]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is missing or damaged", "build it again") from error

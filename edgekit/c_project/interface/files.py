"""`<prefix>_interface.h` and `.c`: the preprocessing contract of `edgekit.interface` in C."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from edgekit.affine import limits
from edgekit.c_project.interface.names import name_lines
from edgekit.c_project.interface.table import byte_value
from edgekit.compiler.emit import plain
from edgekit.fill import filled
from edgekit.graph.graph import Tensor
from edgekit.interface import Interface
from edgekit.preprocess import Preprocess

HERE = Path(__file__).parent
TYPES = {"int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "float32": "float"}
"""Inputs that preprocessing is for; others are class numbers or tokens, taken as they are."""
RAW = {"u8": "uint8_t", "i8": "int8_t", "f32": "float"}
_BYTES = {"u8": "uint8", "i8": "int8"}


def interface_files(prefix: str, interface: Interface, inputs: Sequence[Tensor]) -> dict[str, str]:
    """Text by name of file.

    Args:
        prefix: Of the project.
        interface: Of the model.
        inputs: The tensors of the inputs.

    Raises:
        DataError: `mean` or `std` do not fit the channels of an input.
    """
    head = {"p": prefix, "P": prefix.upper(), "sha256": interface.sha256}
    names_h, names_c = name_lines(prefix, interface.labels)
    ports = [
        _Port(_function(prefix, place, len(inputs)), tensor, interface.preprocess)
        for place, tensor in enumerate(inputs)
        if tensor.dtype in TYPES
    ]
    header = [
        _text("head.h", head),
        *(text for port in ports for text in port.header()),
        *_real_outputs(prefix, interface),
        names_h,
        _text("foot.h", {}),
    ]
    source = [
        _text("head.c", head),
        *([_text("resize.c", {})] if any(port.picture for port in ports) else []),
        *(text for port in ports for text in port.source()),
        names_c,
    ]
    return {
        f"{prefix}_interface.h": "".join(header),
        f"{prefix}_interface.c": "".join(source),
    }


class _Port:
    """The C of one input."""

    def __init__(self, function: str, tensor: Tensor, preprocess: Preprocess) -> None:
        self._tensor, self._preprocess = tensor, preprocess
        self._shape = tensor.shape[1:] or (1,)
        self.picture = preprocess.resize == self._shape[:2] and len(self._shape) in (2, 3)
        self._values = {
            "function": function,
            "name": plain(tensor.name),
            "type": TYPES[tensor.dtype],
            "elements": str(tensor.elements),
            **self._size(),
            **_stored(tensor),
        }

    def header(self) -> Iterator[str]:
        """Declarations."""
        yield _text("port.h", self._values)
        if self.picture:
            yield _text("picture.h", self._values)

    def source(self) -> Iterator[str]:
        """Definitions."""
        yield _text("quantise.c" if "zero" in self._values else "keep.c", self._values)
        yield self._real()
        for kind, raw in RAW.items():
            table, value = "", "@function@_stored(@function@_real((float)row[i], i))"
            if kind in _BYTES:
                name = f"{self._values['function']}_of_{kind}"
                found = byte_value(name, self._tensor, self._preprocess, _BYTES[kind])
                table, value = found or (table, value)
            yield table
            values = {"value": value, "kind": kind, "raw": raw, **self._values}
            yield _text("row.c", values)
            if self.picture:
                yield _text("picture.c", values)

    def _size(self) -> dict[str, str]:
        if not self.picture:
            return {}
        height, width, *depth = map(str, self._shape)
        deep = f"[{depth[0]}]" if depth else ""
        return {
            **{"height": height, "width": width, "size": f"{height} x {width}"},
            **{"depth": depth[0] if depth else "1", "deep": deep},
        }

    def _real(self) -> str:
        """The function from a raw value to the real one; `i` is its place in the row."""
        of, name = self._preprocess, self._values["function"]
        lines = ["", f"static float {name}_real(float raw, uint32_t i) {{"]
        if of.identity:
            return "\n".join([*lines, "    (void)i;", "    return raw;", "}", ""])
        for key, numbers in (("mean", of.mean), ("std", of.std)):
            if len(numbers) > 1:
                values = ", ".join(map(repr, numbers))
                lines.append(f"    static const double {key}[{len(numbers)}] = {{{values}}};")
        lines.append(f"    volatile double value = (double)raw * {of.scale!r};")
        if len(of.mean) < 2 and len(of.std) < 2:
            lines.append("    (void)i;")
        lines.append(f"    value = value + {of.offset!r};")
        if of.mean:
            lines.append(f"    value = value - {_number('mean', of.mean)};")
        if of.std:
            lines.append(f"    value = value / {_number('std', of.std)};")
        return "\n".join([*lines, "    return (float)value;", "}", ""])


def _number(key: str, numbers: Sequence[float]) -> str:
    """One for all as a literal, in brackets for its sign; one a channel from their array."""
    return f"({numbers[0]!r})" if len(numbers) == 1 else f"{key}[i % {len(numbers)}u]"


def _stored(tensor: Tensor) -> dict[str, str]:
    """What quantising needs to know; nothing for floats."""
    if tensor.dtype == "float32":
        return {}
    low, high = limits(tensor.dtype)
    known = tensor.quantization
    scale = f" / {float(known.scale[0])!r}f" if known else ""
    zero = int(known.zero_point[0]) if known else 0
    return {"low": str(low), "high": str(high), "divided": scale, "zero": f"({zero})"}


def _function(prefix: str, place: int, count: int) -> str:
    return f"{prefix}_prepare" if count == 1 else f"{prefix}_prepare_{place}"


def _real_outputs(prefix: str, interface: Interface) -> Iterator[str]:
    """Functions from stored outputs to real values."""
    for place, port in enumerate(interface.outputs):
        if port.scale is None or port.dtype not in TYPES or port.dtype == "float32":
            continue
        name = f"{prefix}_real" if len(interface.outputs) == 1 else f"{prefix}_real_{place}"
        yield (
            f"\n/* {plain(port.name)}: the real value of a stored output. */\n"
            f"static inline float {name}({TYPES[port.dtype]} stored) {{\n"
            f"    return {port.scale!r}f * (float)(stored - ({port.zero_point}));\n}}\n"
        )


def _text(name: str, values: dict[str, str]) -> str:
    return filled((HERE / name).read_text(encoding="ascii"), values)

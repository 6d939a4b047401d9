"""The Java source of a model's library, filled in from its interface."""

from __future__ import annotations

from importlib.resources import files

import numpy as np

from edgekit.android import java_text
from edgekit.android.names import Names
from edgekit.golden.litert import Golden
from edgekit.interface import Interface

TYPES = ("int8", "uint8", "int16", "int32", "int64", "float32", "bool")
"""What the interpreter takes and returns as numbers (org.tensorflow.lite.DataType)."""
_SHARED = ("Assets", "Port", "Preprocess", "SelfTest")


def java_sources(interface: Interface, names: Names, golden: Golden | None) -> dict[str, str]:
    """Text by file name, all of one package."""
    values = {"package": names.package, "class": names.type, "asset": names.asset}
    first, last = interface.inputs[0], interface.outputs[0]
    model = values | {
        "name": java_text.string(interface.name),
        "sha256": interface.sha256,
        "input_scale": java_text.floating(first.scale),
        "input_zero": str(first.zero_point or 0),
        "output_scale": java_text.floating(last.scale),
        "output_zero": str(last.zero_point or 0),
        "inputs": java_text.ports(interface.inputs),
        "outputs": java_text.ports(interface.outputs),
        "preprocess": java_text.preprocess(interface.preprocess),
        "golden": java_text.string(names.golden) if golden else "null",
        "allowed": ", ".join(java_text.double(value) for value in _allowed(golden)),
    }
    labels = values | {"lines": java_text.lines(interface.labels)}
    return {
        f"{names.type}.java": _filled("Model", model),
        "Labels.java": _filled("Labels", labels),
        **{f"{each}.java": _filled(each, values) for each in _SHARED},
    }


def golden_bytes(golden: Golden) -> bytes:
    """Inputs and outputs of one vector after the other, little-endian."""
    rows = zip(golden.inputs, golden.outputs, strict=True)
    arrays = [array for inputs, outputs in rows for array in (*inputs, *outputs)]
    return b"".join(array.astype(array.dtype.newbyteorder("<")).tobytes() for array in arrays)


def _allowed(golden: Golden | None) -> list[float]:
    """What an element of each output may be off, as `edgekit bench` takes it; NaN: anything."""
    if golden is None:
        return []
    columns = zip(*golden.outputs, strict=True)
    return [
        _off(np.stack(column), tolerance)
        for column, tolerance in zip(columns, golden.tolerance, strict=True)
    ]


def _off(values: np.ndarray, tolerance: float | None) -> float:
    if tolerance is None:
        return float("nan")
    if values.dtype.kind != "f":
        return tolerance
    return tolerance * float(np.abs(values[np.isfinite(values)]).max(initial=0))


def _filled(template: str, values: dict[str, str]) -> str:
    text = (files("edgekit.android") / "java" / f"{template}.java").read_text(encoding="ascii")
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text

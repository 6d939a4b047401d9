"""The Java source of a model's library, filled in from its interface."""

from __future__ import annotations

from importlib.resources import files

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
        "allowed": ", ".join(_allowed(golden)),
    }
    labels = values | {"lines": java_text.lines(interface.labels)}
    return {
        f"{names.type}.java": _filled("Model", model),
        "Labels.java": _filled("Labels", labels),
        **{f"{each}.java": _filled(each, values) for each in _SHARED},
    }


def _allowed(golden: Golden | None) -> list[str]:
    """Not a number: it is not compared."""
    allowed = golden.allowed() if golden else []
    return [java_text.double(float("nan") if value is None else value) for value in allowed]


def _filled(template: str, values: dict[str, str]) -> str:
    text = (files("edgekit.android") / "java" / f"{template}.java").read_text(encoding="ascii")
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text

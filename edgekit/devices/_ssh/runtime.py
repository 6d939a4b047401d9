"""What is installed on a board, found without loading it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgekit.devices._litert.session import PIP
from edgekit.errors import MissingExtra

PROBE = """
import json, platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
def known(package, module):
    if find_spec(module) is None:
        return None
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
def text(path):
    try:
        with open(path) as file:
            return file.read().strip("\\0\\n ")
    except OSError:
        return None
found = {"ai-edge-litert": "ai_edge_litert", "tflite-runtime": "tflite_runtime"}
there = [p + " " + str(known(p, m)) for p, m in found.items() if known(p, m)]
print(json.dumps({
    "runtime": there[0] if there else None,
    "numpy": known("numpy", "numpy"),
    "python": platform.python_version(),
    "board": text("/proc/device-tree/model"),
    "kernel": platform.release(),
}))
"""


def check_runtime(name: str, facts: Mapping[str, Any], packages: str) -> None:
    """Refuse a board that lacks what the worker needs.

    Args:
        name: Of the board.
        facts: What `PROBE` printed.
        packages: What the target's profile wants installed.

    Raises:
        MissingExtra: With the command that installs it.
    """
    hint = f"there: {PIP} install {packages}"
    runtime, numpy = facts["runtime"], facts["numpy"]
    if runtime is None:
        what = "neither ai-edge-litert nor tflite-runtime is installed"
        raise MissingExtra(f"{name}: {what}", hint)
    if numpy is None:
        raise MissingExtra(f"{name}: numpy is not installed", hint)
    if runtime.startswith("tflite-runtime 2.14") and int(numpy.partition(".")[0] or 0) > 1:
        hint = f"there: {PIP} install 'numpy<2'"
        raise MissingExtra(f"{name}: {runtime} does not work with numpy {numpy}", hint)

"""Ask an interpreter wheel whether it loads a model, in a process without any other wheel."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence

import pytest

ASK = """
import importlib, sys
interpreter = importlib.import_module(sys.argv[1]).Interpreter
for line in sys.stdin:
    try:
        interpreter(model_content=bytes.fromhex(line))
        print(1)
    except (ValueError, RuntimeError):
        print(0)
"""


def loads(module: str, models: Sequence[bytes]) -> list[bool]:
    """For each flatbuffer whether `module` (`tflite_runtime.interpreter`, ...) takes it."""
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        pytest.skip(f"{module} is not installed")
    done = subprocess.run(
        [sys.executable, "-c", ASK, module],
        input="\n".join(model.hex() for model in models),
        capture_output=True,
        text=True,
        check=True,
    )
    return [line == "1" for line in done.stdout.split()]

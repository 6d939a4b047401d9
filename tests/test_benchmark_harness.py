"""The script that measures what the bench harness itself costs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "benchmark_harness.py"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gcc") is None, reason="not on this machine: gcc")
def test_python_and_c_read_the_same(real_models: Path) -> None:
    model = real_models / "vww_mobilenetv1" / "vww_96_float.tflite"
    command = [sys.executable, str(SCRIPT), str(model), "--pairs", "3", "--runs", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    found = json.loads(done.stdout)
    assert found["model"] == "vww_96_float.tflite"
    assert found["least_percent"] <= found["overhead_percent"] <= found["most_percent"]
    assert found["python_ms"] == pytest.approx(found["native_ms"], rel=0.05)

"""What a C project takes: estimates against what a compiler makes of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from c_nets import residual_net

from edgekit.c_project.make import make_project
from edgekit.c_project.measure import measure
from edgekit.c_project.project import CProject
from edgekit.compiler.cores import Optimize, core_of
from edgekit.exporters.c_project import files
from edgekit.graph.read import read

needs_arm = pytest.mark.skipif(
    not shutil.which("arm-none-eabi-gcc"), reason="arm-none-eabi-gcc is not installed"
)


def written(folder: Path, core: str, optimize: Optimize = "balanced") -> CProject:
    data = residual_net()
    made = make_project("net", data, read(data), core, core_of(core, optimize))
    assert made.project is not None
    (folder / "c_project").mkdir()
    for name, text in files(made.project).items():
        (folder / "c_project" / name).write_text(text)
    return made.project


@needs_arm
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("optimize", ["size", "balanced", "speed"])
def test_estimates_are_near_what_a_compiler_makes(
    core: str, optimize: Optimize, tmp_path: Path
) -> None:
    project = written(tmp_path, core, optimize)
    found = measure(project, tmp_path)
    assert found is not None
    assert found["text"] * 0.85 <= project.sizes.code <= found["text"] * 1.6
    assert found["rodata"] <= project.sizes.constants <= found["rodata"] * 1.1 + 100
    assert found["data"] == found["bss"] == 0, "nothing is kept in RAM but the arena"
    assert found["flags"][-1] == ("-Os" if optimize == "size" else "-O2")


def test_other_cores_and_a_missing_compiler_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = written(tmp_path, "xtensa-lx7")
    assert measure(project, tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "b").mkdir()
    assert measure(written(tmp_path / "b", "cortex-m4"), tmp_path / "b") is None

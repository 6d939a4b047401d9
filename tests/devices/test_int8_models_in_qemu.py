"""Real int8 models, and random graphs, as firmware on every core: each bit as tflite-micro's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from int8_models import INT8_MODELS

from edgekit.c_project.make import make_project
from edgekit.c_project.project import FOLDER
from edgekit.compiler.cores import core_of
from edgekit.devices._cortex_m.machines import CORES
from edgekit.devices.base import Golden, Job
from edgekit.devices.qemu import Driver
from edgekit.exporters.c_project import files
from edgekit.graph.read import read

sys.path.append(str(Path(__file__).parents[1] / "compiler"))
from random_graphs import KINDS, random_graph

pytestmark = pytest.mark.usefixtures("qemu")


def golden_of(model: bytes, core: str, folder: Path) -> Golden:
    """Golden vectors of a model, compiled for a core, on that core."""
    made = make_project("m", model, read(model), core, core_of(core))
    assert made.project is not None, made.problems[0].message
    (folder / FOLDER).mkdir()
    for name, text in files(made.project).items():
        (folder / FOLDER / name).write_text(text, encoding="ascii")
    with Driver() as driver:
        driver.deploy(Job(folder, made.project.to_json()))
        return driver.check()


def fails(golden: Golden) -> str:
    return golden.detail or ("" if golden.ok else f"{golden.mismatched} of {golden.compared}")


@pytest.mark.parametrize("core", CORES)
def test_keywords(core: str, real_models: Path, tmp_path: Path) -> None:
    model = (real_models / INT8_MODELS["kws"]).read_bytes()
    golden = golden_of(model, core, tmp_path)
    assert fails(golden) == ""
    assert (golden.vectors, golden.compared) == (8, 96)


@pytest.mark.slow
@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("name", [name for name in INT8_MODELS if name != "kws"])
def test_every_other_model(name: str, core: str, real_models: Path, tmp_path: Path) -> None:
    golden = golden_of((real_models / INT8_MODELS[name]).read_bytes(), core, tmp_path)
    assert fails(golden) == ""
    assert golden.compared > 0


@pytest.mark.parametrize("core", CORES)
def test_a_random_graph(core: str, tmp_path: Path) -> None:
    seed = 7_000_002 + 7 * list(CORES).index(core)
    golden = golden_of(random_graph(seed), core, tmp_path)
    assert fails(golden) == "", f"{KINDS[seed % len(KINDS)].__name__}, seed {seed}"

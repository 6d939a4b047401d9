"""Structured removal as a user meets it: any source, budgets that are measured, bad input."""

from __future__ import annotations

from pathlib import Path

import compressing
import numpy as np
import pytest

import edgekit
from edgekit.cli import main
from edgekit.graph.count import macs, parameters
from edgekit.graph.read import read
from edgekit.identity import input_key, repeatable
from edgekit.plan import make_plan
from edgekit.progress import Progress
from edgekit.project import from_mapping
from edgekit.target.profile import load_profile
from edgekit.work import Work

LAB = """
from edgekit.graph.count import parameters
from edgekit.graph.read import read
def cost(tflite):
    return parameters(read(tflite))
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a float `.tflite`, rows for it, and a module that measures."""
    monkeypatch.chdir(tmp_path)
    Path("net.tflite").write_bytes(compressing.net())
    rows = np.random.default_rng(0).normal(size=(40, 6, 6, 4)).astype(np.float32)
    np.savez("rows.npz", x=rows)
    Path("build_lab.py").write_text(LAB)
    return tmp_path


@pytest.mark.parametrize(
    "budget", [{"share": 0.5}, {"latency": 0.6, "measure": "python:build_lab:cost"}]
)
def test_a_float_tflite_becomes_smaller(here: Path, budget: dict[str, object]) -> None:
    built = edgekit.build(
        "net.tflite",
        "android",
        output="out",
        calibration=["rows.npz:x"],
        compress=[{"pass": "remove", "rounds": 1, "fine_tune": {"epochs": 1}, **budget}],
    )
    graph, manifest = read(Path("out/model.tflite").read_bytes()), built.manifest
    assert graph.input_tensors()[0].dtype == "int8"
    assert manifest["built"]["macs"] == macs(graph) < 0.7 * macs(read(compressing.net()))
    assert manifest["built"]["parameters"] == parameters(graph) < manifest["model"]["parameters"]
    assert Path("net.tflite").read_bytes() == compressing.net()


def test_what_measures_is_part_of_what_a_build_depends_on(here: Path) -> None:
    def project(**values: object) -> Work:
        table = {"pass": "remove", **values}
        content = {
            "model": {"path": "net.tflite"},
            "data": {"calibration": ["rows.npz:x"]},
            "build": {"targets": ["android"], "output": "out"},
            "compress": [table],
        }
        return Work(from_mapping(content, "test"), here, Progress())

    def key(work: Work) -> str:
        profile = load_profile("android")
        return input_key(work, profile, make_plan(work.project, profile, "tflite"), ())

    measured = {"latency": 0.5, "measure": "python:build_lab:cost"}
    analysed = {"macs": 0.5, "allocate": "sensitivity", "sensitivity": "s.json"}
    Path("s.json").write_text("{}")
    before = [key(project(**values)) for values in (measured, analysed)]
    Path("build_lab.py").write_text(LAB + "\n")
    Path("s.json").write_text("[]")
    after = [key(project(**values)) for values in (measured, analysed)]
    assert all(one != other for one, other in zip(before, after, strict=True))
    assert not repeatable(project(**measured))  # a device is not the same from day to day
    assert repeatable(project(**analysed))


BAD = {
    "remove:1.2": (2, "share = 1.2 is out of range", "write 0.3 for 30 %"),
    "remove:macs=50": (2, "macs = 50 is neither a share", "for 50 % write 0.5"),
    "remove:0.5:layers=y11": (2, "layers: 'y11' matches no layer", "did you mean 'y1'?"),
    "remove:0.5:exclude=y*": (1, "there is nothing to remove", "leave remove out"),
    "remove:0.5:epochs=1:learning_rate=1e30": (1, "the loss is", "lower the learning rate"),
}


@pytest.mark.parametrize("compress", BAD)
def test_bad_input_is_one_line_and_changes_nothing(
    here: Path, capsys: pytest.CaptureFixture[str], compress: str
) -> None:
    code, message, hint = BAD[compress]
    given = ["--target", "android", "--calibration", "rows.npz:x", "--compress", compress]
    assert main(["build", "net.tflite", *given, "--output", "out", "-q"]) == code
    lines = capsys.readouterr().err.strip().splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "hint"]
    assert message in lines[0]
    assert hint in lines[1]
    assert not Path("out").exists()
    assert Path("net.tflite").read_bytes() == compressing.net()

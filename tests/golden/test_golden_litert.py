"""Golden vectors for LiteRT: by reference kernels alone, with an honest tolerance, or none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_tflite import Made, Step, build, one_op, options

from edgekit.exporters.base import ExportInput
from edgekit.exporters.golden import Exporter
from edgekit.golden.litert import MACS, SHARE, STEPS, make_golden
from edgekit.graph.read import read
from edgekit.runtimes.base import open_runtime
from edgekit.target.profile import load_profile


def relu(dtype: str = "INT8") -> bytes:
    scale = (0.5,) if dtype == "INT8" else None
    zero = (0,) if dtype == "INT8" else None
    return one_op("RELU", [Made(name, (1, 9), dtype, None, scale, zero) for name in "xy"])


@pytest.mark.parametrize(("dtype", "tolerance"), [("INT8", STEPS), ("FLOAT32", SHARE)])
def test_outputs_are_those_of_reference_kernels(dtype: str, tolerance: float) -> None:
    data = relu(dtype)
    golden = make_golden(data, read(data))
    assert golden is not None
    assert golden.tolerance == [tolerance]
    with open_runtime("litert-reference", data) as runtime:
        for row, wanted in zip(golden.inputs, golden.outputs, strict=True):
            assert runtime.run(row)[0].tobytes() == wanted[0].tobytes()
            assert wanted[0].min() >= 0


def test_child_processes_give_the_same() -> None:
    data = relu()
    here, there = make_golden(data, read(data)), make_golden(data, read(data), isolated=True)
    assert here is not None
    assert there is not None
    for name, array in here.arrays().items():
        assert there.arrays()[name].tobytes() == array.tobytes()


def test_model_with_an_op_without_reference_kernel_has_none() -> None:
    data = one_op("ELU", [Made("x", (1, 9), "FLOAT32"), Made("y", (1, 9), "FLOAT32")])
    with open_runtime("litert-reference", data) as runtime:  # other kernels stand in
        assert runtime.run((np.ones((1, 9), np.float32),))
    assert make_golden(data, read(data)) is None


def test_custom_op_and_open_size_have_none() -> None:
    def opened(model: Any) -> None:
        model.subgraphs[0].tensors[0].shapeSignature = [1, -1]

    tensors = [Made("x", (1, 1)), Made("y", (1, 1))]
    custom = build(tensors, [Step("CUSTOM", (0,), (1,), custom="Mine")], (0,), (1,))
    unsized = build(tensors, [Step("RELU", (0,), (1,))], (0,), (1,), opened)
    for data in (unsized, custom):
        assert make_golden(data, read(data)) is None


def test_classes_have_no_tolerance() -> None:
    tensors = [
        Made("x", (1, 9)),
        Made("axis", (), "INT32", np.array(1, np.int32)),
        Made("y", (1,), "INT64"),
    ]
    step = Step("ARG_MAX", (0, 1), (2,), options("ArgMax", outputType=4))
    data = build(tensors, [step], (0,), (2,))
    golden = make_golden(data, read(data))
    assert golden is not None
    assert golden.tolerance == [None]


def test_slow_models_have_fewer_vectors(real_models: Path) -> None:
    data = (real_models / "ic_resnet8" / "pretrainedResnet_int8.tflite").read_bytes()
    golden = make_golden(data, read(data))
    assert golden is not None
    assert len(golden.inputs) * 12_501_632 <= MACS
    assert 10 < (golden.tolerance[0] or 0) < 60  # XNNPACK is up to 32 steps off here


def test_the_file_is_the_same_every_time(tmp_path: Path) -> None:
    data = relu()
    files = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        given = ExportInput(
            "net", data, read(data), load_profile("rpi4"), golden=make_golden(data, read(data))
        )
        (path,) = Exporter().export(given, folder)
        files.append(path.read_bytes())
    assert files[0] == files[1]
    with np.load(path) as stored:
        assert {name: stored[name].shape for name in stored} == {
            "input_0": (8, 1, 9),
            "output_0": (8, 1, 9),
        }


def test_without_vectors_no_file(tmp_path: Path) -> None:
    data = relu()
    given = ExportInput("net", data, read(data), load_profile("rpi4"))
    assert Exporter().export(given, tmp_path) == []


def test_builds_for_boards_and_phones_have_them(built: Path) -> None:
    sections = {}
    for target in ("rpi4", "android", "cortex-m4"):
        manifest = json.loads((built / f"digits-{target}" / "manifest.json").read_text())
        listed = {item["path"]: item["kind"] for item in manifest["artifacts"]}
        assert listed.get("golden.npz") == ("golden" if manifest["golden"] else None)
        sections[target] = manifest["golden"]
    assert sections["cortex-m4"] is None
    assert sections["rpi4"] == sections["android"]
    assert sections["rpi4"]["by"] == "litert-reference"
    assert sections["rpi4"]["vectors"] == 8

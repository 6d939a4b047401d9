"""Channels that change nothing leave a finished file, where a run gives the same outputs."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import edgekit
from edgekit import dead_channels
from edgekit.dead_channels import without_dead
from edgekit.graph.read import read
from edgekit.runtimes.base import open_runtime

sys.path.append(str(Path(__file__).parent / "compiler"))
from chains import Chain


@pytest.fixture(scope="module")
def whole() -> bytes:
    """Two of five channels have no weights."""
    return Chain((1, 4, 4, 3)).conv(5, dead=[1, 4]).conv(2).model()


@pytest.mark.parametrize("runtime", ["litert", "tflite-micro"])
def test_they_leave_with_a_note(whole: bytes, runtime: str) -> None:
    small, (note,) = without_dead(whole, runtime)
    assert read(small).tensors[read(small).ops[0].outputs[0]].shape[-1] == 3
    assert note.severity == "note"
    assert "of 32 parameters" in note.message
    assert "dead=off" in note.hint
    row = (np.full((1, 4, 4, 3), -77, np.int8),)
    with open_runtime(runtime, whole) as left, open_runtime(runtime, small) as right:
        np.testing.assert_array_equal(left.run(row)[0], right.run(row)[0])


def test_a_file_without_any_is_itself(whole: bytes) -> None:
    full = Chain((1, 4, 4, 3)).conv(5).conv(2).model()
    assert without_dead(full, "litert") == (full, ())
    small, _ = without_dead(whole, "litert")
    assert without_dead(small, "litert") == (small, ())


def test_a_file_that_computes_something_else_is_not_used(
    whole: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Chain((1, 4, 4, 3)).conv(5, dead=[2]).conv(2).model()
    monkeypatch.setattr(dead_channels, "leave_out", lambda _: other)
    used, (problem,) = without_dead(whole, "litert")
    assert used is whole
    assert problem.severity == "warning"
    assert "computes other outputs" in problem.message


@pytest.mark.parametrize("dead", ["auto", "off"])
def test_a_build_leaves_them_out_unless_told_otherwise(dead: str, tmp_path: Path) -> None:
    from small_nets import Net

    random = np.random.default_rng(0)
    first, second = random.normal(size=(6, 3, 3, 2)), random.normal(size=(4, 1, 1, 6))
    first[[1, 3]] = 0
    bias = np.array([0.5, -1, 0.5, -1, 0.5, 0.5])
    net = Net(5, 5, 2).conv(first, bias).conv(second).mean().dense(random.normal(size=(3, 4)))
    (tmp_path / "net.tflite").write_bytes(net.tflite())
    np.savez(tmp_path / "rows.npz", x=random.normal(size=(60, 5, 5, 2)).astype(np.float32))
    build = edgekit.build(
        tmp_path / "net.tflite",
        "cortex-m4",
        calibration=f"{tmp_path}/rows.npz",
        samples=30,
        output=tmp_path / "out",
        set={"quantize.dead": dead},
    )
    manifest = build.manifest
    assert manifest["model"]["parameters"] == 6 * 18 + 6 + 24 + 4 + 12 + 3
    left = {"auto": 4 * 18 + 4 + 16 + 4 + 12 + 3, "off": manifest["model"]["parameters"]}[dead]
    assert manifest["built"]["parameters"] == left
    assert (manifest["built"]["macs"] < manifest["model"]["macs"]) == (dead == "auto")
    assert manifest["fidelity"]["sqnr_db"] > 20
    assert ("change nothing" in str(manifest["problems"])) == (dead == "auto")
    assert (tmp_path / "out" / "c_project").is_dir()

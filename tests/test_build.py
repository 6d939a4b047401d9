"""The main job on the shipped example, as a user calls it."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from digits_example import DATA, DIGITS, contents, edgekit_in, manifest_of

import edgekit
from edgekit.cli import main

FIELDS = (
    *("schema", "edgekit", "target", "model", "plan", "preprocess", "quantization"),
    *("calibration", "compress", "seed", "built", "fidelity", "accuracy", "artifacts", "fit"),
    *("problems", "versions"),
)


KINDS = {
    "rpi4": {"golden", "python_package"},
    "android": {"golden", "aar"},
    "cortex-m4": {"c_project"},
}
"""What a target is given besides the model and its array."""


@pytest.mark.parametrize("target", ["rpi4", "android", "cortex-m4"])
def test_manifest_says_it_all(built: Path, target: str) -> None:
    folder = built / f"digits-{target}"
    manifest = manifest_of(folder)
    assert set(FIELDS) <= set(manifest)
    assert manifest["target"] == target
    assert manifest["quantization"]["scheme"] == "int8"
    assert manifest["quantization"]["inputs"][0]["dtype"] == "int8"
    assert manifest["calibration"]["samples"] == 200
    assert manifest["accuracy"]["samples"] == 200
    assert manifest["accuracy"]["drop"] <= 1.0
    assert manifest["accuracy"]["float"] > 90
    assert manifest["fidelity"]["top1_agreement"] > 95
    assert manifest["built"]["macs"] == manifest["model"]["macs"] > 0
    kinds = {item["kind"] for item in manifest["artifacts"]}
    assert kinds == {"tflite", "c_array", *KINDS[target]}
    assert not [item for item in manifest["artifacts"] if item["path"].startswith("/")]


def test_microcontrollers_are_judged_with_tflite_micro(built: Path) -> None:
    assert "tflite-micro" in manifest_of(built / "digits-cortex-m4")["quantization"]["runtime"]
    assert "ai-edge-litert" in manifest_of(built / "digits-rpi4")["quantization"]["runtime"]


def test_no_times_and_no_absolute_paths_in_the_manifest(built: Path) -> None:
    text = (built / "digits-rpi4" / "manifest.json").read_text()
    assert f'"{DATA}' not in text
    assert f'"{built}' not in text


def test_second_build_does_nothing_and_says_so(built: Path) -> None:
    before = (built / "digits-rpi4" / "manifest.json").stat().st_mtime_ns
    began = time.monotonic()
    done = edgekit_in(built.parent, "build", *DIGITS, "--target", "rpi4")
    assert done.returncode == 0, done.stderr
    assert "nothing to do" in done.stdout
    assert (built / "digits-rpi4" / "manifest.json").stat().st_mtime_ns == before
    assert time.monotonic() - began < 30


def test_changed_artifact_is_built_again(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(built / "digits-rpi4", folder)
    (folder / "model.tflite").write_bytes(b"broken")
    done = edgekit_in(built.parent, "build", *DIGITS, "--target", "rpi4", "--output", str(folder))
    assert "nothing to do" not in done.stdout
    assert contents(folder) == contents(built / "digits-rpi4")


def test_another_folder_another_process_the_same_bytes(built: Path, tmp_path: Path) -> None:
    done = edgekit_in(
        built.parent,
        *("build", *DIGITS, "--target", "cortex-m4", "--force", "--output", str(tmp_path / "b")),
    )
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "b") == contents(built / "digits-cortex-m4")


def test_json_alone_on_standard_output(built: Path) -> None:
    done = edgekit_in(built.parent, "build", *DIGITS, "--target", "android", "--json", "--force")
    (build,) = json.loads(done.stdout)["builds"]
    assert build["target"] == "android"
    assert "quantizing" in done.stderr


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    done = edgekit_in(tmp_path, "build", *DIGITS, "--target", "rpi4", "--dry-run", "--json")
    plan = json.loads(done.stdout)["plans"][0]
    assert [step["kind"] for step in plan["steps"]][:2] == ["import", "quantize"]
    assert not list(tmp_path.iterdir())


def test_python_api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    build = edgekit.build(
        DATA / "digits.keras",
        target="rpi4",
        calibration=f"{DATA}/digits_calibration.npz[:150]",
        preprocess="unit",
        samples=100,
        output=tmp_path / "out",
    )
    assert build.tflite.is_file()
    assert build.manifest["calibration"]["samples"] == 100
    assert build.manifest["fidelity"]["samples"] == 50, "the rows that calibration left over"
    assert build.manifest["accuracy"] is None


def test_project_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edgekit.toml").write_text(f"""
        [model]
        path = "{DATA}/digits.keras"
        [data]
        calibration = ["{DATA}/digits_calibration.npz"]
        preprocess = "unit"
        [build]
        targets = ["rpi4"]
        [fidelity]
        enabled = false
    """)
    assert main(["build", "-q"]) == 0
    manifest = manifest_of(tmp_path / "build" / "digits-rpi4")
    assert manifest["fidelity"] is None


@pytest.mark.parametrize(
    ("scheme", "target", "dtype"),
    [
        pytest.param("int16x8", "cortex-m4", "int16", id="int16x8 on a microcontroller"),
        pytest.param("float16", "rpi4", "float32", id="float16"),
        pytest.param("dynamic", "linux-armhf", "float32", id="dynamic for tflite-runtime 2.14"),
        pytest.param("float32", "web", "float32", id="float32 in the browser"),
    ],
)
def test_other_number_formats(tmp_path: Path, scheme: str, target: str, dtype: str) -> None:
    arguments = ["build", *DIGITS, "--target", target, "--quantize", scheme, "-q"]
    assert main([*arguments, "--output", str(tmp_path / "b")]) == 0
    manifest = manifest_of(tmp_path / "b")
    assert manifest["quantization"]["scheme"] == scheme
    assert manifest["quantization"]["inputs"][0]["dtype"] == dtype
    assert manifest["accuracy"]["drop"] <= 1.0


def test_quantized_file_is_exported_as_it_is(built: Path, tmp_path: Path) -> None:
    source = built / "digits-rpi4" / "model.tflite"
    assert main(["build", str(source), "-t", "cortex-m4", "-q", "-o", str(tmp_path / "b")]) == 0
    manifest = manifest_of(tmp_path / "b")
    assert (tmp_path / "b" / "model.tflite").read_bytes() == source.read_bytes()
    assert manifest["quantization"]["scheme"] == "as-is"
    assert any("quantized already" in problem["message"] for problem in manifest["problems"])


def test_one_target_that_cannot_hold_it_does_not_stop_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.toml").write_text(
        'title = "Tiny"\nextends = "cortex-m4"\n[memory]\nflash_bytes = 40960\nram_bytes = 8192\n'
    )
    assert main(["build", *DIGITS, "-t", "tiny.toml", "-t", "rpi4", "-q"]) == 3
    error = capsys.readouterr().err
    assert "RAM of tiny: needs" in error
    assert len(error.strip().splitlines()) == 2
    assert os.listdir(tmp_path / "build") == ["digits-rpi4"]

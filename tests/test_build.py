"""The main job on the shipped example, as a user calls it."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgekit
from edgekit.cli import main
from edgekit.errors import ModelError, OutputError
from edgekit.progress import Progress
from edgekit.verify import verify

DATA = Path(__file__).resolve().parents[1] / "calibration_data"
DIGITS = [
    str(DATA / "digits.keras"),
    *("--calibration", f"{DATA}/digits_calibration.npz", "--preprocess", "unit"),
    *("--evaluation", f"{DATA}/digits_evaluation.npz:x,y[:200]"),
]
FIELDS = (
    *("schema", "edgekit", "target", "model", "plan", "preprocess", "quantization"),
    *("calibration", "compress", "seed", "built", "fidelity", "accuracy", "artifacts", "fit"),
    *("problems", "versions"),
)


def edgekit_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "edgekit", *arguments], cwd=folder, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`build/` with the digit reader for three targets, made in one run."""
    folder = tmp_path_factory.mktemp("built")
    targets = ("--target", "rpi4", "--target", "android", "--target", "cortex-m4")
    done = edgekit_in(folder, "build", *DIGITS, *targets)
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout
    return folder / "build"


def manifest_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return content


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but the report, which may differ."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "report.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


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
    assert kinds == {"tflite", "c_array"}
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


def test_verify(built: Path, tmp_path: Path) -> None:
    done = edgekit_in(tmp_path, "verify", str(built / "digits-rpi4"), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rebuilt"] is True


def test_verify_names_what_was_changed(
    built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(built / "digits-rpi4", folder)
    with open(folder / "model_data.c", "a") as handle:
        handle.write("\n")
    assert main(["verify", str(folder), "--no-rebuild"]) == 1
    assert "model_data.c was changed" in capsys.readouterr().err


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
    assert "flash of tiny: needs" in error
    assert len(error.strip().splitlines()) == 2
    assert os.listdir(tmp_path / "build") == ["digits-rpi4"]


def test_wrong_scale_is_warned_of(tmp_path: Path) -> None:
    build = edgekit.build(
        DATA / "digits.keras",
        target="rpi4",
        calibration=f"{DATA}/digits_calibration.npz",
        output=tmp_path / "b",
        fidelity=False,
    )
    warnings = [p for p in build.manifest["problems"] if p["severity"] == "warning"]
    assert any("unit" in p["hint"] for p in warnings), warnings


def without_fidelity(manifest: dict[str, Any]) -> str:
    (message,) = (p["message"] for p in manifest["problems"] if p["where"] == "fidelity")
    assert manifest["fidelity"] is None
    return str(message)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        pytest.param({"calibration": ".npz", "fidelity": False}, "switched off", id="unwanted"),
        pytest.param({"calibration": ".npz"}, "every row", id="no rows left"),
        pytest.param({"quantize": "float16"}, "no data", id="no data at all"),
    ],
)
def test_no_fidelity_is_explained(tmp_path: Path, options: dict[str, Any], reason: str) -> None:
    if "calibration" in options:
        options = {**options, "calibration": f"{DATA}/digits_calibration.npz[:60]"}
    given = {"target": "rpi4", "preprocess": "unit", "output": tmp_path / "b"}
    build = edgekit.build(DATA / "digits.keras", **given, **options)
    assert reason in without_fidelity(build.manifest)


def save_pictures(folder: Path, rows: np.ndarray, labels: np.ndarray) -> None:
    from PIL import Image

    for number, (row, label) in enumerate(zip(rows, labels, strict=True)):
        place = folder / str(label)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(row[..., 0]).save(place / f"{number:03}.png")


def test_pictures_and_python_rows_give_a_manifest_without_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with np.load(DATA / "digits_evaluation.npz") as arrays:
        save_pictures(tmp_path / "photos", arrays["x"][:40], arrays["y"][:40])
        np.save(tmp_path / "rows.npy", arrays["x"][100:160, ..., 0])
    (tmp_path / "edgekit_test_rows.py").write_text(
        "import numpy as np\ndef rows(): return np.load('rows.npy')\n"
    )
    shutil.copy(DATA / "digits.keras", tmp_path)
    builds = [
        edgekit.build(
            tmp_path / "digits.keras",
            target="rpi4",
            calibration="python:edgekit_test_rows:rows",
            evaluation=str(tmp_path / "photos"),
            preprocess="unit",
            output=output,
            force=True,
        )
        for output in ("one", "two")
    ]
    assert contents(tmp_path / "one") == contents(tmp_path / "two"), "python: hashes no folder"
    manifest = builds[0].manifest
    assert str(tmp_path) not in json.dumps(manifest)
    told = [(p["where"], p["message"]) for p in manifest["problems"]]
    assert any(w == "photos" and "are the class numbers" in m for w, m in told), told
    assert any("missing channel axis" in m for _, m in told)
    assert manifest["accuracy"]["float"] > 90


def test_evaluation_in_other_units_is_warned_of(tmp_path: Path) -> None:
    with np.load(DATA / "digits_evaluation.npz") as arrays:
        np.savez(tmp_path / "e.npz", x=arrays["x"][:30] / 255, y=arrays["y"][:30])
    build = edgekit.build(
        DATA / "digits.keras",
        target="rpi4",
        calibration=f"{DATA}/digits_calibration.npz",
        evaluation=f"{tmp_path}/e.npz:x,y",
        preprocess="unit",
        output=tmp_path / "b",
        fidelity=False,
    )
    (problem,) = (p for p in build.manifest["problems"] if p["severity"] == "warning")
    assert problem["where"] == "--evaluation"
    assert "those of --calibration 1" in problem["message"]


def test_verify_says_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(DATA / "digits.keras", "m.keras")
    shutil.copy(DATA / "digits_calibration.npz", "c.npz")
    edgekit.build("m.keras", "rpi4", calibration="c.npz[:50]", fidelity=False, output="b")
    manifest = Path("b/manifest.json")
    text = manifest.read_text()

    def told() -> str:
        with pytest.raises(ModelError) as error:
            verify(Path("b"), rebuild=True, progress=Progress())
        return f"{error.value.message} | {error.value.hint}"

    manifest.write_text(text.replace('"seed": 0', '"seed": 1', 1))
    assert "manifest.json came out differently | the manifest was edited (seed)" in told()
    manifest.write_text(text)
    with np.load("c.npz") as arrays:
        np.savez("c.npz", x=arrays["x"][::-1])
    assert "the data, the target or a module of yours was changed" in told()
    manifest.write_text(text.replace('"artifacts": [', '"artifacts": 3, "x": [', 1))
    assert "no build here" in told()


def test_model_is_not_overwritten_by_its_own_build(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(built / "digits-rpi4", folder)
    before = contents(folder)
    with pytest.raises(OutputError, match=r"model\.tflite is the model itself"):
        edgekit.build(folder / "model.tflite", target="cortex-m4", output=folder)
    assert contents(folder) == before


def test_killed_build_leaves_the_last_good_one(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    shutil.copytree(built / "digits-rpi4", folder)
    before = contents(folder)
    command = [sys.executable, "-m", "edgekit", "build", *DIGITS, "-t", "rpi4", "--force"]
    for seconds in (0.5, 3.0, 5.0):
        with subprocess.Popen(
            [*command, "-o", str(folder)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        ) as child:
            time.sleep(seconds)
            child.send_signal(signal.SIGKILL)
        assert {key: contents(folder)[key] for key in before if key != "manifest.json"} == {
            key: value for key, value in before.items() if key != "manifest.json"
        }
        assert edgekit_in(tmp_path, "verify", "b", "--no-rebuild").returncode == 0


def test_two_builds_at_once_into_one_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edgekit", "build", *DIGITS, "-t", "rpi4", "-o", "b"]
    children = [
        subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    errors = [child.communicate()[1].decode() for child in children]
    assert [child.returncode for child in children] == [0, 0], errors
    assert sum("waiting for another build" in error for error in errors) <= 1
    assert edgekit_in(tmp_path, "verify", "b", "--no-rebuild").returncode == 0
    assert sorted(os.listdir(tmp_path)) == ["b"]


def _no_space() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_disk_full_leaves_the_last_good_build(built: Path, tmp_path: Path) -> None:
    folder = tmp_path / "b"
    shutil.copytree(built / "digits-rpi4", folder)
    before = contents(folder)
    done = subprocess.run(
        [sys.executable, "-m", "edgekit", "build", *DIGITS, "-t", "rpi4", "--force", "-o", "b"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=_no_space,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.strip().splitlines()[-2].startswith("error: no space left")
    assert contents(folder) == before
    assert os.listdir(tmp_path) == ["b"]


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="file"):
        edgekit.build(
            DATA / "digits.keras",
            target="rpi4",
            calibration=f"{DATA}/digits_calibration.npz",
            output=tmp_path / "file" / "b",
            fidelity=False,
        )

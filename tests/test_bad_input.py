"""Bad input, as a user meets it: one line, one hint, the right exit code, nothing half-written."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgekit.cli import main

DATA = Path(__file__).resolve().parents[1] / "calibration_data"
CALIBRATION = ("--calibration", f"{DATA}/digits_calibration.npz", "--preprocess", "unit")
GOOD = (str(DATA / "digits.keras"), *CALIBRATION, "--target", "rpi4", "--no-fidelity")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with a last good build in `out`."""
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    (out / "keep").write_text("the last good build")
    return tmp_path


def refused(
    capsys: pytest.CaptureFixture[str], code: int, message: str, hint: str, *arguments: str
) -> None:
    """`edgekit build` with these arguments says `message` and `hint` and leaves nothing behind."""
    capsys.readouterr()
    assert main(["build", *arguments, "--output", "out", "-q"]) == code
    output = capsys.readouterr()
    lines = output.err.strip().splitlines()
    assert [line.split(":")[0] for line in lines] == ["error", "hint"], output.err
    assert message in lines[0], lines
    assert hint in lines[1], lines
    assert output.out == ""
    assert [path.name for path in Path("out").iterdir()] == ["keep"]
    assert not list(Path.cwd().glob(".out.*"))


def _directory() -> str:
    Path("folder").mkdir()
    return "folder"


def _truncated() -> str:
    Path("cut.keras").write_bytes((DATA / "digits.keras").read_bytes()[:20_000])
    return "cut.keras"


def _empty() -> str:
    Path("empty.tflite").write_bytes(b"")
    return "empty.tflite"


def _zip() -> str:
    with zipfile.ZipFile("other.keras", "w") as archive:
        archive.writestr("readme.txt", "hello")
    return "other.keras"


def _weights_only() -> str:
    import keras

    keras.models.load_model(DATA / "digits.keras", compile=False).save_weights("w.weights.h5")
    return "w.weights.h5"


def _lambda() -> str:
    import keras

    layers = keras.layers
    keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Lambda(lambda x: x * 2, name="twice"), layers.Flatten()]
    ).save("lambda.keras")
    return "lambda.keras"


def _text() -> str:
    Path("model.onnx").write_text("this is no model")
    return "model.onnx"


@pytest.mark.parametrize(
    ("make", "message", "hint"),
    [
        pytest.param(lambda: "digts.keras", "digts.keras", "", id="no such file"),
        pytest.param(_directory, "folder", "SavedModel", id="a folder that is no SavedModel"),
        pytest.param(_truncated, "cut.keras", "", id="truncated"),
        pytest.param(_empty, "empty.tflite", "", id="empty"),
        pytest.param(_zip, "other.keras", "", id="a zip that is no model"),
        pytest.param(_weights_only, "weights", "model.save", id="weights only"),
        pytest.param(_lambda, "twice", "", id="Lambda layer, named"),
        pytest.param(_text, "model.onnx", "", id="text"),
    ],
)
def test_model(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[], str],
    message: str,
    hint: str,
) -> None:
    refused(capsys, 1, message, hint, make(), *CALIBRATION, "--target", "rpi4")


def _save(**arrays: np.ndarray) -> str:
    np.savez("data.npz", **arrays)
    return "data.npz"


def _images() -> str:
    from PIL import Image

    Path("pictures").mkdir()
    for number in range(3):
        Image.fromarray(np.full((28, 28), number * 20, np.uint8)).save(f"pictures/{number}.png")
    Path("pictures/1.png").write_bytes(b"\x89PNG broken")
    return "pictures"


def _nan() -> str:
    rows = np.zeros((20, 28, 28, 1), np.float32)
    rows[7, 3, 3, 0] = np.nan
    return _save(x=rows)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda: "nothing.npz", "nothing.npz", id="no such file"),
        pytest.param(lambda: _save(x=np.zeros((20, 7, 7, 1), "f4")), "(7, 7, 1)", id="wrong shape"),
        pytest.param(lambda: _save(x=np.array(["a"] * 20)), "data.npz", id="text for numbers"),
        pytest.param(_nan, "NaN", id="NaN"),
        pytest.param(lambda: _save(x=np.zeros((0, 28, 28, 1), "f4")), "no rows", id="no rows"),
        pytest.param(lambda: f"{DATA}/digits_calibration.npz[500:600]", "none", id="empty range"),
        pytest.param(lambda: f"{DATA}/digits_calibration.npz:z", "z", id="no such array"),
        pytest.param(_images, "1.png", id="unreadable image in the middle"),
    ],
)
def test_calibration(
    here: Path, capsys: pytest.CaptureFixture[str], make: Callable[[], str], message: str
) -> None:
    model = str(DATA / "digits.keras")
    refused(capsys, 1, message, "", model, "--calibration", make(), "--target", "rpi4")


def test_one_sample_is_a_warning(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree("out")
    model = str(DATA / "digits.keras")
    data = f"{DATA}/digits_calibration.npz[:1]"
    arguments = ["build", model, "-c", data, "-t", "rpi4", "--preprocess", "unit", "-o", "out"]
    assert main([*arguments, "-q"]) == 0
    assert "warning" in capsys.readouterr().out


def test_calibration_and_evaluation_overlap(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = f"{DATA}/digits_evaluation.npz:x"
    arguments = (str(DATA / "digits.keras"), "-t", "rpi4", "--preprocess", "unit")
    for evaluation in (f"{data},y[50:]", f"{data},y"):
        refused(capsys, 1, "share", "", *arguments, "-c", f"{data}[:100]", "-e", evaluation)


def test_more_than_one_percent_shared_under_another_name(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with np.load(DATA / "digits_evaluation.npz") as arrays:
        np.savez("copy.npz", x=arrays["x"][:50])
    refused(
        capsys,
        1,
        "50 of 1000 evaluation rows",
        "",
        *(str(DATA / "digits.keras"), "-t", "rpi4", "--preprocess", "unit"),
        *("-c", "copy.npz", "-e", f"{DATA}/digits_evaluation.npz:x,y"),
    )


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        pytest.param(("--target", "rpi44"), "rpi44", "rpi4", id="target"),
        pytest.param(("--targt", "rpi4"), "--targt", "--target", id="option"),
        pytest.param(("--set", "quantize.estimater=mse"), "estimater", "estimator", id="key"),
        pytest.param(("--set", "quantise.estimator=mse"), "quantise", "quantize", id="table"),
        pytest.param(("--set", "quantize.estimator=msee"), "msee", "mse", id="choice"),
        pytest.param(("--preprocess", "unti"), "unti", "unit", id="preprocess"),
        pytest.param(("--quantize", "int9"), "int9", "", id="number format"),
        pytest.param(("--samples", "0"), "0", "", id="no samples"),
        pytest.param(("--metric", "top5"), "top5", "", id="metric"),
        pytest.param(("--set", "io.input=int16"), "io.input", "int8", id="type of the input"),
        pytest.param(("--module", "no_such_module"), "no_such_module", "", id="module"),
    ],
)
def test_usage(
    here: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
    hint: str,
) -> None:
    good = [part for part in GOOD if part != "--no-fidelity"]
    labelled = ("--evaluation", f"{DATA}/digits_evaluation.npz:x,y[:20]")
    refused(capsys, 2, message, hint, *good, *labelled, *arguments)


def test_no_model_and_no_project_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, 2, "no MODEL", "edgekit init")


def test_no_target(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, 2, "no target", "edgekit targets", *GOOD[:5])


def test_no_calibration_data(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(capsys, 2, "calibration data", "--calibration", GOOD[0], "--target", "rpi4")


def test_scheme_that_the_target_lacks(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (GOOD[0], *CALIBRATION, "--target", "cortex-m4", "--quantize", "float16")
    refused(capsys, 2, "cortex-m4 cannot run float16", "int8", *arguments)


def test_output_is_somebody_elses_file(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("out/model.tflite").write_text("mine")
    assert main(["build", *GOOD, "-o", "out", "-q"]) == 2
    assert "is not edgekit's" in capsys.readouterr().err
    assert Path("out/model.tflite").read_text() == "mine"


def test_error_as_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import json

    assert main(["build", "nothing.keras", "-t", "rpi4", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["exit_code"] == 1

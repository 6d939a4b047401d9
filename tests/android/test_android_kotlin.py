"""Kotlin calls the library, and knows what may be null."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from jvm import needs_jdk, run
from made_tflite import small_net
from pages import blocks

from edgekit.exporters import aar
from edgekit.exporters.base import ExportInput
from edgekit.graph.read import read
from edgekit.target.profile import load_profile

needs_kotlin = pytest.mark.skipif(not shutil.which("kotlinc"), reason="kotlinc is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.essential, needs_jdk, needs_kotlin]
STUBS = Path(aar.__file__).resolve().parents[1] / "android" / "stubs"
APP = """
import android.content.Context
import android.graphics.Bitmap
import edgekit.models.when_model.WhenModel

fun classify(context: Context, picture: Bitmap): String =
    WhenModel(context).use { model ->
        check(model.selfTest().ok) { model.selfTest().message }
        val scores: FloatArray = model.predict(picture)
        val stored = WhenModel.quantize(WhenModel.preprocess(scores))
        val real: FloatArray = WhenModel.dequantize(model.run(stored)[0])
        val shape: IntArray = WhenModel.INPUTS[0].shape()
        WhenModel.label(real) ?: "${WhenModel.SHA256} ${shape.size} ${WhenModel.INPUT_SCALE}"
    }
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What Kotlin compiles against: the archive's classes; stubs of Android and LiteRT."""
    folder, data = tmp_path_factory.mktemp("library"), small_net()
    jars = [_classes(name, data, folder / name) for name in ("when", "digits")]
    stubs = [path for part in ("android", "org") for path in (STUBS / part).rglob("*.java")]
    run("javac", "--release", "8", "-Xlint:-options", "-d", folder / "stubs", *stubs)
    return ":".join(map(str, [*jars, folder / "stubs"]))


def _classes(name: str, data: bytes, folder: Path) -> Path:
    folder.mkdir()
    given = ExportInput(name, data, read(data), load_profile("android"))
    aar.Exporter().export(given, folder)
    with zipfile.ZipFile(next(folder.glob("*.aar"))) as archive:
        return Path(archive.extract("classes.jar", folder))


def test_the_java_of_the_page_compiles(path: str, tmp_path: Path) -> None:
    (tmp_path / "Reader.java").write_text(_of_the_page("java"))
    run("javac", "-cp", path, "-d", tmp_path, tmp_path / "Reader.java")


def _of_the_page(language: str) -> str:
    (code,) = (each.text for each in blocks("apps/android.md") if each.language == language)
    return code


def _compile(text: str, path: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "App.kt").write_text(text)
    command = ["kotlinc", "-cp", path, "-d", str(folder / "out"), str(folder / "App.kt")]
    return subprocess.run(command, capture_output=True, text=True)


def test_kotlin_compiles_against_it(path: str, tmp_path: Path) -> None:
    """The code of the page, too."""
    code = _of_the_page("kotlin")
    imports = {line for text in (APP, code) for line in text.splitlines() if line[:6] == "import"}
    rest = [line for text in (APP, code) for line in text.splitlines() if line[:6] != "import"]
    done = _compile("\n".join([*sorted(imports), *rest]), path, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "AppKt.class").is_file()


def test_what_may_be_null_is_refused_unchecked(path: str, tmp_path: Path) -> None:
    call = "edgekit.models.when_model.WhenModel.label(scores)"
    done = _compile(f"fun name(scores: FloatArray): String = {call}", path, tmp_path)
    assert done.returncode != 0
    assert "String?" in done.stderr

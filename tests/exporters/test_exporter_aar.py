"""The archive: what is in it, how it lies there, and what is said where there is no compiler."""

from __future__ import annotations

import io
import subprocess
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import pytest
from digits_example import contents, edgekit_in, manifest_of
from made_tflite import Made, Step, build, small_net

from edgekit.android.names import names_of
from edgekit.exporters import aar
from edgekit.exporters.aar import Exporter
from edgekit.exporters.base import ExportInput
from edgekit.golden.litert import make_golden
from edgekit.graph.read import read
from edgekit.target.profile import load_profile

needs_jdk = pytest.mark.skipif(aar.compiler() is None, reason="no JDK is installed")
STUBS = Path(aar.__file__).resolve().parents[1] / "android" / "stubs"
NAMES = {
    "digits": ("digits", "DigitsModel"),
    "class": ("class_model", "ClassModel"),
    "when": ("when_model", "WhenModel"),
    '3d model "x"': ("model_3d_model_x", "Model3dModelXModel"),
    "模型": ("model_c98e11", "ModelC98e11Model"),
    "": ("model", "ModelModel"),
    "a\\u0041 */ //": ("a_u0041", "AU0041Model"),
}


def given(name: str, data: bytes | None = None) -> ExportInput:
    data = data or small_net()
    graph = read(data)
    labels = ("one", "two")
    golden = make_golden(data, graph)
    return ExportInput(name, data, graph, load_profile("android"), golden=golden, labels=labels)


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aar, "compiler", lambda: None)


@pytest.mark.parametrize(("name", "expected"), NAMES.items(), ids=[*map(repr, NAMES)])
def test_any_name_becomes_names(name: str, expected: tuple[str, str]) -> None:
    names = names_of(name)
    assert (names.word, names.type) == expected


@needs_jdk
def test_models_of_any_name_compile_into_one_app(no_compiler: None, tmp_path: Path) -> None:
    for name in NAMES:
        Exporter().export(given(name), tmp_path)
    sources = [*(tmp_path / "android").rglob("*.java"), *STUBS.rglob("*.java")]
    strict = ("--release", "8", "-Xlint:all,-options", "-Werror", "-encoding", "US-ASCII")
    command = ["javac", *strict, "-d", tmp_path / "classes", *sources]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assets = sorted(path.name for path in (tmp_path / "android" / "assets").rglob("*.*"))
    assert len(assets) == 2 * len(NAMES)


@needs_jdk
def test_the_archive_has_what_an_android_library_has(tmp_path: Path) -> None:
    build_input = given("some net")
    Exporter().export(build_input, tmp_path)
    content = (tmp_path / "some_net.aar").read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        assert names == [
            "AndroidManifest.xml",
            "META-INF/com/android/build/gradle/aar-metadata.properties",
            "R.txt",
            "assets/edgekit/some_net.golden",
            "assets/edgekit/some_net.tflite",
            "classes.jar",
            "proguard.txt",
        ]
        manifest = ElementTree.fromstring(archive.read("AndroidManifest.xml"))
        info = archive.getinfo("assets/edgekit/some_net.tflite")
        jar = zipfile.ZipFile(io.BytesIO(archive.read("classes.jar")))
        assert archive.testzip() is None
    assert manifest.get("package") == "edgekit.models.some_net"
    assert info.compress_type == zipfile.ZIP_STORED
    start = content.index(build_input.tflite)
    assert start % 16 == 0
    assert content[start : start + info.file_size] == build_input.tflite
    classes = {name.rpartition("/") for name in jar.namelist()}
    assert {folder for folder, _, _ in classes} == {"edgekit/models/some_net"}
    assert "SomeNetModel.class" in {name for _, _, name in classes}


@needs_jdk
def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Exporter().export(given("net"), tmp_path / name)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_litert_is_declared_not_bundled(no_compiler: None, tmp_path: Path) -> None:
    Exporter().export(given("net"), tmp_path)
    tree = ElementTree.parse(tmp_path / "net.pom")
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    (needed,) = tree.findall("m:dependencies/m:dependency", space)
    assert [each.text for each in needed][:2] == ["com.google.ai.edge.litert", "litert"]
    assert tree.findtext("m:version", namespaces=space) == given("net").interface.sha256[:12]


def test_without_a_compiler_the_source_is_written_and_that_is_said(
    no_compiler: None, tmp_path: Path
) -> None:
    (problem,) = Exporter().problems(given("net"))
    assert (problem.severity, "javac" in problem.message) == ("warning", True)
    assert "default-jdk-headless" in problem.hint
    written = Exporter().export(given("net"), tmp_path)
    assert not [path for path in written if path.suffix == ".aar"]
    assert (tmp_path / "android/java/edgekit/models/net/NetModel.java").is_file()
    assert (tmp_path / "android/assets/edgekit/net.tflite").read_bytes() == small_net()
    assert (tmp_path / "edgekit.gradle").is_file()


def _half() -> bytes:
    tensors = [Made("x", (1, 4), "FLOAT16"), Made("y", (1, 4), "FLOAT16")]
    return build(tensors, [Step("ABS", (0,), (1,))], [0], [1])


def test_what_litert_does_not_take_in_java_is_an_error() -> None:
    data = _half()
    unfit = ExportInput("half", data, read(data), load_profile("android"))
    (problem,) = Exporter().problems(unfit)
    assert problem.severity == "error"
    assert "tensor 'x' is float16" in problem.message


def test_a_build_without_a_jdk_says_so_and_is_made_anew_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.tflite").write_bytes(small_net())
    options = ("net.tflite", "--target", "android", "--output", "b")
    monkeypatch.setenv("PATH", str(tmp_path / "no tools"))
    bare = edgekit_in(tmp_path, "build", *options)
    assert bare.returncode == 0, bare.stderr
    said = [each["message"] for each in manifest_of(tmp_path / "b")["problems"]]
    assert "no Android library was compiled: there is no Java compiler (javac)" in said
    assert "no Java compiler" in bare.stdout
    assert not (tmp_path / "b" / "net.aar").exists()
    assert "nothing changed" in edgekit_in(tmp_path, "build", *options).stdout
    monkeypatch.undo()
    if aar.compiler() is None:
        pytest.skip("no JDK is installed: the other half")
    full = edgekit_in(tmp_path, "build", *options)
    assert full.returncode == 0, full.stderr
    assert (tmp_path / "b" / "net.aar").is_file()


def test_a_target_goes_without_a_library_where_none_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "half.tflite").write_bytes(_half())
    options = ("half.tflite", "--quantize", "float32", "--no-fidelity", "--output", "b")
    done = edgekit_in(tmp_path, "build", *options, "--target", "android")
    assert done.returncode == 0, done.stderr
    assert "no Android library can be made: tensor 'x' is float16" in done.stdout
    assert not (tmp_path / "b" / "android").exists()
    asked = edgekit_in(tmp_path, "build", *options, "--target", "rpi4", "--export", "aar")
    assert asked.returncode == 3
    assert "error: no Android library can be made" in asked.stderr

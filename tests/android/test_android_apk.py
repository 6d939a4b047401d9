"""A signed app of two libraries' contents, made by Debian's tools; no phone runs it here."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from pathlib import Path

import pytest
from debian import ANDROID_JAR, DX_JAR, unpacked
from jvm import needs_jdk, run
from made_tflite import small_net

from edgekit.android.names import names_of
from edgekit.exporters import aar
from edgekit.exporters.aar import Exporter
from edgekit.exporters.base import ExportInput
from edgekit.golden.litert import make_golden
from edgekit.graph.read import read
from edgekit.preprocess import parse
from edgekit.target.profile import load_profile
from edgekit.tflite_metadata import described

TOOLS = ("aapt", "apksigner", "zipalign", "keytool", "dexdump")
LACKING = [tool for tool in TOOLS if not shutil.which(tool)]
needs_tools = pytest.mark.skipif(bool(LACKING), reason=f"not installed: {LACKING}")
pytestmark = [pytest.mark.slow, pytest.mark.essential, needs_jdk, needs_tools]
STUBS = Path(aar.__file__).resolve().parents[1] / "android" / "stubs"
OPTIONS = ("--release", "8", "-Xlint:-options", "-encoding", "US-ASCII")
MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="org.example.app">
    <uses-sdk android:minSdkVersion="24" android:targetSdkVersion="24" />
    <application android:label="example" />
</manifest>
"""
APP = """package org.example.app;
import android.content.Context;
import android.graphics.Bitmap;
public final class App {
  static String both(Context context, Bitmap picture, float[] row) throws java.io.IOException {
    try (edgekit.models.cats.CatsModel cats = new edgekit.models.cats.CatsModel(context);
        edgekit.models.dogs.DogsModel dogs = new edgekit.models.dogs.DogsModel(context)) {
      float[] scores = dogs.predict(edgekit.models.dogs.DogsModel.preprocess(row));
      return edgekit.models.cats.CatsModel.label(cats.predict(picture)) + scores[0]
          + cats.selfTest();
    }
  }
}
"""


def _library(name: str, folder: Path) -> tuple[Path, bytes]:
    """The unpacked archive of a model, and its flatbuffer."""
    labels = ("one", "two")
    profile = load_profile("android")
    data = described(small_net(), name, parse("raw"), labels)
    graph = read(data)
    given = ExportInput(name, data, graph, profile, golden=make_golden(data, graph), labels=labels)
    folder.mkdir()
    Exporter().export(given, folder)
    with zipfile.ZipFile(folder / f"{names_of(name).word}.aar") as archive:
        archive.extractall(folder / "aar")
    return folder / "aar", data


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """The signed app and the models in it."""
    debian, at = unpacked(), tmp_path_factory.mktemp("app")
    libraries = {name: _library(name, at / name) for name in ("cats", "dogs")}
    (at / "AndroidManifest.xml").write_text(MANIFEST)
    (at / "App.java").write_text(APP)
    jars = [folder / "classes.jar" for folder, _ in libraries.values()]
    android = debian / ANDROID_JAR
    _compile(at, android, jars)
    dex = ("--dex", "--min-sdk-version=24", f"--output={at / 'classes.dex'}")
    run("java", "-cp", debian / DX_JAR, "com.android.dx.command.Main", *dex, at / "own", *jars)
    for folder, _ in libraries.values():
        shutil.copytree(folder / "assets", at / "assets", dirs_exist_ok=True)
    package = ("-f", "-M", at / "AndroidManifest.xml", "-A", at / "assets", "-0", "tflite")
    run("aapt", "package", *package, "-I", android, "-F", at / "bare.apk")
    with zipfile.ZipFile(at / "bare.apk", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.write(at / "classes.dex", "classes.dex")
    run("zipalign", "-p", "4", at / "bare.apk", at / "app.apk")
    _sign(at)
    return at / "app.apk", {name: data for name, (_, data) in libraries.items()}


def _compile(at: Path, android: Path, jars: list[Path]) -> None:
    """The app's own class, against the archives as an app's build has them, and LiteRT's stub."""
    (at / "litert").mkdir()
    run("javac", *OPTIONS, "-d", at / "litert", *STUBS.glob("org/**/*.java"))
    path = ":".join(str(each) for each in (android, at / "litert", *jars))
    run("javac", *OPTIONS, "-cp", path, "-d", at / "own", at / "App.java")


def _sign(at: Path) -> None:
    store = ("--ks", at / "key", "--ks-pass", "pass:secret")
    names = ("-alias", "a", "-dname", "CN=a", "-storepass", "secret", "-keypass", "secret")
    kind = ("-keyalg", "RSA", "-keysize", "2048", "-storetype", "PKCS12", "-validity", "9999")
    run("keytool", "-genkeypair", "-keystore", at / "key", *names, *kind)
    run("apksigner", "sign", *store, at / "app.apk")


def test_it_is_signed_and_the_models_are_stored_aligned(app: tuple[Path, dict[str, bytes]]) -> None:
    path, models = app
    verified = run("apksigner", "verify", "--verbose", path, text=True).stdout
    assert "Verifies" in verified
    assert "v2 scheme (APK Signature Scheme v2): true" in verified
    aligned = run("zipalign", "-c", "-v", "-p", "4", path, text=True).stdout
    assert "Verification succes" in aligned
    with zipfile.ZipFile(path) as archive:
        for name, data in models.items():
            info = archive.getinfo(f"assets/edgekit/{name}.tflite")
            assert info.compress_type == zipfile.ZIP_STORED
            assert hashlib.sha256(archive.read(info)).digest() == hashlib.sha256(data).digest()
            assert f"assets/edgekit/{name}.tflite (OK)" in aligned


def test_both_models_have_their_classes(app: tuple[Path, dict[str, bytes]], tmp_path: Path) -> None:
    with zipfile.ZipFile(app[0]) as archive:
        dumped = run("dexdump", archive.extract("classes.dex", tmp_path), text=True).stdout
    for name in ("cats", "dogs"):
        type_ = names_of(name).type
        for kind in (type_, "Port", "Preprocess", "SelfTest"):
            assert f"'Ledgekit/models/{name}/{kind};'" in dumped
    assert "Class descriptor  : 'Lorg/tensorflow" not in dumped
    assert "Class descriptor  : 'Landroid" not in dumped


def test_the_source_compiles_against_androids_own_classes(
    app: tuple[Path, dict[str, bytes]], tmp_path: Path
) -> None:
    """What the stubs declare is what Android has."""
    source = (app[0].parent / "cats" / "android" / "java").rglob("*.java")
    more = [path for part in ("org", "androidx") for path in (STUBS / part).rglob("*.java")]
    classes = ("-cp", unpacked() / ANDROID_JAR, "-d", tmp_path)
    run("javac", *OPTIONS, "-Xlint:all,-options", "-Werror", *classes, *source, *more)

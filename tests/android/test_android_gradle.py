"""The Gradle script under Debian's Gradle, in small projects.

The Android plugin comes from Google's Maven repository, which is not reached here: a small object
stands in for what the script tells it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from made_tflite import small_net

from edgekit.exporters import aar

needs_gradle = pytest.mark.skipif(not shutil.which("gradle"), reason="gradle is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.essential, needs_gradle]
SCRIPT = Path(aar.__file__).resolve().parents[1] / "android" / "library" / aar.SCRIPT
COMMAND = json.dumps([sys.executable, "-m", "edgekit"])
OUTPUT = Path("app/build/edgekit-android")
Gradle = Callable[..., subprocess.CompletedProcess[str]]
ANDROID = """
class Places { List all = []; void srcDir(Object place) { all << place.toString() } }
class Sources { Places assets = new Places(); Places java = new Places() }
class Packing { List<String> noCompress = [] }
class Android { Map sourceSets = [main: new Sources()]; Packing androidResources = new Packing() }
extensions.add('android', new Android())
task preBuild {}
task told { doLast {
    println 'assets ' + android.sourceSets.main.assets.all
    println 'java ' + android.sourceSets.main.java.all
    println 'stored ' + android.androidResources.noCompress
} }
"""


@pytest.fixture(scope="module")
def gradle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gradle]:
    """Runs Gradle in a folder, with a home and a daemon of its own."""
    home = tmp_path_factory.mktemp("gradle")
    (home / "gradle.properties").write_text("org.gradle.jvmargs=-Xmx256m\n")
    environment = {**os.environ, "GRADLE_USER_HOME": str(home), "TERM": "dumb"}

    def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["gradle", "--offline", *arguments]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)

    yield run
    run(home, "--stop")


def _project(folder: Path, given: str, before: str = "") -> Path:
    """A project with a model beside its module `app`, which holds a copy of the script."""
    (folder / "model").mkdir()
    (folder / "app").mkdir()
    (folder / "model" / "net.tflite").write_bytes(small_net())
    (folder / "model" / "edgekit.toml").write_text('[model]\npath = "net.tflite"\n')
    shutil.copy(SCRIPT, folder / "app")
    (folder / "settings.gradle").write_text("include 'app'\n")
    (folder / "app" / "build.gradle").write_text(
        f"{before}\next.edgekit = {given}\napply from: 'edgekit.gradle'\n"
    )
    return folder


def _other_net() -> bytes:
    return small_net(lambda model: setattr(model, "description", b"another"))


def test_a_changed_model_is_built_anew_and_nothing_else_is(gradle: Gradle, tmp_path: Path) -> None:
    project = _project(tmp_path, f"[project: '../model', command: {COMMAND}]")
    asset = project / OUTPUT / "android" / "assets" / "edgekit" / "net.tflite"
    first = gradle(project, "edgekitBuild", "--build-cache")
    assert first.returncode == 0, first.stdout + first.stderr
    assert asset.read_bytes() == small_net()
    assert ":app:edgekitBuild UP-TO-DATE" in gradle(project, "edgekitBuild", "--build-cache").stdout

    (project / "model" / "net.tflite").write_bytes(_other_net())
    changed = gradle(project, "edgekitBuild", "--build-cache")
    assert changed.returncode == 0, changed.stdout + changed.stderr
    assert asset.read_bytes() == _other_net()

    shutil.rmtree(project / OUTPUT)
    (project / "model" / "net.tflite").write_bytes(small_net())
    cached = gradle(project, "edgekitBuild", "--build-cache")
    assert ":app:edgekitBuild FROM-CACHE" in cached.stdout
    assert asset.read_bytes() == small_net()


def test_files_of_the_project_and_further_ones_are_inputs(gradle: Gradle, tmp_path: Path) -> None:
    extra = tmp_path / "extra.txt"
    extra.write_text("1")
    project = _project(
        tmp_path, f"[project: '../model', command: {COMMAND}, files: ['../extra.txt']]"
    )
    labels = project / "model" / "names.txt"
    labels.write_text("a\nb\n")
    toml = project / "model" / "edgekit.toml"
    toml.write_text('[model]\npath = "net.tflite"\nlabels = "names.txt"\n')
    assert gradle(project, "edgekitBuild").returncode == 0
    for path, text in ((labels, "c\nd\n"), (extra, "2")):
        path.write_text(text)
        done = gradle(project, "edgekitBuild")
        assert done.returncode == 0, done.stderr
        assert "1 actionable task: 1 executed" in done.stdout, path
    text = (project / OUTPUT / "android/java/edgekit/models/net/Labels.java").read_text()
    assert r'"c\012d\012"' in text


FAILURES = {
    "no model": (
        f"[project: '../model', command: {COMMAND}]",
        "error: net.tflite is damaged, or no .tflite file",
    ),
    "no edgekit": (
        "[project: '../model', command: ['no-such-edgekit']]",
        "pip install edgekit-toolkit",
    ),
}


@pytest.mark.parametrize(("given", "message"), FAILURES.values(), ids=FAILURES.keys())
def test_what_edgekit_says_reaches_gradle(
    gradle: Gradle, given: str, message: str, tmp_path: Path
) -> None:
    project = _project(tmp_path, given)
    (project / "model" / "net.tflite").write_bytes(b"no model")
    done = gradle(project, "edgekitBuild")
    assert done.returncode != 0
    assert message in done.stderr, done.stderr


def test_two_models_into_a_stand_in_for_the_android_plugin(gradle: Gradle, tmp_path: Path) -> None:
    given = (
        f"[[project: '../model', command: {COMMAND}], [project: '../other', command: {COMMAND}]]"
    )
    project = _project(tmp_path, given, ANDROID)
    shutil.copytree(project / "model", project / "other")
    (project / "other" / "net.tflite").rename(project / "other" / "class.tflite")
    (project / "other" / "edgekit.toml").write_text('[model]\npath = "class.tflite"\n')
    done = gradle(project, "preBuild", "told")
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = (project / f"{OUTPUT}{number}" / "android" for number in ("", "2"))
    assert (first / "assets/edgekit/net.tflite").is_file()
    assert (second / "assets/edgekit/class_model.tflite").is_file()
    assert f"assets [{first}/assets, {second}/assets]" in done.stdout
    assert f"java [{first}/java, {second}/java]" in done.stdout
    assert "stored [tflite]" in done.stdout

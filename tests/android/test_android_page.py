"""The page for Android apps, followed word by word in an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jvm import needs_jdk
from page import PAGE, blocks

from edgekit.exporters import aar

pytestmark = [pytest.mark.slow, needs_jdk]
CLONE = PAGE.parents[2]


def _follow(text: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "EDGEKIT": str(CLONE), "PATH": path}
    command = ["bash", "-euc", text]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_can_be_followed(tmp_path: Path) -> None:
    library, project = blocks("sh")
    _follow(library, tmp_path)
    made = tmp_path / "build" / "digits-android"
    for name in ("digits.aar", "digits.pom", "android/java", "android/assets", aar.SCRIPT):
        assert f"`{name}" in PAGE.read_text()
        assert (made / name).exists()
    _follow(project, tmp_path)
    if not shutil.which("gradle"):
        pytest.skip("gradle is not installed: the other half")
    app = tmp_path / "reader" / "app"
    (app / "settings.gradle").write_text("")
    (app / "build.gradle").write_text(blocks("groovy")[0])
    home = f"--gradle-user-home={tmp_path / 'home'}"
    _follow(f"gradle --offline --no-daemon {home} edgekitBuild", app)
    asset = "android/assets/edgekit/digits.tflite"
    built = app / "build" / "edgekit-android" / asset
    assert built.read_bytes() == (made / asset).read_bytes()


def test_what_it_says_of_the_runtime_is_what_the_library_declares() -> None:
    for text in blocks("kts"):
        assert "litert" not in text or f"com.google.ai.edge.litert:litert:{aar.LITERT}" in text
    assert f"`minSdk` {aar.MIN_SDK}" in PAGE.read_text()

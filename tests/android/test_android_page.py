"""The page for Android apps, followed word by word in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import ROOT, blocks, environment, missing, run

from edgekit.exporters import aar

PAGE = "apps/android.md"


@pytest.mark.slow
def test_the_page_can_be_followed(tmp_path: Path) -> None:
    if why := missing("javac", "gradle"):
        pytest.skip(why)
    folder = tmp_path / "empty"
    folder.mkdir()
    env = environment(tmp_path, GRADLE_USER_HOME=str(tmp_path / "home"))
    for block in blocks(PAGE):
        if block.title:
            (folder / block.title).write_text(block.text)
        elif block.language == "sh":
            run(block.text, folder, env)
    made, app = folder / "build" / "digits-android", folder / "app"
    for name in ("digits.aar", "digits.pom", "android/java", "android/assets", aar.SCRIPT):
        assert f"`{name}" in (ROOT / "docs" / PAGE).read_text()
        assert (made / name).exists()
    (app / "settings.gradle").write_text("")
    run("gradle --offline --no-daemon edgekitBuild", app, env)
    asset = "android/assets/edgekit/digits.tflite"
    built = app / "build" / "edgekit-android" / asset
    assert built.read_bytes() == (made / asset).read_bytes()


def test_what_it_says_of_the_runtime_is_what_the_library_declares() -> None:
    snippets = [block.text for block in blocks(PAGE) if block.language == "kts"]
    for text in snippets:
        assert "litert" not in text or f"com.google.ai.edge.litert:litert:{aar.LITERT}" in text
    assert len(snippets) == 2
    assert f"`minSdk` {aar.MIN_SDK}" in (ROOT / "docs" / PAGE).read_text()

"""docs/apps: the pages for browsers and React Native, word by word in an empty folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser import Browser, served
from pages import blocks, environment, missing, run

pytestmark = pytest.mark.slow
BUNDLER = "with a bundler"
HTML = '<link rel="icon" href="data:,"><body><script type="module" src="/main.js"></script></body>'


@pytest.fixture
def followed(tmp_path: Path) -> Path:
    """`page/` of web.md, up to where a server is started."""
    if why := missing("npm", "chromium"):
        pytest.skip(why)
    write("web.md", tmp_path, tmp_path, titled=())
    page = tmp_path / "page"
    write(
        "web.md", tmp_path, page, titled=("index.html", "main.js", "vite.config.js"), run_it=False
    )
    return page


def test_the_page_for_the_web_without_a_bundler(followed: Path, browser: Browser) -> None:
    with served(followed) as address:
        browser.open(f"{address}/node_modules/digits/example/")
        browser.until("document.getElementById('state')?.textContent === 'Ready'")
        browser.open(f"{address}/")
        browser.until("document.getElementById('answer')?.textContent.length > 1")
        answer = browser.run("return document.getElementById('answer').textContent")
    assert ": as built, 10 scores in " in answer
    assert browser.complaints == []


def test_the_page_for_the_web_with_a_bundler(followed: Path, browser: Browser) -> None:
    (followed / "index.html").write_text(HTML)
    for block in blocks("apps/web.md"):
        if (block.language, block.title) == ("sh", BUNDLER):
            run(block.text, followed, environment(followed.parent))
    with served(followed / "dist") as address:
        browser.open(f"{address}/")
        browser.until("document.body?.textContent.includes('built')")
        assert browser.run("return document.body.textContent.trim()") == "as built"
    assert browser.complaints == []


def test_the_page_for_react_native_up_to_the_bundle(native: Path) -> None:
    """Metro makes the bundle that a phone would load; the phone itself is not there."""
    command = "npx --no-install metro build entry.js --platform android --out android.js"
    run(command, native, environment(native.parent))
    bundle = (native / "android.js").read_text()
    manifest = json.loads((native.parent / "build/digits-web/manifest.json").read_text())
    assert 'type:"tflite"' in bundle
    assert manifest["artifacts"][0]["sha256"] in bundle
    assert "does not fit it" in bundle  # the preprocessing


def test_the_component_of_the_page_for_react_native_has_the_right_types(native: Path) -> None:
    options = "--noEmit --strict --skipLibCheck --jsx react-native --module esnext --target es2022"
    more = "--moduleResolution bundler --customConditions react-native --types react-native"
    run(f"npx --no-install tsc {options} {more} Digit.tsx", native, environment(native.parent))


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`app/` of react_native.md."""
    if why := missing("npm"):
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("native")
    write("react_native.md", folder, folder, titled=())
    app = folder / "app"
    titles = ("metro.config.js", "babel.config.js", "Digit.tsx")
    write("react_native.md", folder, app, titled=titles, run_it=False)
    (app / "entry.js").write_text('import Digit from "./Digit";\nconsole.log(Digit);\n')
    return app


def write(
    page: str, root: Path, folder: Path, titled: tuple[str, ...], run_it: bool = True
) -> None:
    """Run the commands of a page in `root`, or write its named files into `folder`."""
    for block in blocks(f"apps/{page}"):
        if run_it and block.language == "sh" and not block.title:
            run(block.text, root, environment(root))
        elif block.title in titled:
            (folder / block.title).write_text(block.text)

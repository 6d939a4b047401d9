"""The packages in an app: as exact as LiteRT here, alone in Chromium, typed for TypeScript."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from browser import Browser
from npm_app import App, Made
from numpy.typing import NDArray
from PIL import Image

from edgekit.runtimes.litert import LiteRT

IN_PAGE = "const model = await (await import(`${at}/index.js`)).load({ onProgress });"
IN_WORKER = """
const client = await import(`${at}/client.js`);
const model = await client.load({ onProgress, modules: client.modulesOfPage() });
"""
RUN = """
const text = (values) => btoa(String.fromCharCode(...new Uint8Array(values.buffer)));
const predictions = [];
for (const row of ROWS) {
  const { outputs, classes } = await model.predict(row);
  predictions.push([text(outputs[0]), classes[0]?.label ?? null]);
}
const test = await model.selfTest();
model.delete();
return { predictions, test, progress };
"""
PACKAGES = ("strasse-bilder", "key-words", "mnist")


@pytest.mark.parametrize("load", [IN_PAGE, IN_WORKER], ids=["page", "worker"])
@pytest.mark.parametrize("package", PACKAGES)
def test_outputs_are_those_of_litert(
    package: str, load: str, app: App, address: str, browser: Browser
) -> None:
    made = app.models[package]
    opened(browser, address, package)
    got = browser.run(prelude(package, made) + load + RUN)
    for (values, label), row in zip(got["predictions"], made.rows, strict=True):
        wanted = litert(made, row)
        assert np.frombuffer(base64.b64decode(values), np.float32).tobytes() == wanted.tobytes()
        assert label == (made.labels[int(wanted.argmax())] if made.labels else None)
    assert got["test"]["ok"], got["test"]
    assert got["test"]["vectors"] == made.build.manifest["golden"]["vectors"]
    size = made.build.tflite.stat().st_size
    assert got["progress"][-1] == {"loaded": size, "total": size}
    alone(browser, address)


def test_a_changed_model_is_noticed(app: App, address: str, browser: Browser) -> None:
    opened(browser, address, "mnist")
    other = "/node_modules/key-words/model.tflite"
    for model in (f'"{other}"', f'new Uint8Array(await (await fetch("{other}")).arrayBuffer())'):
        with pytest.raises(AssertionError, match="is not the model of this package"):
            browser.run(
                f'await (await import("/node_modules/mnist/index.js")).load({{ model: {model} }})'
            )


def test_a_self_test_names_the_first_difference(app: App, address: str, browser: Browser) -> None:
    opened(browser, address, "mnist")
    found = browser.run("""
const { load, golden } = await import("/node_modules/mnist/index.js");
const model = await load();
const { vectors } = await golden();
const fetched = window.fetch;
vectors[1].outputs[0][3] += 0.25;
const text = (values) => btoa(String.fromCharCode(...new Uint8Array(values.buffer)));
const side = (all) => all.map(text);
const changed = vectors.map((v) => ({ inputs: side(v.inputs), outputs: side(v.outputs) }));
const answer = JSON.stringify({ allowed: [0.01], vectors: changed });
window.fetch = async () => new Response(answer);
try { return await model.selfTest(); } finally { window.fetch = fetched; }
""")
    assert not found["ok"]
    assert (found["difference"]["vector"], found["difference"]["index"]) == (1, 3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_example_page_shows_what_it_does(
    scheme: str, app: App, address: str, browser: Browser, tmp_path: Path
) -> None:
    package, made = PACKAGES[0], app.models[PACKAGES[0]]
    browser.call(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
    )
    opened(browser, address, package)
    click(browser, "test", "Self-test passed")
    click(browser, "measure", "ms")
    label = made.labels[int(litert(made, made.rows[3]).argmax())]
    dropped(browser, made.rows[3], tmp_path / "picture.png")
    browser.until(f"{shown('verdict')} === {json.dumps(label)}")
    assert browser.run("return document.querySelectorAll('#classes li').length") == 8
    browser.picture(tmp_path / f"{scheme}.png")
    background = np.asarray(Image.open(tmp_path / f"{scheme}.png").convert("L"))[5, 5]
    assert (background > 200) == (scheme == "light")
    alone(browser, address)


def litert(made: Made, row: NDArray[Any]) -> NDArray[np.float32]:
    """What LiteRT says on this machine."""
    with LiteRT(made.build.tflite.read_bytes(), "litert") as runtime:
        shape = runtime.inputs[0].shape
        real = made.preprocess.apply(row).reshape(shape)
        [[value]] = runtime.map_rows([(real,)])
        return np.array(value).ravel()


def opened(browser: Browser, address: str, package: str) -> None:
    browser.open(f"{address}/node_modules/{package}/example/")
    browser.until(f"{shown('state')} === 'Ready'")


def shown(name: str) -> str:
    return f"document.getElementById('{name}')?.textContent"


def click(browser: Browser, button: str, verdict: str) -> None:
    browser.run(f"document.getElementById('{button}').click()")
    browser.until(f"{shown('verdict')}.includes('{verdict}') && {shown('state')} === 'Ready'")


def dropped(browser: Browser, pixels: NDArray[Any], path: Path) -> None:
    """A picture dropped onto the page as a person drops a file."""
    Image.fromarray(pixels).save(path)
    data = base64.b64encode(path.read_bytes()).decode()
    browser.run(f"""
const bytes = Uint8Array.from(atob("{data}"), (char) => char.charCodeAt(0));
const dataTransfer = new DataTransfer();
dataTransfer.items.add(new File([bytes], "picture.png", {{ type: "image/png" }}));
const event = new DragEvent("drop", {{ dataTransfer, cancelable: true }});
document.getElementById("drop").dispatchEvent(event);
""")


def prelude(package: str, made: Made) -> str:
    rows = json.dumps([row.ravel().tolist() for row in made.rows])
    return f"""
const at = "/node_modules/{package}", ROWS = {rows}, progress = [];
const onProgress = (each) => progress.push(each);
"""


def alone(browser: Browser, address: str) -> None:
    """No request left this machine, and nothing complained."""
    hosts = {urlsplit(url).netloc for url in browser.requests if not url.startswith("data:")}
    assert hosts <= {urlsplit(address).netloc, ""}, hosts
    assert any(url.endswith(".wasm") for url in browser.requests)
    assert browser.complaints == []


CONSUMER = """
import { load, prepare, quantise, INPUTS, LABELS, NAME, SHA256 } from "key-words";
import type { Prediction, Progress, SelfTest } from "key-words";
import { load as loadInWorker, modulesOfPage } from "key-words/client";
import { SHA256 as OTHER } from "mnist/interface";
import { pixels } from "mnist/preprocess";

const shape: readonly [1, 49, 10, 1] = INPUTS[0].shape;
const dtype: "float32" = INPUTS[0].dtype;
const first: "silence" | "unknown" | string = LABELS[0];

export async function use(image: ImageData): Promise<Prediction> {
  const onProgress = ({ loaded, total }: Progress) => console.log(loaded / total);
  const model = await load({ wasm: "/wasm/", onProgress });
  const worker = await loadInWorker({ modules: modulesOfPage() });
  const test: SelfTest = await worker.selfTest();
  if (!test.ok) throw new Error(`${test.difference?.index} of ${NAME}, ${SHA256}, ${OTHER}`);
  const row = new Int8Array(490);
  const stored = prepare(row, shape);
  await model.run([stored, quantise([0.5]), pixels(image, 1)]);
  await model.predict({ row, shape: [49, 10, 1] });
  const { classes } = await model.predict([1, 2, 3]);
  console.log(classes[0]?.label.toUpperCase(), dtype, first);
  return model.predict(image);
}
"""
WRONG = {
    "an unknown option": ('await load({ wams: "/wasm/" });', "wams"),
    "text for a row": ("await (await load()).predict('row');", "not assignable"),
    "another shape": ("const wrong: readonly [1, 28] = INPUTS[0].shape;", "not assignable"),
    "a changed constant": ("INPUTS[0].shape[0] = 2;", "read-only"),
}
OPTIONS = ("--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck")


@pytest.fixture(scope="module")
def said(app: App) -> str:
    """What the compiler says of a right use and of each wrong one, in one run of it."""
    texts = {"right": CONSUMER}
    for number, (line, _) in enumerate(WRONG.values()):
        texts[f"wrong{number}"] = f'import {{ load, INPUTS }} from "key-words";\n{line}\n'
    for name, text in texts.items():
        (app.folder / f"{name}.mts").write_text(text)
    command = ["npx", "--no-install", "tsc", *OPTIONS, *(f"{name}.mts" for name in texts)]
    return subprocess.run(command, cwd=app.folder, capture_output=True, text=True).stdout


def test_an_app_compiles(said: str) -> None:
    assert "wrong0.mts" in said
    assert "right.mts" not in said, said


@pytest.mark.parametrize("case", WRONG)
def test_misuse_is_found(case: str, said: str) -> None:
    number, words = list(WRONG).index(case), WRONG[case][1]
    lines = [line for line in said.splitlines() if line.startswith(f"wrong{number}.mts")]
    assert any(words in line for line in lines), said

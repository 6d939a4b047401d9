"""The declarations of the package, as the TypeScript compiler sees them in an app."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from conftest import App

CONSUMER = """
import { load, prepare, quantise, INPUTS, LABELS, NAME, SHA256 } from "key-words";
import type { Prediction, SelfTest } from "key-words";
import { load as loadInWorker, modulesOfPage } from "key-words/client";
import { SHA256 as OTHER } from "mnist/interface";
import { pixels } from "mnist/preprocess";

const shape: readonly [1, 49, 10, 1] = INPUTS[0].shape;
const dtype: "float32" = INPUTS[0].dtype;
const first: "silence" | "unknown" | string = LABELS[0];

export async function use(image: ImageData): Promise<Prediction> {
  const model = await load({ wasm: "/wasm/", onProgress: ({ loaded, total }) => console.log(loaded / total) });
  const worker = await loadInWorker({ modules: modulesOfPage() });
  const test: SelfTest = await worker.selfTest();
  if (!test.ok) throw new Error(`element ${test.difference?.index} of ${NAME}, ${SHA256}, ${OTHER}`);
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

"""preprocess.js under Node.js against Python, bit for bit."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contract_cases import CONTRACTS, ROWS, contracts
from numpy.typing import NDArray

from edgekit.data.readers.images import with_channels
from edgekit.data.resize import resize
from edgekit.interface import Interface, Port
from edgekit.npm.package import files
from edgekit.preprocess import Preprocess

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
DTYPES = ("float32", "uint8", "int8", "int16", "uint16", "int32")
NODE = """
import { readFileSync } from "node:fs";
const text = ({ buffer, byteOffset, byteLength }) =>
  Buffer.from(buffer, byteOffset, byteLength).toString("base64");
const answers = [];
for (const folder of JSON.parse(readFileSync(0))) {
  const given = JSON.parse(readFileSync(`${folder}/rows.json`));
  const bytes = Buffer.from(given.rows, "base64");
  const values = new Float64Array(Uint8Array.from(bytes).buffer);
  const { preprocess, prepare } = await import(`${folder}/preprocess.js`);
  const count = values.length / given.count;
  for (let i = 0; i < given.count; i++) {
    const row = values.subarray(i * count, (i + 1) * count);
    answers.push([text(preprocess(row, given.shape)), text(prepare(row, given.shape))]);
  }
}
console.log(JSON.stringify(answers));
"""


def test_a_thousand_random_vectors_agree_with_python(tmp_path: Path) -> None:
    cases = list(contracts(DTYPES))
    folders = []
    for number, case in enumerate(cases):
        folder = modules(case.interface, tmp_path / str(number))
        given = {"rows": text(case.rows), "count": ROWS, "shape": case.shape}
        (folder / "rows.json").write_text(json.dumps(given))
        folders.append(str(folder))
    answers = iter(node(NODE, json.dumps(folders)))
    checked = 0
    for case in cases:
        for real, stored in zip(case.real, case.stored, strict=True):
            got_real, got_stored = next(answers)
            same(got_real, real)
            same(got_stored, stored)
            checked += 1
    assert checked == CONTRACTS * ROWS == 1000


PICTURE = """
const { preparePicture } = await import(FOLDER + "/preprocess.js");
const data = Uint8ClampedArray.from(Buffer.from(DATA, "base64"));
const row = preparePicture({ width: 7, height: 5, data });
console.log(JSON.stringify(Buffer.from(row.buffer).toString("base64")));
"""


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_loses_its_transparency_and_is_resized(channels: int, tmp_path: Path) -> None:
    rgba = np.random.default_rng(0).integers(0, 256, (5, 7, 4)).astype(np.uint8)
    preprocess = Preprocess(scale=1 / 255, mean=(0.5,))
    port = Port("picture", (1, 4, 6, channels), "float32")
    folder = modules(Interface("p", "0" * 64, (port,), (port,), preprocess), tmp_path)
    script = f"const FOLDER = {json.dumps(str(folder))}, DATA = {json.dumps(text(rgba))};{PICTURE}"
    wanted = preprocess.values(resize(with_channels(rgba[..., :3], channels), 4, 6))
    same(node(script, ""), wanted)


REFUSED = {
    "a wrong shape": ("[1, 2, 3]", "undefined", "3 values, and a shape of [2,2] has 4"),
    "a shape that is not resized": ("[1, 2]", "[1, 2]", "does not fit input in, which takes [2,2]"),
    "a value of another type": ("[1, 2, 3, 4.5]", "undefined", "declared uint8, and 4.5 does not"),
}


@pytest.mark.parametrize(("row", "shape", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_fit_is_refused(row: str, shape: str, words: str, tmp_path: Path) -> None:
    port = Port("in", (1, 2, 2), "float32")
    interface = Interface("p", "0" * 64, (port,), (port,), Preprocess(dtype="uint8"))
    folder = modules(interface, tmp_path)
    script = f"""
const {{ prepare }} = await import({json.dumps(str(folder))} + "/preprocess.js");
try {{ prepare({row}, {shape}); }} catch (error) {{ console.log(JSON.stringify(`${{error}}`)); }}
"""
    answer = node(script, "")
    assert answer.startswith("RangeError: ")
    assert words in answer


def modules(interface: Interface, folder: Path) -> Path:
    """The package's modules for an interface."""
    folder.mkdir(exist_ok=True)
    for name, content in files(interface, b"", None, "2.5").items():
        if "/" not in name:
            (folder / name).write_bytes(content)
    return folder


def node(script: str, given: str) -> Any:
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], input=given, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def text(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode()


def same(got: str, wanted: NDArray[Any]) -> None:
    """Bit for bit, but that a NaN is any NaN."""
    values = np.frombuffer(base64.b64decode(got), wanted.dtype)
    flat = wanted.ravel()
    numbers = ~np.isnan(flat)
    assert np.array_equal(np.isnan(values), ~numbers)
    assert values[numbers].tobytes() == flat[numbers].tobytes()

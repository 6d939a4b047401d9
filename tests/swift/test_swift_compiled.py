"""The Swift package under a real compiler for Linux; what only Apple has is not there.

The toolchain is 2.4 GB of another Debian, so these are slow.
"""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contract_cases import contracts
from digits_example import DATA, DIGITS
from numpy.typing import NDArray
from toolchain import Toolchain

import edgekit
from edgekit.preprocess import parse
from edgekit.runtimes.litert import LiteRT
from edgekit.swift.package import ELEMENTS, class_name, files

pytestmark = pytest.mark.slow
CONTRACTS, ROWS = 10, 100
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> edgekit.Build:
    """The digit reader for iOS."""
    labels = tmp_path_factory.mktemp("labels") / "labels.txt"
    labels.write_text("\n".join(map(str, range(10))))
    return edgekit.build(
        DIGITS[0],
        "ios",
        calibration=[DIGITS[2]],
        preprocess="unit",
        labels=labels,
        fidelity=False,
        output=tmp_path_factory.mktemp("ios") / "build",
    )


def test_the_package_builds_and_its_tests_pass(swift: Toolchain, build: edgekit.Build) -> None:
    shutil.copytree(build.folder / "swift", swift.work / "package")
    done = swift.run("swift test 2>&1", "package")
    assert done.returncode == 0, done.stdout[-2000:]
    assert "DigitsModelTests.testGoldenVectorsAreWhole' passed" in done.stdout
    assert "warning:" not in done.stdout


def test_a_thousand_random_vectors_agree_with_python(swift: Toolchain) -> None:
    cases = list(contracts(ELEMENTS, CONTRACTS, ROWS))
    folder = swift.work / "vectors"
    folder.mkdir()
    calls = []
    for case in cases:
        name = case.interface.name
        for path, content in files(case.interface, b"", None, "2.17").items():
            if path.startswith("Sources/") and path.endswith(".swift"):
                (folder / f"{class_name(name)}{Path(path).name}").write_bytes(content)
        (folder / f"{class_name(name)}.bin").write_bytes(case.rows.tobytes())
        calls.append(f"try answer{class_name(name)}({list(case.shape)}, {ROWS})")
    functions = "\n".join(_ANSWER.replace("@class@", class_name(c.interface.name)) for c in cases)
    (folder / "main.swift").write_text(f"import Foundation\n{functions}\n" + "\n".join(calls))
    done = swift.run("swiftc -O -wmo *.swift -o vectors 2>&1 && ./vectors", "vectors")
    assert done.returncode == 0, done.stdout[-2000:]
    lines = iter(done.stdout.split())
    checked = 0
    for case in cases:
        for real, stored in zip(case.real, case.stored, strict=True):
            same(next(lines), real)
            same(next(lines), stored)
            checked += 1
    assert checked == 1000


_ANSWER = """
func answer@class@(_ shape: [Int], _ count: Int) throws {
  let content = try Data(contentsOf: URL(fileURLWithPath: "@class@.bin"))
  let values = @class@.Port.values(content, Double.self)
  let size = values.count / count
  for start in stride(from: 0, to: values.count, by: size) {
    let row = Array(values[start..<start + size])
    let real = try @class@.preprocess(row, shape: shape)
    print(@class@.Port.bytes(real).base64EncodedString())
    print(try @class@.prepare(row, shape: shape).base64EncodedString())
  }
}
"""
MAIN = """
import Foundation
let model = try DigitsModel()
print(try model.selfTest())
let rows = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "rows.bin")))
for start in stride(from: 0, to: rows.count, by: 784) {
  let answer = try model.predict(Array(rows[start..<start + 784]))
  print(answer.classes[0].label, answer.outputs[0].map(\\.bitPattern))
}
"""


def test_it_predicts_what_litert_does_on_recorded_answers_behind_a_stand_in_for_tensorflowlite(
    swift: Toolchain, build: edgekit.Build
) -> None:
    app = _app(swift, build, "app", change=0.0)
    with np.load(DATA / "digits_evaluation.npz") as arrays:
        rows = arrays["x"][:20].reshape(20, -1)
    (app / "rows.bin").write_bytes(rows.tobytes())
    done = swift.run("./app", "app")
    assert done.returncode == 0, done.stderr[-2000:]
    first, *answers = done.stdout.splitlines()
    assert first == f"ok: {build.manifest['golden']['vectors']} golden vectors"
    with LiteRT(build.tflite.read_bytes(), "litert") as runtime:
        for row, answer in zip(rows, answers, strict=True):
            [[wanted]] = runtime.map_rows([(_real(row),)])
            values = np.array(wanted).ravel()
            assert answer == f"{values.argmax()} {values.view(np.uint32).tolist()}"


def test_a_self_test_names_the_first_difference_of_recorded_answers(
    swift: Toolchain, build: edgekit.Build
) -> None:
    app = _app(swift, build, "app2", change=0.5)
    (app / "rows.bin").write_bytes(b"")
    done = swift.run("cp recorded.json ../app/; ./app", "app2")
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("vector 1, output 0, element 3: ")


def _app(swift: Toolchain, build: edgekit.Build, name: str, change: float) -> Path:
    """A program of the package and the stand-in, whose second golden answer is changed."""
    (swift.work / "app").mkdir(exist_ok=True)
    app = swift.work / name
    app.mkdir(exist_ok=True)
    sources = build.folder / "swift/Sources/Digits"
    for path in sources.glob("*.swift"):
        shutil.copy(path, app)
    shutil.copytree(sources / "Resources", app / "Resources", dirs_exist_ok=True)
    (app / "stand_in").mkdir(exist_ok=True)
    shutil.copy(HERE / "TensorFlowLite.swift", app / "stand_in")
    (app / "main.swift").write_text(MAIN)
    (app / "recorded.json").write_text(json.dumps(_recorded(build, change)))
    stand_in = "-emit-module -emit-library -static -module-name TensorFlowLite"
    done = swift.run(
        f"swiftc {stand_in} stand_in/TensorFlowLite.swift -o libTensorFlowLite.a 2>&1"
        " && swiftc -O -I . *.swift libTensorFlowLite.a -o app 2>&1",
        name,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    return app


def _recorded(build: edgekit.Build, change: float) -> list[Any]:
    """What LiteRT answers to the golden vectors and to rows of the evaluation data."""
    golden = np.load(build.folder / "golden.npz")
    with np.load(DATA / "digits_evaluation.npz") as arrays:
        rows = [_real(row) for row in arrays["x"][:20]]
    given = [*golden["input_0"], *rows]
    with LiteRT(build.tflite.read_bytes(), "litert") as runtime:
        answers = [np.array(value) for [value] in runtime.map_rows([(row,) for row in given])]
    answers[1].reshape(-1)[3] += change
    return [[[text(one)], [text(two)]] for one, two in zip(given, answers, strict=True)]


def _real(row: NDArray[Any]) -> NDArray[np.float32]:
    return parse("unit").apply(row).reshape(1, 28, 28, 1)


def text(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode()


def same(got: str, wanted: NDArray[Any]) -> None:
    """Bit for bit, but that a NaN is any NaN."""
    values = np.frombuffer(base64.b64decode(got), wanted.dtype)
    flat = wanted.ravel()
    numbers = ~np.isnan(flat)
    assert np.array_equal(np.isnan(values), ~numbers)
    assert values[numbers].tobytes() == flat[numbers].tobytes()

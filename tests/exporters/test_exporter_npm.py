from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from digits_example import contents
from made_tflite import Made, Step, build, small_net

from edgekit.exporters.base import ExportInput
from edgekit.exporters.npm import Exporter
from edgekit.graph.read import read
from edgekit.npm.package import package_name


def export(name: str, data: bytes, folder: Path, labels: tuple[str, ...] = ()) -> list[Path]:
    folder.mkdir(exist_ok=True)
    profile: Any = None
    return Exporter().export(ExportInput(name, data, read(data), profile, labels=labels), folder)


NAMES = {
    "My Model.v2": "my-model-v2",
    "http": "http-model",
    "3d": "model-3d",
    "": "model",
    'say "no" </script>': "say-no-script",
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items(), ids=[*map(repr, NAMES)])
def test_any_name_becomes_a_package(name: str, expected: str) -> None:
    assert package_name(name) == expected


def dense(dynamic: bool = False) -> bytes:
    """Float32 [1, 2] in, [1, 2] out."""
    tensors = [Made('in \u2028"', (1, 2)), Made("out", (1, 2))]

    def edit(model: Any) -> None:
        model.subgraphs[0].tensors[0].shapeSignature = [-1, 2] if dynamic else [1, 2]

    return build(tensors, [Step("TANH", (0,), (1,))], (0,), (1,), edit)


def test_the_same_model_has_the_same_package_and_another_one_another(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        export("A <Model> \u2028", dense(), tmp_path / folder, ('no"', "</script>"))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    package = json.loads((tmp_path / "one/npm/package.json").read_text())
    assert package["exports"]["."]["default"] == "./index.js"
    export("A <Model> \u2028", dense() + b"\0\0\0\0", tmp_path / "other")
    other = json.loads((tmp_path / "other/npm/package.json").read_text())
    assert other["version"] != package["version"]


def test_every_path_of_the_package_is_there(tmp_path: Path) -> None:
    written = {str(path.relative_to(tmp_path / "npm")) for path in export("m", dense(), tmp_path)}
    package = json.loads((tmp_path / "npm/package.json").read_text())
    named = [path for each in package["exports"].values() for path in values(each)]
    assert {path.removeprefix("./") for path in named} <= written
    assert all(path.removeprefix("./") in written for path in package["sideEffects"])
    assert not any("@package@" in path.read_text() for path in (tmp_path / "npm").glob("*.js"))


def values(entry: Any) -> list[str]:
    return list(entry.values()) if isinstance(entry, dict) else [entry]


REFUSED = {
    "int8": (small_net(), "takes no int8 input: in", "--set io.input=float32"),
    "a dynamic batch": (dense(dynamic=True), "takes no dynamic shapes", "fix every dimension"),
}


@pytest.mark.parametrize(("data", "words", "mend"), REFUSED.values(), ids=REFUSED.keys())
def test_what_litert_js_cannot_carry_is_refused(data: bytes, words: str, mend: str) -> None:
    profile: Any = None
    [problem] = Exporter().problems(ExportInput("m", data, read(data), profile))[:1]
    assert problem.severity == "error"
    assert words in problem.message
    assert mend in problem.hint

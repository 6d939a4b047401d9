from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from digits_example import contents
from made_tflite import Made, one_op, small_net

from edgekit.exporters.base import ExportInput
from edgekit.exporters.swift import Exporter
from edgekit.graph.read import read
from edgekit.swift.package import class_name, module_name

NAMES = {
    "my model.v2": ("MyModelV2", "MyModelV2Model"),
    "foundation": ("FoundationNet", "FoundationNetModel"),
    "swift": ("SwiftNet", "SwiftNetModel"),
    "3d": ("Model3d", "Model3dModel"),
    "": ("Model", "ModelModel"),
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items(), ids=[*map(repr, NAMES)])
def test_any_name_becomes_a_module_and_another_type(name: str, expected: tuple[str, str]) -> None:
    assert (module_name(name), class_name(name)) == expected


def given(name: str, data: bytes) -> ExportInput:
    profile: Any = None
    labels = ('say "\\(no)"', "line\u2028end")
    return ExportInput(name, data, read(data), profile, labels=labels)


def test_the_same_model_has_the_same_package(tmp_path: Path) -> None:
    for place in (tmp_path / "one", tmp_path / "two"):
        place.mkdir()
        Exporter().export(given('a "name"', small_net()), place)
    files = contents(tmp_path / "one")
    assert files == contents(tmp_path / "two")
    assert files["swift/Sources/AName/Resources/model.tflite"] == small_net()
    interface = files["swift/Sources/AName/Interface.swift"].decode()
    assert r'"say \"\\(no)\"", "line\u{2028}end"' in interface
    # hexadecimal where a decimal would be rounded twice
    assert "element: .int8, scale: 0.00390625, zeroPoint: -128" in interface


def test_files_and_build_say_what_was_not_compiled(tmp_path: Path) -> None:
    paths = Exporter().export(given("m", small_net()), tmp_path)
    texts = {path.name: path.read_text() for path in paths if path.suffix in (".swift", ".md")}
    assert not any("@class@" in text or "@module@" in text for text in texts.values())
    assert "NOT COMPILED" in texts["Runtime.swift"]
    for name in ("Model", "Port", "Preprocess", "SelfTest", "Interface"):
        assert "not with Xcode" in texts[f"{name}.swift"]
    assert "have *not been\ncompiled*" in texts["README.md"]
    [problem] = Exporter().problems(given("m", small_net()))
    assert problem.severity == "note"
    assert "has not been compiled by Xcode" in problem.message


def test_what_swift_cannot_store_is_refused() -> None:
    data = one_op("TANH", [Made("in", (1, 2), "FLOAT64"), Made("out", (1, 2), "FLOAT64")])
    [problem] = Exporter().problems(given("m", data))
    assert problem.severity == "error"
    assert "tensor 'in' is float64" in problem.message

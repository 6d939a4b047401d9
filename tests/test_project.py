from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.errors import UsageError
from edgekit.project import Project, from_mapping, from_toml, write_template


def test_template_is_a_valid_project(tmp_path: Path) -> None:
    path = write_template(tmp_path / "edgekit.toml", 'odd "name".keras', ("rpi4", "android"), False)
    project = from_toml(path)
    assert project.model.path == 'odd "name".keras'
    assert project.build.targets == ("rpi4", "android")
    assert project.quantize == Project().quantize


def test_template_does_not_overwrite(tmp_path: Path) -> None:
    path = tmp_path / "edgekit.toml"
    path.write_text("mine")
    with pytest.raises(UsageError, match="there already"):
        write_template(path, "m.keras", ("rpi4",), False)
    assert path.read_text() == "mine"


def test_round_trip_through_json() -> None:
    project = Project().with_table("data", calibration=("a.npz:x[:100]",), samples=7)
    assert from_mapping(project.to_json(), "manifest") == project


@pytest.mark.parametrize(
    ("setting", "read"),
    [
        pytest.param("data.samples=12", lambda p: p.data.samples == 12, id="integer"),
        pytest.param("quantize.estimator=mse", lambda p: p.quantize.estimator == "mse", id="bare"),
        pytest.param('io.input="uint8"', lambda p: p.io.input == "uint8", id="quoted"),
        pytest.param("quantize.per_channel=false", lambda p: not p.quantize.per_channel, id="bool"),
        pytest.param(
            "data.calibration=a.npz:x[:5]",
            lambda p: p.data.calibration == ("a.npz:x[:5]",),
            id="one string for a list",
        ),
        pytest.param(
            'data.calibration=["a", "b"]', lambda p: p.data.calibration == ("a", "b"), id="list"
        ),
    ],
)
def test_set(setting: str, read: object) -> None:
    assert callable(read)
    assert read(Project().with_setting(setting))


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        pytest.param({"quantise": {}}, "no table", "did you mean quantize", id="unknown table"),
        pytest.param(
            {"data": {"calibraton": ["x"]}}, "calibraton", "did you mean calibration", id="key"
        ),
        pytest.param(
            {"quantize": {"estimator": "entrpy"}}, "entrpy", "did you mean entropy", id="choice"
        ),
        pytest.param({"data": {"samples": "many"}}, "not an integer", "integer", id="type"),
        pytest.param({"data": {"samples": True}}, "not an integer", "integer", id="bool for int"),
        pytest.param({"build": {"seed": -1}}, "negative", "zero", id="negative"),
        pytest.param({"data": 3}, "not a table", r"\[data\]", id="no table"),
        pytest.param({"data": {"calibration": [1]}}, "list of strings", "write", id="list items"),
    ],
)
def test_bad_content_is_named(content: dict[str, object], message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        from_mapping(content, "edgekit.toml")
    import re

    assert re.search(hint, caught.value.hint)


@pytest.mark.parametrize("text", ["a = ", "[data]\nsamples = 1\nsamples = 2", "\xff\xfe"])
def test_not_toml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "edgekit.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=r"edgekit\.toml"):
        from_toml(path)

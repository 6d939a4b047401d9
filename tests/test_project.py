from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from edgekit.errors import UsageError
from edgekit.project import (
    BudgetTable,
    CompressEntry,
    Project,
    from_mapping,
    from_toml,
    write_template,
)
from edgekit.training.options import FineTune


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


def test_template_documents_every_key_of_compression(tmp_path: Path) -> None:
    path = write_template(tmp_path / "edgekit.toml", "m.keras", ("rpi4",), False)
    text = re.sub(r"^# (\[|[a-z_]+ += )", r"\1", path.read_text(), flags=re.MULTILINE)
    path.write_text(text.replace('input = "float32"', "").replace('output = "float32"', ""))
    project = from_toml(path)
    assert project.compress == (
        CompressEntry("prune", {"sparsity": 0.6, "fine_tune": {"epochs": 10}}),
        CompressEntry("quantize_aware"),
    )
    assert project.fine_tune == FineTune(20, 0.002, 32, 5, 30.0, ("auto",), 4.0, 0.1)
    assert project.budget == BudgetTable(1.0, 98.0, 20.0)
    assert project.quantize.sparse == "auto"


def test_round_trip_through_json() -> None:
    project = (
        Project()
        .with_table("data", calibration=("a.npz:x[:100]",), samples=7)
        .with_table("budget", accuracy_drop=1, strict=True)
        .with_table("fine_tune", epochs=3, augment=("flip",))
        .with_compress("prune:0.6:epochs=5:augment=flip+mix=0.5:layers=conv*+Dense,qat")
    )
    stored = json.loads(json.dumps(project.to_json()))
    assert from_mapping(stored, "manifest") == project
    assert stored["compress"] == [
        {
            "pass": "prune",
            "sparsity": 0.6,
            "layers": ["conv*", "Dense"],
            "fine_tune": {"epochs": 5, "augment": ["flip", "mix=0.5"]},
        },
        {"pass": "quantize_aware"},
    ]


def test_table_and_short_form_give_the_same_entry(tmp_path: Path) -> None:
    path = tmp_path / "edgekit.toml"
    path.write_text(
        '[[compress]]\npass = "prune"\nsparsity = 0.6\nfine_tune = { epochs = 5 }\n'
        '[[compress]]\npass = "qat"\n[budget]\nagreement = 98\n'
    )
    project = from_toml(path)
    assert project.compress == Project().with_compress("prune:0.6:epochs=5,qat").compress
    assert project.budget.limits == {"agreement": 98.0}


def test_compress_takes_the_place_of_the_passes_before() -> None:
    project = Project().with_compress("prune").with_compress("cluster:16")
    assert project.compress == (CompressEntry("cluster", {"clusters": 16}),)


def test_a_budget_is_taken_back() -> None:
    project = Project().with_table("budget", sqnr=20)
    assert project.with_setting("budget.sqnr=none").budget == BudgetTable()


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
        pytest.param(
            {"compress": {"pass": "prune"}}, "compress is not a list", r"\[\[compress\]\]", id="one"
        ),
        pytest.param({"compress": ["prune"]}, "not a list of tables", "write", id="no tables"),
        pytest.param(
            {"compress": [{"sparsity": 0.5}]}, "compress 1: names no pass", "pass =", id="no pass"
        ),
        pytest.param({"compress": [{"pass": 3}]}, "names no pass", "pass =", id="pass is a number"),
        pytest.param(
            {"compress": [{"pass": "prune"}, {"pass": "clustr"}]},
            r"edgekit\.toml: compress 2: .*no pass 'clustr'",
            "did you mean cluster",
            id="unknown pass",
        ),
        pytest.param(
            {"compress": [{"pass": "prune", "sparsty": 1}]},
            r"edgekit\.toml: compress 1: prune: sparsty is unknown",
            "did you mean sparsity",
            id="unknown option",
        ),
        pytest.param(
            {"compress": [{"pass": "prune", "sparsity": "much"}]},
            "compress 1: prune: sparsity",
            "number",
            id="wrong type of an option",
        ),
        pytest.param(
            {"compress": [{"pass": "prune", "fine_tune": {"epoch": 1}}]},
            "compress 1: prune: .*epoch is unknown",
            "did you mean epochs",
            id="unknown key of fine-tuning",
        ),
        pytest.param(
            {"fine_tune": {"learning_rate": "fast"}},
            r"edgekit\.toml: fine_tune\.learning_rate = 'fast': not a number",
            "give a number",
            id="learning rate",
        ),
        pytest.param(
            {"fine_tune": {"temperature": 0}},
            r"edgekit\.toml: fine_tune: temperature = 0",
            "above 0",
            id="temperature",
        ),
        pytest.param({"fine_tune": {"max_minutes": -1}}, "max_minutes = -1", "from 0", id="time"),
        pytest.param({"fine_tune": 3}, "fine_tune is not a table", "fine_tune", id="fine_tune"),
        pytest.param(
            {"budget": {"accuracy_drop": -1}}, "accuracy_drop = -1: out of", "0 or more", id="drop"
        ),
        pytest.param(
            {"budget": {"agreement": 101}}, "agreement = 101: out of", "0 to 100", id="agreement"
        ),
        pytest.param({"budget": {"sqnr": "low"}}, "sqnr = 'low'", 'or "none"', id="sqnr"),
        pytest.param({"budget": {"ladder": 1}}, "not true or false", "true or false", id="ladder"),
        pytest.param(
            {"quantize": {"sparse": "on"}}, "sparse = 'on'", "known: auto, off", id="sparse"
        ),
    ],
)
def test_bad_content_is_named(content: dict[str, object], message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        from_mapping(content, "edgekit.toml")
    assert re.search(hint, caught.value.hint)


@pytest.mark.parametrize("text", ["a = ", "[data]\nsamples = 1\nsamples = 2", "\xff\xfe"])
def test_not_toml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "edgekit.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=r"edgekit\.toml"):
        from_toml(path)

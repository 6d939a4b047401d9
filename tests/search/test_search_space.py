"""What can be searched: declared by passes, narrowed by the user, made into projects and back."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import FixedTrial

from edgekit.errors import UsageError
from edgekit.passes.base import load, names, searched
from edgekit.project import Project, from_mapping
from edgekit.search.objective import limits_of
from edgekit.search.recipes import to_toml
from edgekit.search.space import OFF, recipe, space_of
from edgekit.sensitivities.result import Curve, Point, Sensitivity


def project(search: dict[str, Any], **tables: Any) -> Project:
    return from_mapping({"search": search, **tables}, "edgekit.toml")


def test_passes_declare_what_can_be_searched() -> None:
    found = {each.name: each for each in space_of(Project()).dimensions}
    assert list(found) == [
        "remove.macs",
        "prune.sparsity",
        "cluster.clusters",
        "quantize_aware.use",
    ]
    assert found["remove.macs"].values[:2] == (OFF, 0.9)
    assert found["quantize_aware.use"].values == (OFF, "on")
    assert not found["quantize_aware.use"].ordered


def test_declared_values_are_values_of_the_option() -> None:
    for name in names():
        options = load(name).Options
        for key, values in searched(options).items():
            for value in values:
                found = getattr(options(**{key: value}), key)
                assert (list(found) if isinstance(found, tuple) else found) == value


def test_the_documentation_lists_what_is_declared() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "search.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| (.*) \|$", text, re.MULTILINE))
    usual = {each.name: each for each in space_of(Project()).dimensions}
    declared = [name for name in names() if searched(load(name).Options)]
    every = {
        each.name: each
        for name in declared
        for each in space_of(project({"passes": [name]})).dimensions
    }
    found = {name: ", ".join(map(str, each.values)) for name, each in {**every, **usual}.items()}
    assert {key: row for key, row in rows.items() if key.partition(".")[0] in names()} == found


def test_the_examples_of_the_documentation_can_be_searched() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "search.md").read_text()
    examples = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(examples) == 2
    for each in examples:
        given = from_mapping(tomllib.loads(each), "docs/search.md")
        assert space_of(given).size > 10
        assert limits_of(given.search)


def test_the_user_narrows_it() -> None:
    given = project(
        {
            "passes": ["remove", "qat"],
            "space": {
                "remove": {"macs": [0.7, 0.5], "criterion": ["taylor", "l1"]},
                "qat": {"use": ["on"]},
                "compile": {"optimize": ["size", "speed"]},
            },
        }
    )
    space = space_of(given)
    assert space.to_json() == {
        "remove.macs": [0.7, 0.5],
        "remove.criterion": ["taylor", "l1"],
        "quantize_aware.use": ["on"],
        "compile.optimize": ["size", "speed"],
    }
    assert space.size == 8
    # a value of one is not asked for; ordered ones are stored as places
    trial = FixedTrial({"remove.macs": 1, "remove.criterion": "l1", "compile.optimize": "speed"})
    chosen = space.suggest(trial)
    assert chosen["remove.macs"] == 0.5
    assert space.stored(chosen) == trial.params
    made = recipe(given, chosen)
    assert [each.to_json() for each in made.compress] == [
        {"pass": "remove", "macs": 0.5, "criterion": "l1"},
        {"pass": "quantize_aware"},
    ]
    assert made.compile.optimize == "speed"


def test_passes_of_the_project_stay_and_come_first() -> None:
    given = project(
        {"passes": ["remove", "quantize_aware"]},
        compress=[{"pass": "distill"}, {"pass": "quantize_aware", "decay": 0.9}],
        budget={"accuracy_drop": 1.0},
        data={"evaluation": ["x.npz:x,y"]},
    )
    assert list(space_of(given).to_json()) == ["remove.macs"]
    made = recipe(given, {"remove.macs": 0.6})
    assert [each.name for each in made.compress] == ["distill", "remove", "quantize_aware"]
    assert made.compress[-1].options == {"decay": 0.9}
    left_out = recipe(given, {"remove.macs": OFF})
    assert [each.name for each in left_out.compress] == ["distill", "quantize_aware"]
    # a trial has no budget that refuses it, and never sees the rows that report
    assert made.budget.limits == {}
    assert made.data.evaluation == ()
    assert made.data.held_out == given.search.held_out


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"passes": ["prun"]}, "no pass 'prun'"),
        ({"space": {"remove": {"mac": [0.5]}}}, "remove.mac is no option"),
        ({"space": {"low_rank": {"macs": [0.5]}}}, "of a pass that is not searched"),
        ({"space": {"remove": {"macs": [40]}}}, "macs = 40"),
        ({"space": {"remove": {"macs": 0.5}}}, "no list of values"),
        ({"space": {"remove": 0.5}}, "remove is not a table"),
        ({"space": {"export": {"x": [1, 2]}}}, "export cannot be searched"),
        ({"space": {"compile": {"optimize": ["size", "sped"]}}}, "sped"),
        ({"passes": ["remove"], "space": {"remove": {"macs": [0.5]}}}, "nothing to search"),
    ],
)
def test_refused(search: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        space_of(project(search))
    assert message in refused.value.message
    assert refused.value.hint


def test_a_recipe_is_read_back_as_the_same_project() -> None:
    given = project(
        {"passes": ["remove", "prune"], "space": {"fine_tune": {"epochs": [3, 9]}}},
        model={"path": 'a "b"\\c.keras', "modules": ["x"]},
        data={"training": ["ä.npz:x,y[:9]"], "preprocess": "unit"},
        build={"targets": ["cortex-m4"], "output": "out", "seed": 3},
        compress=[
            {
                "pass": "prune",
                "per_layer": {"conv*": {"sparsity": 0.3}, "d-1": 0.2},
                "fine_tune": {"epochs": 2, "augment": ["flip", "shift=2"]},
            }
        ],
    )
    made = recipe(given, {"remove.macs": 0.5, "fine_tune.epochs": 9})
    text = to_toml(made, "trials/0001.toml")
    assert from_mapping(tomllib.loads(text), "recipe").to_json() == made.to_json()
    assert "[search]" not in text
    assert "edgekit build trials/0001.toml" in text.splitlines()[0]


def test_amounts_are_parted_by_a_sensitivity_analysis(tmp_path: Path) -> None:
    def curve(kind: Any, layer: str, size: int, loss: float) -> Curve:
        levels = (0.3, 0.5, 0.7, 0.9)
        saved = [round(level * size) for level in levels]
        points = tuple(
            Point(level, loss * level**2, 90.0, count, count)
            for level, count in zip(levels, saved, strict=True)
        )
        return Curve(kind, layer, (layer,), "CONV_2D", size, size, points)

    curves = [curve(kind, "touchy", 100, 9.0) for kind in ("prune", "remove")]
    curves += [curve(kind, "tough", 900, 0.1) for kind in ("prune", "remove")]
    found = Sensitivity("net", "", "top1", "higher", 90.0, 8, "", tuple(curves))
    file = tmp_path / "sensitivity.json"
    file.write_text(json.dumps(found.to_json()))
    table = {"passes": ["prune", "remove"], "sensitivity": str(file), "layers": 1}
    given = project(table | {"space": {"prune": {"sparsity": ["off", 0.6]}}})
    space = space_of(given)
    assert "prune.layer tough" in space.to_json()
    assert "prune.layer touchy" not in space.to_json()
    assert "prune.layer tough" not in space.mildest  # nothing is pruned there
    assert space.settle({"prune.sparsity": 0.6})["prune.layer tough"] == 0.0
    start = recipe(given, space.settle({"prune.sparsity": 0.6, "remove.macs": 0.5}))
    levels = start.compress[0].options["per_layer"]
    assert levels["touchy"] < 0.6 < levels["tough"]
    shares = start.compress[1].options
    assert "macs" not in shares
    assert shares["per_layer"]["tough"] > shares["per_layer"]["touchy"]
    departed = recipe(given, space.mildest | {"prune.sparsity": 0.6, "prune.layer tough": -0.2})
    after = departed.compress[0].options["per_layer"]
    assert after["tough"] == pytest.approx(levels["tough"] - 0.2)
    assert after["touchy"] == levels["touchy"]
    assert not recipe(given, space.mildest).compress

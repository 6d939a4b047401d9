"""Networks of the zoo as students that a search chooses among, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgekit.errors import UsageError
from edgekit.passes.base import searched
from edgekit.project import Project, from_mapping
from edgekit.search.executor import Outcome, Recipe, Sequential
from edgekit.search.objective import OBJECTIVES, Limit
from edgekit.search.space import OFF, recipe, space_of
from edgekit.search.study import Setup, Study
from edgekit.zoo import base as zoo

STUDENTS = ["off", "zoo:ds_cnn", "zoo:resnet8/stages=2"]


def project(space: dict[str, Any], passes: tuple[str, ...] = ("distill", "remove")) -> Project:
    return from_mapping({"search": {"passes": list(passes), "space": space}}, "edgekit.toml")


def test_networks_declare_values_that_they_can_be_built_with() -> None:
    for name in zoo.names():
        network = zoo.load(name)
        declared = searched(network.Options)
        assert declared, name
        for key, values in declared.items():
            assert network.Options.__dataclass_fields__[key].default in values
            for value in values:
                assert getattr(zoo.options_of(network, {key: value}), key) == value
    assert searched(zoo.load("ds_cnn").Options) == {
        "channels": (64, 48, 32, 16),
        "blocks": (4, 3, 2, 1),
        "kernel": (3, 5),
    }
    assert searched(zoo.load("resnet8").Options)["shortcut"] == (True, False)


def test_what_a_student_declares_matters_only_where_it_is_chosen() -> None:
    given = project({"distill": {"student": STUDENTS}})
    space = space_of(given)
    names = list(space.to_json())
    assert names[:2] == ["distill.student", "remove.macs"]
    assert "zoo.ds_cnn.channels" in names
    assert "zoo.resnet8.width" in names
    assert space.mildest == {"distill.student": OFF, "remove.macs": OFF}
    assert not recipe(given, space.mildest).compress
    begun = space.settle({"distill.student": "zoo:ds_cnn", "zoo.ds_cnn.channels": 16})
    assert begun == {
        "distill.student": "zoo:ds_cnn",
        "remove.macs": OFF,
        "zoo.ds_cnn.channels": 16,
        "zoo.ds_cnn.blocks": 4,
        "zoo.ds_cnn.kernel": 3,
    }
    (made,) = recipe(given, begun).compress
    assert made.options == {"student": "zoo:ds_cnn/channels=16/blocks=4/kernel=3"}
    other = space.settle(begun | {"distill.student": STUDENTS[2], "zoo.resnet8.shortcut": False})
    assert not [name for name in other if "ds_cnn" in name]
    spec = recipe(given, other).compress[0].options["student"]
    assert spec == "zoo:resnet8/stages=2/width=1.0/kernel=3/shortcut=false"


def test_one_list_is_for_all_students_that_have_the_option() -> None:
    students = ["zoo:resnet8", "zoo:mobilenet_v2/width=0.5", "zoo:ds_cnn", "own.keras"]
    values = {"width": [0.25, 0.5], "kernel": [3], "ds_cnn": {"channels": [24]}, "shortcut": [True]}
    space = space_of(project({"distill": {"student": students}, "zoo": values}))
    found = {name: each for name, each in space.to_json().items() if name[:4] == "zoo."}
    assert found["zoo.resnet8.width"] == [0.25, 0.5]
    assert "zoo.mobilenet_v2.width" not in found  # that student has one already
    assert found["zoo.ds_cnn.channels"] == [24]
    assert found["zoo.resnet8.kernel"] == found["zoo.ds_cnn.kernel"] == [3]
    assert found["zoo.mobilenet_v2.depth"] == [1.0, 0.75, 0.5, 0.25]
    assert space.settle({"distill.student": "own.keras"}) == {
        "distill.student": "own.keras",
        "remove.macs": OFF,
    }


@pytest.mark.parametrize(
    ("space", "passes", "message"),
    [
        ({"zoo": {"width": [0.5]}}, ("distill",), "zoo.width is of a student, and none"),
        ({"distill": {"student": ["zoo:resnet9"]}}, ("distill",), "no network 'resnet9'"),
        (
            {"distill": {"student": STUDENTS}, "zoo": {"widht": [0.5]}},
            ("distill",),
            "zoo.widht: ds_cnn or resnet8 has no option 'widht'",
        ),
        (
            {"distill": {"student": STUDENTS}, "zoo": {"ds_cnn": {"width": [0.5]}}},
            ("distill",),
            "zoo.ds_cnn.width: ds_cnn has no option 'width'",
        ),
        (
            {"distill": {"student": STUDENTS}, "zoo": {"cnn4": {"layers": [2]}}},
            ("distill",),
            "zoo.cnn4.layers is of a student, and none of that name",
        ),
        (
            {"distill": {"student": STUDENTS}, "zoo": {"kernel": [3, 7]}},
            ("distill",),
            "ds_cnn: kernel = 7 is no choice",
        ),
        ({"distill": {"student": STUDENTS}, "zoo": {"width": 0.5}}, ("distill",), "no list"),
        (
            {"distill": {"student": STUDENTS}},
            ("remove", "distill"),
            "remove is in front of distill",
        ),
        ({"distill": {"student": STUDENTS}}, ("remove",), "of a pass that is not searched"),
    ],
)
def test_refused_by_name(space: dict[str, Any], passes: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        space_of(project(space, passes))
    assert message in refused.value.message
    assert refused.value.hint


def test_a_pass_that_is_left_out_has_one_point() -> None:
    given = project({"remove": {"macs": ["off", 0.5], "criterion": ["l1", "taylor"]}}, ("remove",))
    space = space_of(given)
    assert space.settle({"remove.macs": OFF, "remove.criterion": "l1"}) == {"remove.macs": OFF}
    assert _distinct(given) == 3


def _distinct(given: Project) -> int:
    """How many points a search without an end tries."""
    return len(_tried(given, "random", 1000))


def _fake(recipe: Recipe) -> Outcome:
    """Made-up figures: what is searched must be known to judge how."""
    name = str(recipe.choices.get("distill.student", OFF))
    width = recipe.choices.get("zoo.resnet8.width", recipe.choices.get("zoo.ds_cnn.channels", 1))
    cost = {"off": 3.0, "zoo:ds_cnn": 1.0, "zoo:resnet8": 2.0}[name] * width
    drop = 0.0 if name == OFF else 0.5 / width
    return Outcome(recipe.number, "complete", {"latency": cost, "drop": drop})


def _tried(
    given: Project, sampler: str, trials: int, path: Path | None = None
) -> list[dict[str, Any]]:
    space = space_of(given)
    limits, objectives = (Limit("drop", 2.0, "2%"),), (OBJECTIVES["latency"],)
    setup = Setup(space, objectives, limits, sampler, 0, (space.mildest,))
    study = Study(setup, path, resume=True)
    study.run(Sequential(_fake), lambda choices, number: {}, trials)
    return [dict(each.choices) for each in study.tried]


SMALL: dict[str, Any] = {
    "distill": {"student": ["off", "zoo:ds_cnn", "zoo:resnet8"]},
    "zoo": {
        "width": [1.0, 0.5],
        "channels": [16],
        "kernel": [3],
        "shortcut": [True, False],
        "blocks": [1],
    },
}


@pytest.mark.parametrize("sampler", ["tpe", "netadapt", "random"])
def test_every_point_is_tried_once_and_again_after_a_stop(sampler: str, tmp_path: Path) -> None:
    given = project(SMALL, ("distill",))
    whole = _tried(given, sampler, 100)
    points = 1 + 1 + 2 * 2  # off; ds_cnn; resnet8 by width and shortcut
    assert len(whole) == len({str(each) for each in whole})
    assert len(whole) == points
    path = tmp_path / "study.journal"
    _tried(given, sampler, 3, path)
    assert _tried(given, sampler, 100, path) == whole

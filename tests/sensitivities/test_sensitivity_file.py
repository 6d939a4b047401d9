"""The result as a file: written, read, and refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from edgekit.errors import UsageError
from edgekit.sensitivities.picture import picture
from edgekit.sensitivities.rank import Cost, int8_costs
from edgekit.sensitivities.result import FILE, Curve, Kind, Point, Sensitivity

FOUND = Sensitivity(
    "net",
    "a" * 64,
    "top1",
    "higher",
    90.0,
    200,
    "b" * 64,
    (
        Curve(
            "prune",
            "conv<1>",
            ("conv<1>",),
            "CONV_2D",
            100,
            1000,
            (Point(0.3, 0.01, 89.5, 30, 300), Point(0.9, 2.5, 20.0, 90, 900)),
        ),
        Curve("activations", "in", ("in", "pad"), "INPUT", 0, 0, (Point(8, 0.0, 90.0),)),
    ),
)


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text(json.dumps(FOUND.to_json()))
    assert Sensitivity.from_file(file) == FOUND
    assert Sensitivity.from_file(tmp_path, "a" * 64) == FOUND
    assert FOUND.kinds == ("prune", "activations")
    assert FOUND.drop(FOUND.curves[0].points[0]) == 0.5


def _changed(**values: Any) -> str:
    return json.dumps(FOUND.to_json() | values)


def _curve(**values: Any) -> str:
    data = json.loads(_changed())
    data["curves"][0] |= values
    return json.dumps(data)


DAMAGED = {
    "nothing": "",
    "half of it": _changed()[:300],
    "a list": "[]",
    "another schema": _changed(schema=99),
    "an unknown key": _changed(colour="red"),
    "an unknown kind": _curve(kind="paint"),
    "a point of text": _curve(points=[{"level": "0.3", "loss": 0, "metric": 0}]),
    "no points": _curve(points=None),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged(case: str, tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text(DAMAGED[case])
    with pytest.raises(UsageError, match="no sensitivity analysis") as caught:
        Sensitivity.from_file(file)
    assert "edgekit sensitivity" in caught.value.hint


def test_not_there_or_of_another_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        Sensitivity.from_file(tmp_path / "none.json")
    (tmp_path / FILE).write_text(_changed())
    with pytest.raises(UsageError, match="about another model") as caught:
        Sensitivity.from_file(tmp_path, "c" * 64)
    assert "analyse" in caught.value.hint


def test_what_int8_costs_each_layer() -> None:
    def curve(kind: Kind, layers: tuple[str, ...], *losses: float) -> Curve:
        points = (Point(bits, loss, 0.0) for bits, loss in zip((8, 6, 4), losses, strict=False))
        return Curve(kind, layers[0], layers, "CONV_2D", 0, 0, tuple(points))

    curves = (
        curve("quantize", ("a",), 0.1, 5.0, 9.0),
        curve("quantize", ("b",), 0.4, 0.5),
        curve("activations", ("a", "pool"), 0.2),
    )
    costs = int8_costs(dataclasses.replace(FOUND, curves=curves))
    assert list(costs) == ["b", "a", "pool"]
    assert (costs["a"], costs["b"]) == (Cost(0.2, 0.1), Cost(0.0, 0.4))
    assert costs["pool"].total == 0.2


def test_the_picture_shows_every_point() -> None:
    drawn = picture(FOUND)
    root = ElementTree.fromstring(drawn)
    words = [element.text for element in root.iter() if element.text]
    assert {"conv<1>", "in +1", "30 %", "90 %", "8 bit", "89.5", "20"} <= {*words}
    name = "{http://www.w3.org/2000/svg}"
    cells = [r for r in root.iter(f"{name}rect") if r.find(f"{name}title") is not None]
    assert len(cells) == 3
    fills = [cell.get("fill") for cell in cells]
    assert fills[1] == "#990000"
    assert fills[0] != fills[1]
    assert fills[2] == "#fef0d9"
    assert picture(FOUND) == drawn

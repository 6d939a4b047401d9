"""Values of TOML tables against the fields of dataclasses."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from edgekit._values import changed, checked, toml_value, written
from edgekit.errors import UsageError


@dataclass(frozen=True)
class Table:
    count: int = 0
    rate: float = 0.5
    limit: float | None = field(default=None, metadata={"least": 0.0, "most": 100.0})
    floor: float | None = field(default=None, metadata={"least": 0.0})
    on: bool = True
    name: str = ""
    mode: Literal["", "fast", "slow"] = ""
    texts: tuple[str, ...] = ()


TAKEN = {
    "an integer": ({"count": 3}, Table(count=3)),
    "a float": ({"rate": 0.25}, Table(rate=0.25)),
    "an integer for a float": ({"rate": 2}, Table(rate=2.0)),
    "an optional number": ({"limit": 1}, Table(limit=1.0)),
    "the ends of a range": ({"limit": 100, "floor": 0}, Table(limit=100.0, floor=0.0)),
    "no number, from JSON": ({"limit": None}, Table()),
    "no number, as a word": ({"limit": "none"}, Table()),
    "a switch": ({"on": False}, Table(on=False)),
    "a hidden choice": ({"mode": ""}, Table()),
    "one string for a list": ({"texts": "a"}, Table(texts=("a",))),
    "a list": ({"texts": ["a", "b"]}, Table(texts=("a", "b"))),
}


@pytest.mark.parametrize(("given", "expected"), TAKEN.values(), ids=TAKEN.keys())
def test_taken(given: dict[str, Any], expected: Table) -> None:
    got = changed(Table(count=0, limit=None), given, "f.toml: t")
    assert got == expected
    assert type(got.rate) is float


def test_what_is_not_given_stays() -> None:
    assert changed(Table(count=7, limit=3.0), {"rate": 1.0}, "t") == Table(7, 1.0, 3.0)


REFUSED = {
    "unknown key": ({"cuont": 1}, "f: t.cuont is unknown", "did you mean count?"),
    "text for a number": ({"rate": "much"}, "f: t.rate = 'much': not a number", "give a number"),
    "not a number": ({"rate": math.nan}, "f: t.rate = nan: not a number", "give a number"),
    "endless": ({"rate": math.inf}, "f: t.rate = inf: not a number", "give a number"),
    "a switch for a number": ({"rate": True}, "f: t.rate = True: not a number", "give a number"),
    "a float for an integer": ({"count": 1.0}, "f: t.count = 1.0: not an integer", "give an int"),
    "a number for a switch": ({"on": 1}, "f: t.on = 1: not true or false", "give true or false"),
    "text for an optional number": (
        {"limit": "low"},
        "f: t.limit = 'low': not a number",
        'give a number, or "none"',
    ),
    "above the range": ({"limit": 101}, "f: t.limit = 101: out of range", "give 0 to 100"),
    "below an open range": ({"floor": -1}, "f: t.floor = -1: out of range", "give 0 or more"),
    "negative": ({"count": -1}, "f: t.count = -1: negative", "give zero or more"),
    "no choice": ({"mode": "fsat"}, "f: t.mode = 'fsat' is no choice", "did you mean fast?"),
    "a list for a choice": ({"mode": ["fast"]}, "f: t.mode = ['fast'] is no choice", "did you"),
    "a mapping for texts": ({"texts": {"a": 1}}, "f: t.texts = {'a': 1}: not a list", "write ["),
}


@pytest.mark.parametrize(("given", "message", "hint"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(given: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        changed(Table(), given, "f: t")
    assert caught.value.message.startswith(message)
    assert caught.value.hint.startswith(hint)


def test_a_single_value() -> None:
    assert checked(3, float | None, "x") == 3.0
    with pytest.raises(UsageError, match="x = -3: negative"):
        checked(-3, int, "x")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("0.6", 0.6, id="number"),
        pytest.param("true", True, id="switch"),
        pytest.param('"a:b"', "a:b", id="quoted"),
        pytest.param("[1, 4]", [1, 4], id="list"),
        pytest.param("1x4", "1x4", id="bare text"),
        pytest.param("1\nother = 2", "1\nother = 2", id="more than a value"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_toml_value(text: str, value: object) -> None:
    assert toml_value(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(0.5, "0.5", id="number"),
        pytest.param(False, "false", id="switch"),
        pytest.param("mse", "mse", id="text"),
        pytest.param(("flip", "mix=0.5"), "flip+mix=0.5", id="texts"),
        pytest.param([1, 4], "1x4", id="integers"),
        pytest.param((), "", id="empty"),
        pytest.param({"a": 0.5, "b": True}, "a=0.5+b=true", id="table"),
        pytest.param((("a", 0.5), ("b", (1, 4))), "a=0.5+b=1x4", id="pairs"),
        pytest.param((("a", {"n": 2}),), "a=n=2", id="pairs with tables"),
    ],
)
def test_written(value: object, text: str) -> None:
    assert written(value) == text

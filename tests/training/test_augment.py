from __future__ import annotations

import numpy as np
import pytest

from edgekit.errors import UsageError
from edgekit.training.augment import KINDS, Input, choose
from edgekit.training.options import FineTune, resolve

PICTURE = Input((8, 6, 2), np.ones(2))
SERIES = Input((12, 3), np.ones(3))
VECTOR = Input((5,), np.ones(5))
WORDS = Input((7,), None)


@pytest.mark.parametrize(
    ("texts", "inputs", "chosen"),
    [
        pytest.param(["auto"], [VECTOR], {"noise": 0.02, "mix": 0.5}, id="auto"),
        pytest.param(["auto"], [WORDS], {}, id="auto of whole numbers"),
        pytest.param(["auto", "mix=0.1"], [VECTOR], {"noise": 0.02, "mix": 0.1}, id="auto but"),
        pytest.param(["none"], [VECTOR], {}, id="none"),
        pytest.param([], [VECTOR], {}, id="nothing"),
        pytest.param([" shift = 2 ", "flip"], [PICTURE], {"flip": 1, "shift": 2}, id="spaces"),
        pytest.param(["shift"], [PICTURE], {"shift": 4}, id="the default value"),
    ],
)
def test_what_is_chosen(texts: list[str], inputs: list[Input], chosen: dict[str, float]) -> None:
    assert choose(texts, inputs) == chosen


def test_auto_is_nothing_without_a_teacher() -> None:
    assert choose(["auto"], [VECTOR], teacher=False) == {}


@pytest.mark.parametrize(
    ("texts", "about", "said"),
    [
        pytest.param(["flop"], PICTURE, "no transform 'flop'", id="unknown"),
        pytest.param(["flip"], VECTOR, r"flip does not fit inputs \[1, 5\]", id="flip a vector"),
        pytest.param(["shift=2"], SERIES, "shift does not fit", id="shift a series"),
        pytest.param(["mix=0.5"], WORDS, "mix does not fit .* whole numbers", id="mix words"),
        pytest.param(["cut=0.5"], VECTOR, "cut does not fit", id="cut a vector"),
        pytest.param(["noise=-1"], VECTOR, "noise=-1 cannot", id="negative noise"),
        pytest.param(["noise=nan"], VECTOR, "noise=nan cannot", id="NaN"),
        pytest.param(["mix=2"], VECTOR, "mix=2 cannot", id="a probability of 2"),
        pytest.param(["shift=1.5"], PICTURE, "shift=1.5 cannot", id="half a pixel"),
        pytest.param(["shift=6"], PICTURE, "shift=6 moves everything", id="as wide as it is"),
        pytest.param(["time_shift=12"], SERIES, "12 places", id="as long as it is"),
        pytest.param(["flip=2"], PICTURE, "flip takes no value", id="a value for a flip"),
        pytest.param(["none", "flip"], PICTURE, "none stands beside flip", id="none and another"),
    ],
)
def test_bad_transforms_are_refused(texts: list[str], about: Input, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        choose(texts, [about])
    assert raised.value.hint


def test_labels_with_places_forbid_what_moves() -> None:
    moving = {name for name, kind in KINDS.items() if kind.moves}
    assert moving == {"flip", "flip_vertical", "shift", "time_shift", "cut"}
    for name in moving:
        with pytest.raises(UsageError, match="labels that have places"):
            choose([name], [PICTURE], placed=True)
    assert choose(["noise"], [PICTURE], placed=True) == {"noise": 0.02}


def test_names_are_checked_with_the_other_options_before_there_is_a_model() -> None:
    with pytest.raises(UsageError, match="no transform 'flop'"):
        resolve(FineTune(augment=("flop",)), 100, labelled=False)

from __future__ import annotations

import dataclasses
import math

import pytest

from edgekit.errors import UsageError
from edgekit.training.options import FineTune, resolve


@pytest.mark.parametrize(
    ("rows", "batch", "epochs", "patience"),
    [
        pytest.param(10, 2, 150, 75, id="ten rows: many epochs, but no more than 150"),
        pytest.param(40, 10, 150, 75, id="a batch is never above a quarter"),
        pytest.param(280, 32, 125, 62, id="hundreds: 1,000 steps"),
        pytest.param(1600, 32, 20, 10, id="some thousand"),
        pytest.param(6400, 64, 10, 5, id="from 6,000 rows on larger batches"),
        pytest.param(60000, 64, 3, 3, id="many: at least 3 epochs"),
    ],
)
def test_defaults_follow_the_size_of_the_data(
    rows: int, batch: int, epochs: int, patience: int
) -> None:
    found = resolve(FineTune(), rows, labelled=True)
    assert (found.batch, found.epochs, found.patience) == (batch, epochs, patience)
    assert (found.learning_rate, found.label_weight, found.max_minutes) == (3e-3, 0.1, 0)


def test_what_is_given_stays_and_resolving_again_changes_nothing() -> None:
    given = FineTune(epochs=7, learning_rate=0.1, batch=3, patience=2, max_minutes=1.5)
    assert resolve(given, 100, labelled=True, learning_rate=1e-4) == given
    once = resolve(FineTune(), 100, labelled=False, learning_rate=1e-4)
    assert (once.learning_rate, once.label_weight) == (1e-4, 0)
    assert resolve(once, 100, labelled=False) == once


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param({"epochs": -1}, "epochs = -1", id="negative epochs"),
        pytest.param({"epochs": 2.5}, "epochs = 2.5", id="half an epoch"),
        pytest.param({"learning_rate": math.nan}, "learning_rate = nan", id="NaN"),
        pytest.param({"max_minutes": math.inf}, "max_minutes = inf", id="infinity"),
        pytest.param({"batch": 41}, "batch of 41", id="a batch above the rows"),
        pytest.param({"patience": True}, "patience = True", id="a truth value"),
        pytest.param({"learning_rate": "fast"}, "learning_rate = fast", id="a word"),
        pytest.param({"temperature": 0}, "temperature = 0", id="no temperature"),
        pytest.param({"clip": 0.5}, "clip = 0.5", id="a limit below the mean"),
        pytest.param({"gradient_bits": 1}, "gradient_bits = 1", id="one bit of gradients"),
        pytest.param({"gradient_bits": 17}, "gradient_bits = 17", id="too many bits"),
        pytest.param({"label_weight": 1.1}, "label_weight = 1.1", id="a share above 1"),
    ],
)
def test_bad_values_are_refused_by_name(options: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        resolve(FineTune(**options), 40, labelled=True)
    assert raised.value.hint


def test_every_option_is_explained() -> None:
    assert all(item.metadata["help"] for item in dataclasses.fields(FineTune))

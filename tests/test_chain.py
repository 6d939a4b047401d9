"""Passes one after the other: each is trained once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from compressing import context, net

from edgekit import _tf
from edgekit.chain import compress, frozen
from edgekit.checkpoints import Checkpoints
from edgekit.errors import UsageError
from edgekit.passes.base import Context
from edgekit.plan import Step
from edgekit.progress import Progress

TUNED = {"epochs": 1, "batch": 8}


def step(name: str, **options: Any) -> Step:
    return Step("compress", name, {**options, "fine_tune": TUNED})


PRUNE, CLUSTER, QAT = step("prune", sparsity=0.5), step("cluster"), step("quantize_aware")


class Told(Progress):
    """Remembers what was said of the passes."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def step(self, what: str) -> None:
        if what.startswith("pass "):
            self.said.append(what)


def listening(seed: int = 0) -> tuple[Context, Told]:
    told = Told()
    return replace(context(net(), seed), progress=told), told


def test_no_pass_returns_no_stage(tmp_path: Path) -> None:
    assert compress([], listening()[0], Checkpoints(tmp_path, "", False)) == ()


def test_a_pass_appended_trains_no_earlier_one_again(tmp_path: Path) -> None:
    """As the ladder does."""
    shared, told = listening()
    kept = Checkpoints(tmp_path, "", False)
    (pruned,) = compress([PRUNE], shared, kept)
    stages = compress([PRUNE, QAT], shared, kept)
    assert told.said == [
        "pass 1 of 1, prune",
        "pass 1 of 2, prune: was finished before",
        "pass 2 of 2, quantize_aware",
    ]
    assert stages[0].candidate is pruned.candidate
    assert [stage.name for stage in stages] == ["prune", "quantize_aware"]
    assert stages[1].candidate.traits == {"sparse", "qat"}
    assert [entry.name for entry in stages[1].candidate.log] == ["prune", "quantize_aware"]


def test_a_later_build_goes_on_where_this_one_stopped(tmp_path: Path) -> None:
    compress([PRUNE], listening()[0], Checkpoints(tmp_path, "", False))
    shared, told = listening()
    resumed = compress([PRUNE, CLUSTER], shared, Checkpoints(tmp_path, "", True))
    assert told.said[0].endswith("was finished before")
    whole = compress([PRUNE, CLUSTER], listening()[0], Checkpoints(tmp_path / "b", "", False))
    assert resumed[-1].candidate.tflite == whole[-1].candidate.tflite
    first, second = (
        json.dumps([entry.to_json() for entry in stages[-1].candidate.log])
        for stages in (resumed, whole)
    )
    assert first == second  # to the order of keys: the manifest is compared byte by byte


def test_what_was_finished_is_kept_when_the_next_pass_fails(tmp_path: Path) -> None:
    wrong = step("cluster", layers=["nothing*"])
    with pytest.raises(UsageError):
        compress([PRUNE, wrong], listening()[0], Checkpoints(tmp_path, "", False))
    assert Checkpoints(tmp_path, "", True).load([PRUNE]) is not None
    assert Checkpoints(tmp_path, "", True).load([PRUNE, wrong]) is None


@pytest.mark.parametrize("kind", ["keras3", "tf_keras"])
def test_frozen_layers_are_named(kind: str) -> None:
    keras = getattr(_tf, kind)()
    inner = keras.Sequential([keras.layers.Dense(3, name="held"), keras.layers.Dense(3)])
    model = keras.Sequential([keras.layers.Input((2,)), inner, keras.layers.Dense(1, name="free")])
    assert frozen(model) == frozen(None) == ()
    inner.layers[0].trainable = False
    (problem,) = frozen(model)
    assert (problem.severity, problem.where) == ("warning", "held")

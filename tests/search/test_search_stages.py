"""What stages know of a trial before it is built, and what rules out a draft."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from compressing import net

from edgekit.graph import count
from edgekit.graph.read import read
from edgekit.model import Model
from edgekit.project import Project, from_mapping
from edgekit.search.evaluate import Evaluate
from edgekit.search.executor import Recipe
from edgekit.search.objective import Limit
from edgekit.search.stages import (
    RuledOut,
    Stages,
    Trial,
    estimate,
    model_of,
    starts_anew,
    stops_early,
)

STUDENT = {"pass": "distill", "student": "zoo:cnn4/channels=4/layers=2"}
GRAPH = read(net())


def project(*compress: dict[str, Any]) -> Project:
    return from_mapping({"compress": list(compress), "model": {"path": "net.tflite"}}, "test")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stages")
    (folder / "net.tflite").write_bytes(net())
    return folder


@pytest.fixture(scope="module")
def model(root: Path) -> Model:
    return model_of(root, project())


def test_what_passes_leave_is_estimated(model: Model) -> None:
    whole = count.macs(GRAPH)
    assert estimate(project({"pass": "remove", "macs": 0.5}), model) == {"macs": whole / 2}
    found = estimate(project({"pass": "quantize_aware"}), model)
    assert found["bytes"] == found["parameters"] == count.parameters(GRAPH)


@pytest.mark.parametrize("name", ["early_exit", "skip"])
def test_work_that_is_learned_is_not_estimated(name: str, model: Model) -> None:
    made = project({"pass": "remove", "macs": 0.5}, {"pass": name})
    assert stops_early(made)
    assert "macs" not in estimate(made, model)
    assert not stops_early(project({"pass": "remove", "macs": 0.5}))


def test_nothing_is_known_of_a_network_in_a_file(model: Model) -> None:
    own = project({"pass": "distill", "student": "own.keras"}, {"pass": "prune"})
    assert starts_anew(own)
    assert estimate(own, model) == {}
    assert not starts_anew(project({"pass": "distill"}))


def test_a_trial_is_rewarded_with_fake_figures(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def learned(_: Stages, trial: Trial) -> None:
        trial.learn(({"accuracy": 90.0, "latency": 40.0}, {"latency": "estimated"}))

    monkeypatch.setattr(Stages, "run", learned)
    limits = (Limit("latency", 80.0, "80ms"),)
    recipe = Recipe(1, project({"pass": "quantize_aware"}).to_json())
    outcome = Evaluate(root, ("reward",), limits)(recipe)
    assert outcome.state == "complete"
    assert outcome.figures["reward"] == pytest.approx(90 * 2**0.07)
    assert outcome.how["reward"] == "estimated"


def test_a_student_is_counted_before_it_is_trained(root: Path) -> None:
    """Of the zoo: its own size counts, not the model's."""
    # of an input of 6 x 6 x 4: 3 x 3 x 4 x 4 x 36 + 3 x 3 x 4 x 4 x 9 + 2 x 2 x 4 x 8
    macs = 144 * 36 + 144 * 9 + 128
    tight = Stages(root, (Limit("macs", macs / 2, "half"),))
    trial = Trial(project(STUDENT))
    with pytest.raises(RuledOut) as ended:
        tight.run(trial)
    assert ended.value.stage == "estimate"
    assert trial.figures["macs"] == macs
    assert trial.how["macs"] == "estimated"

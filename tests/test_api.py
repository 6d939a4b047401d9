"""The library face: what its keyword arguments become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compressing import net

import edgekit
from edgekit.api import _project
from edgekit.errors import BudgetError, UsageError
from edgekit.project import Project, from_toml

BASE = '[model]\npath = "m.keras"\n[build]\ntargets = ["rpi4"]\n'
SAME: dict[str, tuple[dict[str, Any], str]] = {
    "passes in short": (
        {"compress": "prune:0.6:epochs=3,qat"},
        '[[compress]]\npass = "prune"\nsparsity = 0.6\nfine_tune = { epochs = 3 }\n'
        '[[compress]]\npass = "qat"\n',
    ),
    "passes as tables": (
        {"compress": [{"pass": "cluster", "clusters": 8, "per_layer": {"Dense": 32}}]},
        '[[compress]]\npass = "cluster"\nclusters = 8\nper_layer = { Dense = 32 }\n',
    ),
    "fine-tuning": (
        {"fine_tune": {"epochs": 4, "augment": ["flip", "noise=0.1"]}},
        '[fine_tune]\nepochs = 4\naugment = ["flip", "noise=0.1"]\n',
    ),
    "a budget": (
        {
            "max_drop": 0,
            "min_agreement": 98,
            "min_sqnr": 20.0,
            "strict": True,
            "ladder": False,
        },
        "[budget]\naccuracy_drop = 0.0\nagreement = 98.0\nsqnr = 20.0\nstrict = true\n"
        "ladder = false\n",
    ),
    "data": (
        {"calibration": "c.npz", "training": ["t.npz:x,y", "u.npz:x,y"], "samples": 50},
        '[data]\ncalibration = ["c.npz"]\ntraining = ["t.npz:x,y", "u.npz:x,y"]\nsamples = 50\n',
    ),
    "settings": (
        {"set": {"quantize.keep_float": ["dense"], "budget.sqnr": 9.0}},
        '[quantize]\nkeep_float = ["dense"]\n[budget]\nsqnr = 9.0\n',
    ),
}


@pytest.mark.parametrize(("options", "toml"), SAME.values(), ids=SAME.keys())
def test_keywords_are_what_the_file_is(tmp_path: Path, options: dict[str, Any], toml: str) -> None:
    (tmp_path / "edgekit.toml").write_text(BASE + toml)
    assert _project("m.keras", ["rpi4"], options) == from_toml(tmp_path / "edgekit.toml")


def test_nothing_given_is_the_default() -> None:
    found = _project("m.keras", ["rpi4"], dict.fromkeys(edgekit.api.BUDGET))
    assert found == Project().with_table("model", path="m.keras").with_table(
        "build", targets=["rpi4"]
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"compress": [{"pass": "prnue"}]}, "no pass 'prnue'"),
        ({"compress": ["prune"]}, "not a list of tables"),
        ({"compress": 3}, "not a list of tables"),
        ({"fine_tune": {"epoch": 3}}, "epoch"),
        ({"fine_tune": "epochs=3"}, "fine_tune"),
        ({"max_drop": "one"}, "accuracy_drop"),
        ({"min_agreement": 101}, "agreement"),
        ({"colour": "red"}, "colour"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_wrong_keywords_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        _project("m.keras", ["rpi4"], options)
    assert caught.value.hint


def test_a_broken_budget_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.tflite").write_bytes(net())
    np.save("rows.npy", np.random.default_rng(0).normal(size=(60, 6, 6, 4)).astype(np.float32))
    given: dict[str, Any] = {"calibration": "rows.npy", "samples": 30, "min_sqnr": 120.0}
    with pytest.raises(BudgetError, match="at least 120 asked: broken"):
        edgekit.build("net.tflite", "rpi4", **given, ladder=False)
    assert not Path("build/net-rpi4").exists()

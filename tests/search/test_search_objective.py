"""Limits with units, how far they are broken, and where figures are from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgekit.artifact import Build
from edgekit.errors import UsageError
from edgekit.search.objective import (
    Limit,
    limits_of,
    objective,
    of_build,
    reward,
    shown,
    target_of,
)
from edgekit.search.table import SearchTable


def with_limit(key: str, text: str) -> SearchTable:
    values: dict[str, Any] = {key: text}
    return SearchTable(**values)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("max_flash", "64K", 65536),
        ("max_flash", "64 KiB", 65536),
        ("max_ram", "1.5M", 1572864),
        ("max_bytes", "1_000", 1000),
        ("max_latency", "80ms", 80),
        ("max_latency", "0.5 s", 500),
        ("max_latency", "3", 3),
        ("max_energy", "250uJ", 0.25),
        ("max_drop", "1%", 1),
        ("max_drop", "0.5", 0.5),
        ("min_agreement", "98%", 98),
        ("max_macs", "5M", 5e6),
    ],
)
def test_amounts(key: str, text: str, value: float) -> None:
    (limit,) = limits_of(with_limit(key, text))
    assert limit.value == pytest.approx(value)
    assert limit.name == key[4:]


@pytest.mark.parametrize(
    ("key", "text"),
    [("max_flash", "64ms"), ("max_latency", "-1ms"), ("max_drop", "1 point"), ("max_ram", "")],
)
def test_no_amount_is_refused(key: str, text: str) -> None:
    table = with_limit(key, text)
    if not text:
        assert limits_of(table) == ()
        return
    with pytest.raises(UsageError, match=f"{key.replace('_', '-')} '{text}' is no amount"):
        limits_of(table)


def test_violations() -> None:
    most, least = Limit("flash", 1000, "1000"), Limit("agreement", 98, "98%")
    assert most.violation({"flash": 1100}) == pytest.approx(0.1)
    assert most.violation({"flash": 1000}) == 0
    assert most.violation({}) == 0
    assert least.violation({"agreement": 97}) == pytest.approx(1 / 98)
    assert least.violation({"agreement": 99}) < 0
    assert Limit("drop", 0, "0%").violation({"drop": 0.5}) == 0.5
    assert most.broken({"flash": 1100}) == "flash 1,100 B is above 1000"
    assert least.broken({"agreement": 97.0}) == "agreement 97 % is below 98%"
    assert shown("latency", None) == "-"


def test_no_such_objective() -> None:
    with pytest.raises(UsageError, match="no objective 'latancy'") as refused:
        objective("latancy")
    assert refused.value.hint == "did you mean latency?"


def test_figures_of_a_build_prefer_the_model_as_c() -> None:
    memory = {"have": None, "by": "", "state": "estimated"}
    manifest: dict[str, Any] = {
        "ledger": [{}, {"parameters": 10, "macs": 20, "bytes": 300, "gzip": 200}],
        "fit": {
            "flash": {**memory, "need": 70_000},
            "ram": {**memory, "need": 9_000},
            "c_project": {"flash": {**memory, "need": 5_000}, "ram": {**memory, "need": 800}},
        },
        "accuracy": {"drop": 0.5, "built": 90.0, "metric": "top1"},
        "fidelity": {"top1_agreement": 97.0},
        "criteria": {"netscore": {"original": 100.0, "built": 120.0}},
    }
    figures, how = of_build(Build(Path(), manifest))
    assert (figures["flash"], figures["ram"], figures["gzip"]) == (5000, 800, 200)
    assert (figures["drop"], figures["accuracy"], figures["netscore"]) == (0.5, 90, 120)
    assert (how["flash"], how["bytes"]) == ("estimated", "measured")
    assert (figures["macs"], how["macs"]) == (20, "measured")
    del manifest["fit"]["c_project"]
    manifest |= {"accuracy": None, "fidelity": None}
    figures, _ = of_build(Build(Path(), manifest))
    assert figures["flash"] == 70_000
    assert "drop" not in figures


@pytest.mark.parametrize("key", ["exits", "gates"])
def test_of_a_network_that_may_do_less_the_expected_work_counts(key: str) -> None:
    memory = {"need": 1, "state": "estimated"}
    manifest: dict[str, Any] = {
        "ledger": [{"parameters": 10, "macs": 20, "bytes": 300, "gzip": 200}],
        "fit": {"flash": memory, "ram": memory},
        "accuracy": None,
        "fidelity": None,
        "criteria": {},
        "exits": None,
        "gates": None,
        key: {"measured": {"expected_macs": 13}},
    }
    figures, how = of_build(Build(Path(), manifest))
    assert (figures["macs"], how["macs"]) == (13, "estimated")
    del manifest[key]["measured"]  # no rows to judge on
    assert of_build(Build(Path(), manifest))[0]["macs"] == 20


def test_a_reward_weighs_accuracy_against_the_limit_of_latency() -> None:
    limits = (Limit("drop", 1, "1%"), Limit("latency", 80, "80ms"))
    figures = {"accuracy": 90.0, "latency": 80.0}
    assert reward(figures, {"latency": "emulated"}, limits) == (
        {"reward": 90.0},
        {"reward": "emulated"},
    )
    # arXiv:1807.11626, section 3.1: half the latency is worth 5 % of the accuracy
    (twice,) = reward(figures | {"latency": 160.0}, {}, limits)[0].values()
    assert twice == pytest.approx(90 / 1.05, rel=2e-3)
    assert reward({"accuracy": 90.0}, {}, limits) == ({}, {})
    assert shown("reward", 85.731) == "85.73"
    for none in ((), (Limit("latency", 0, "0ms"),), limits[:1]):
        with pytest.raises(UsageError, match="against a limit of latency") as refused:
            target_of(none)
        assert refused.value.hint == "--max-latency 80ms"

"""The replay of real trials: what it looks up, and how it counts."""

from __future__ import annotations

import json
import sys
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))

from search_figures import Replay, figures, made_up, replays  # noqa: E402
from search_made_up import Network  # noqa: E402
from search_table import GRIDS, points  # noqa: E402

from edgekit.search.executor import Recipe  # noqa: E402


def lines() -> list[str]:
    """A grid of made-up trials, as the table has real ones."""
    rows = []
    shares: tuple[Any, ...] = ("off", 0.8, 0.5)
    for macs, zeros, how in product(shares, ("off", 0.5), ("size", "speed")):
        work = 1.0 if macs == "off" else macs
        latency = 100 * work * (0.9 if how == "speed" else 1.0)
        flash = 1000 * work + (200 if how == "speed" else 0) - (100 if zeros != "off" else 0)
        drop = 4 * (1 - work) + (0.5 if zeros != "off" else 0)
        choices = {"remove.macs": macs, "prune.sparsity": zeros, "compile.optimize": how}
        found = {"drop": drop, "flash": flash, "macs": work, "latency": latency}
        rows.append(json.dumps({"model": "net", "choices": choices, "figures": found}))
    return rows


def test_trials_are_looked_up() -> None:
    (replay,) = replays(lines())
    assert replay.space.mildest == dict.fromkeys(("remove.macs", "prune.sparsity"), "off") | {
        "compile.optimize": "size"
    }
    assert [each.ordered for each in replay.space.dimensions] == [True, True, False]
    strong = {"remove.macs": 0.5, "prune.sparsity": 0.5, "compile.optimize": "size"}
    assert replay(Recipe(0, {}, strong)).stage == "fine-tuning"
    assert "latency" not in replay(Recipe(0, {}, strong)).figures
    assert replay(Recipe(0, {}, strong | {"remove.macs": 0.7})).stage == "build"
    inside = [replay(Recipe(0, {}, row["choices"])).state == "complete" for row in replay.rows]
    assert 0 < sum(inside) < len(inside)


@pytest.mark.parametrize("sampler", ["random", "netadapt"])
def test_the_best_is_reached_and_counted(sampler: str) -> None:
    (replay,) = replays(lines())
    lowest = replay.best(sampler, 0, 60)
    assert len(lowest) <= len(replay.rows)
    assert lowest == sorted(lowest, reverse=True)
    inside = [
        row for row in replay.rows if replay(Recipe(0, {}, row["choices"])).state == "complete"
    ]
    assert lowest[-1] == min(row["figures"]["latency"] for row in inside)
    assert replay.best(sampler, 0, 60, lowest[3]) == lowest[: lowest.index(lowest[3]) + 1]
    row = figures(replay, [sampler], 2)
    assert row.startswith(f"| net | 12 | {len(inside)} | drop ")


def test_the_grid_runs_through_its_last_dimension_first() -> None:
    for model, grid in GRIDS.items():
        every, last = list(points(model)), grid["compile.optimize"]
        assert every[0] == {name: values[0] for name, values in grid.items()}
        assert [each["compile.optimize"] for each in every[: len(last)]] == list(last)
        count = prod(len(values) for values in grid.values())
        assert len(every) == len({json.dumps(each) for each in every}) == count


def test_replay_has_no_figures_of_its_own() -> None:
    replay = Replay("net", (), 1.0, 1.0)
    assert replay(Recipe(0, {}, {"remove.macs": 0.5})).state == "pruned"


def test_made_up_networks_are_as_networks_are() -> None:
    for seed in range(2):
        network = Network(seed)
        assert network.rows("net") == Network(seed).rows("net")
        assert network.rows("net") != Network(seed + 9).rows("net")
        mild = {name: values[0] for name, values in network.grid.items()}
        found = [
            network.figures(mild | {"remove.macs": amount})
            for amount in network.grid["remove.macs"]
        ]
        assert found[0]["drop"] == 0
        for name in ("flash", "latency"):
            figure = [each[name] for each in found]
            assert figure == sorted(figure, reverse=True)
        replay = Replay.tight("net", network.rows("net"))
        assert 0 < sum(map(replay.keeps, replay.rows)) < len(replay.rows) / 2
    assert made_up(["random"], 1).startswith("| made up | `random` | ")

"""The simulated schedule of a search, on worlds that are small enough to be checked by hand."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = ROOT / "scripts" / "simulate_search.py"
    spec = importlib.util.spec_from_file_location("simulate_search", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


CALM = {"spread": 0.0, "ruled_out": 0.0, "lives_s": 1e12}


def test_trials_of_one_length_fill_all_processors(script: ModuleType) -> None:
    world = script.World(2, cpus=3, trials=60, median_s=100.0, **CALM)
    played = script.Simulation(world).play()
    assert played.seconds == pytest.approx(1000)
    assert played.worked == pytest.approx(6000)
    assert (played.accounted, played.lost) == (60, 0)


def test_a_device_lets_benches_take_turns(script: ModuleType) -> None:
    world = script.World(10, trials=40, median_s=100.0, devices=1, bench_s=10.0, **CALM)
    assert script.Simulation(world).play().seconds == pytest.approx(100 + 40 * 10)
    two = replace(world, devices=2)
    assert script.Simulation(two).play().seconds == pytest.approx(100 + 20 * 10)


def test_draws_one_after_another_hold_machines_up(script: ModuleType) -> None:
    """Of eight processors the last begins after eight draws; a second round waits for the first."""
    world = script.World(2, trials=16, median_s=10.0, draw_s=(1.0, 0.0), **CALM)
    played = script.Simulation(world).play()
    assert played.seconds == pytest.approx(8 + 10 + 10, abs=2)
    assert played.drawing == pytest.approx(16)


def test_a_batch_waits_for_its_slowest_and_knows_what_was_told(script: ModuleType) -> None:
    calm = {**CALM, "spread": 0.5}
    free = script.World(2, trials=64, **calm)
    batches = replace(free, batch=8, draw_s=(0.0, 1.0))
    slow, fast = script.Simulation(batches).play(), script.Simulation(free).play()
    assert slow.worked == pytest.approx(fast.worked)
    assert slow.seconds > 1.2 * fast.seconds
    assert slow.drawing == sum(8 * known for known in range(0, 64, 8))


def test_lost_machines_lose_no_trial_and_chance_is_seeded(script: ModuleType) -> None:
    world = script.World(5, trials=200, lives_s=1500.0, back_s=60.0)
    played = script.Simulation(world).play()
    assert played.lost > 10
    assert played.accounted == 200
    assert script.Simulation(world).play() == played
    assert script.Simulation(replace(world, seed=1)).play() != played


def test_the_page_has_a_row_for_each_case(script: ModuleType) -> None:
    text = script.PAGE.read_text(encoding="utf-8")
    block = text.partition(script.BEGIN)[2].partition(script.END)[0]
    rows = [line.split(" | ")[:2] for line in block.splitlines()[2:]]
    expected = [[f"| {name}", f"{n:,}"] for name in script.CASES for n in script.MACHINES]
    assert rows == expected

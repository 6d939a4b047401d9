"""Random networks of many operations: what shares memory must not disturb what is still read."""

from __future__ import annotations

from pathlib import Path

import pytest
from c_project import CORES, check, compiled
from made_tflite import options
from networks import Net, network


@pytest.mark.parametrize("core", CORES)
def test_random_networks_are_tflite_micros(core: str, tmp_path: Path) -> None:
    check([network(seed) for seed in range(10)], core, tmp_path, 2)


def test_an_operand_may_be_a_view_of_another_shape(tmp_path: Path) -> None:
    net = Net(1)
    net.images.clear()
    net.tensors.clear()
    net.inputs = net.image((4, 6, 4)), net.image((6, 4, 4))
    shape, made = net.integers([1, 6, 4, 4]), options("Reshape", newShape=[1, 6, 4, 4])
    net.step("RESHAPE", (0, shape), (6, 4, 4), made=made)
    net.step("ADD", (3, 1), (6, 4, 4), made=options("Add"))
    check([net.model()], "portable", tmp_path, 2)


def test_the_plan_shares_memory() -> None:
    made = compiled(network(0))
    assert made.plan.arena < sum(value.nbytes for value in made.program.values)

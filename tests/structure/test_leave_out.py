"""Constant and unused channels leave an int8 flatbuffer, and no output bit changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from chains import RELU, Chain, random_chain
from random_graphs import random_graph

from edgekit.graph import count
from edgekit.graph.read import read
from edgekit.importers.prove import seeded_rows
from edgekit.runtimes.base import open_runtime
from edgekit.structure.leave_out import leave_out

RUNTIMES = ("litert-reference", "tflite-micro")


def widths(tflite: bytes) -> list[int]:
    """Channels of each operator's output."""
    graph = read(tflite)
    return [graph.tensors[op.outputs[0]].shape[-1] for op in graph.ops]


def same(whole: bytes, small: bytes) -> None:
    random = np.random.default_rng(1)
    for runtime in RUNTIMES:
        with open_runtime(runtime, whole) as left, open_runtime(runtime, small) as right:
            rows = seeded_rows(left.inputs, 3, 4)
            rows += [tuple((-x - 1 + random.integers(0, 2)).astype(x.dtype) for x in rows[1])]
            for row in rows:
                for wanted, found in zip(left.run(row), right.run(row), strict=True):
                    np.testing.assert_array_equal(found, wanted)


CASES: dict[str, tuple[Chain, list[int]]] = {
    "no weights, in producer and reader": (
        Chain((1, 4, 4, 3)).conv(5, dead=[1, 4]).conv(2),
        [3, 2],
    ),
    "unread, through a depthwise layer": (
        Chain((1, 4, 4, 3)).conv(5).depthwise().conv(2, unread=[0, 2]),
        [3, 3, 2],
    ),
    "what depends on constants alone": (
        Chain((1, 5, 5, 2)).conv(60, dead=list(range(56))).conv(3).conv(2),
        [4, 3, 2],
    ),
    "at every place of a flattened picture": (
        Chain((1, 3, 3, 2)).conv(4, (3, 3), dead=[2]).dense(5),
        [27, 5],
    ),
    "all dead: one stays": (Chain((1, 3, 3, 2)).conv(4, dead=[0, 1, 2, 3]).conv(3).conv(2), []),
    "sums differ at the border: it stays": (
        Chain((1, 9, 9, 4)).conv(8, (3, 3), dead=[4, 5]).conv(3, (3, 3)),
        [8, 3],
    ),
    "the last layer's stay": (Chain((1, 4, 4, 3)).conv(4).conv(3, dead=[1]), [4, 3]),
}


@pytest.mark.parametrize("case", CASES)
def test_channels_leave(case: str) -> None:
    net, wanted = CASES[case]
    whole = net.model()
    small = leave_out(whole)
    same(whole, small)
    if wanted:
        assert widths(small)[-len(wanted) :] == wanted
    assert (small == whole) == (widths(small) == widths(whole))


def test_an_activation_that_cuts_off_all_sums_makes_a_channel_constant() -> None:
    net = Chain((1, 3, 3, 2)).conv(4, activation=RELU)
    net.tensors[2].data[2] = -(2**24)  # the bias
    whole = net.conv(2).model()
    small = leave_out(whole)
    assert widths(small) == [3, 2]
    same(whole, small)


@pytest.mark.parametrize("seed", range(40))
def test_random_chains_compute_the_same(seed: int) -> None:
    whole = random_chain(seed)
    same(whole, leave_out(whole))


def test_random_chains_have_something_to_leave_out() -> None:
    nets = [random_chain(seed) for seed in range(40)]
    sizes = [count.parameters(read(net)) - count.parameters(read(leave_out(net))) for net in nets]
    assert sum(size > 0 for size in sizes) > 5
    assert min(sizes) == 0


@pytest.mark.parametrize("seed", range(8))
def test_random_graphs_compute_the_same(seed: int) -> None:
    whole = random_graph(seed)
    same(whole, leave_out(whole))


def test_a_float_file_stays_as_it_is(real_models: Path) -> None:
    whole = (real_models / "ic_resnet8/pretrainedResnet_float.tflite").read_bytes()
    assert leave_out(whole) is whole


def test_person_detection_keeps_a_seventh_of_its_weights(real_models: Path) -> None:
    whole = (real_models / "vww_mobilenetv1/vww_96_int8.tflite").read_bytes()
    small = leave_out(whole)
    assert count.parameters(read(whole)) == 210_850
    assert count.parameters(read(small)) == 30_080
    assert len(small) < len(whole) / 3
    same(whole, small)

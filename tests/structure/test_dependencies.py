"""Which channels belong together: nets small enough to say it by head."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hand_made import O, T
from small_nets import NONE, Net

from edgekit.graph.read import read
from edgekit.structure.dependencies import Dependencies, dependencies
from edgekit.structure.groups import groups

RANDOM = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape)


def known(net: Net) -> Dependencies:
    return dependencies(read(net.tflite()))


def free(net: Net) -> dict[tuple[str, ...], int]:
    """Layers -> units that may leave all of them together."""
    return {group.layers: len(group.units) for group in groups(known(net)) if not group.why}


def whys(net: Net) -> dict[str, str]:
    return {group.layers[0]: group.why for group in groups(known(net)) if group.why}


def join(net: Net, name: str, others: tuple[int, ...], shape: tuple[int, ...], kind: Any) -> Net:
    """An operator on the last tensor and others."""
    net.tensors.append(T(f"y{len(net.ops)}", shape))
    inputs, net.last = (net.last, *others), len(net.tensors) - 1
    net.ops.append(O(name, inputs, (net.last,), kind))
    return net


def two_branches() -> tuple[Net, int]:
    """Two convolutions of four channels on the same input; the second is last."""
    net = Net(4, 4, 2).conv(normal(4, 3, 3, 2))
    first, net.last = net.last, 0
    return net.conv(normal(4, 3, 3, 2)), first


def test_rows_of_one_layer_are_columns_of_the_next() -> None:
    net = Net(4, 4, 2).conv(normal(4, 3, 3, 2)).conv(normal(3, 1, 1, 4)).mean().dense(normal(2, 3))
    assert free(net) == {("y0",): 4, ("y1",): 3}
    found = known(net)
    rows = {site.op: site.units for site in found.made("rows")}
    columns = {site.op: site.units for site in found.made("columns")}
    np.testing.assert_array_equal(rows[0], columns[1])
    np.testing.assert_array_equal(rows[1], columns[3])
    assert 0 not in columns  # the model's input stays


def test_an_addition_makes_channels_one() -> None:
    net, first = two_branches()
    join(net, "ADD", (first,), net.shape, ("AddOptions", {})).mean().dense(normal(2, 4))
    assert free(net) == {("y0", "y1"): 4}


def test_a_concatenation_keeps_them_apart() -> None:
    net, first = two_branches()
    join(net, "CONCATENATION", (first,), (1, 4, 4, 8), ("ConcatenationOptions", {"axis": 3}))
    net.mean().dense(normal(2, 8))
    assert free(net) == {("y0",): 4, ("y1",): 4}


def test_a_depthwise_layer_with_a_multiplier_makes_several_of_each_channel() -> None:
    net = Net(4, 4, 2).conv(normal(4, 3, 3, 2)).depthwise(normal(1, 3, 3, 8))
    net.mean().dense(normal(2, 8))
    assert free(net) == {("y0",): 4}
    found = known(net)
    columns = next(site.units for site in found.made("columns") if site.op == 3)
    rows = next(site.units for site in found.made("rows") if site.op == 0)
    np.testing.assert_array_equal(columns, np.repeat(rows, 2))


def test_filters_of_a_single_channel_leave_one_by_one() -> None:
    net = Net(4, 4, 1).depthwise(normal(1, 3, 3, 8)).mean().dense(normal(2, 8))
    assert free(net) == {("y0",): 8}


def test_a_grouped_convolution_loses_whole_groups() -> None:
    net = Net(4, 4, 2).conv(normal(6, 3, 3, 2)).conv(normal(9, 3, 3, 2)).mean().dense(normal(2, 9))
    assert free(net) == {("y0", "y1"): 3}


def test_a_channel_is_a_stride_of_rows_behind_a_flatten() -> None:
    net = Net(2, 3, 2).conv(normal(4, 1, 1, 2))
    net.op("RESHAPE", (1, 24), ("ReshapeOptions", {"newShape": [1, 24]})).dense(normal(2, 24))
    found = known(net)
    columns = next(site.units for site in found.made("columns") if site.op == 2)
    rows = next(site.units for site in found.made("rows") if site.op == 0)
    np.testing.assert_array_equal(columns, np.tile(rows, 6))


def test_an_axis_that_is_parted_into_heads_loses_heads() -> None:
    net = Net(4).dense(normal(6, 4))
    net.op("RESHAPE", (1, 3, 2), ("ReshapeOptions", {"newShape": [1, 3, 2]}))
    net.op("RESHAPE", (1, 6), ("ReshapeOptions", {"newShape": [1, 6]})).dense(normal(2, 6))
    assert free(net) == {("y0",): 3}


def test_outputs_and_what_is_added_to_the_input_stay() -> None:
    net = Net(4, 4, 2).conv(normal(2, 3, 3, 2), activation=NONE)
    join(net, "ADD", (0,), net.shape, ("AddOptions", {})).mean().dense(normal(3, 2))
    assert whys(net) == {
        "y0": "y1 (ADD) meets 'input', which cannot shrink",
        "y3": "'y3' is an output of the model",
    }


@pytest.mark.parametrize("axis", [1, 3])
def test_a_sum_over_channels_holds_them_and_one_over_places_does_not(axis: int) -> None:
    net = Net(4, 4, 2).conv(normal(3, 3, 3, 2))
    net.tensors.append(T("axes", (1,), "INT32", np.array([axis], np.int32)))
    shape = tuple(size for place, size in enumerate(net.shape) if place != axis)
    net.op("SUM", shape, ("ReducerOptions", {}))
    net.ops[-1] = O("SUM", (net.ops[-1].inputs[0], len(net.tensors) - 2), (net.last,))
    assert (("y0" in str(whys(net))) and "adds them up" in whys(net)["y0"]) == (axis == 3)


def test_an_operator_that_nobody_knows_holds_what_it_reads() -> None:
    net = Net(4, 4, 2).conv(normal(3, 3, 3, 2)).op("CUMSUM", (1, 4, 4, 3))
    assert "CUMSUM) keeps no channels apart" in whys(net)["y0"]


def test_two_outputs_hold_what_they_show() -> None:
    net = Net(4).dense(normal(5, 4))
    shown = net.last
    net.dense(normal(6, 5)).dense(normal(2, 6))
    found = dependencies(read(net.tflite(shown)))
    able = [group.layers for group in groups(found) if not group.why]
    assert able == [("y1",)]

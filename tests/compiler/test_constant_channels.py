"""Channels that are constant or unused vanish, and no output bit changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from c_project import CORES, check, interpret, random_rows, reference, same
from chains import RELU, Chain, random_chain

from edgekit.compiler import constant_channels
from edgekit.compiler.absorb import absorb
from edgekit.compiler.constant_channels import ChannelSaving, drop_channels
from edgekit.compiler.kernels.conv_2d.conv_2d import Conv2D
from edgekit.compiler.lower import lower
from edgekit.compiler.program import Program
from edgekit.graph.read import read


def dropped(model: bytes) -> tuple[Program, ChannelSaving]:
    return drop_channels(absorb(lower(read(model, "made.tflite"))))


def shapes(program: Program) -> list[tuple[int, ...]]:
    return [program.values[layer.output].shape for layer in program.layers]


def same_as_reference(model: bytes) -> ChannelSaving:
    program, saving = dropped(model)
    rows = random_rows(model)
    for row, wanted in zip(rows, reference(model, rows), strict=True):
        for got, want in zip(interpret(program, row), wanted, strict=True):
            same(got, want, "host twins")
    return saving


def test_a_channel_without_weights_goes_from_producer_and_reader() -> None:
    model = Chain((1, 4, 4, 3)).conv(5, dead=[1, 4]).conv(2).model()
    program, saving = dropped(model)
    assert shapes(program) == [(1, 4, 4, 3), (1, 4, 4, 2)]
    assert (saving.channels, saving.removed) == (7, 2)
    assert (saving.weights, saving.weights_left) == (15 + 10, 9 + 6)
    assert (saving.macs, saving.macs_left) == (16 * 25, 16 * 15)
    same_as_reference(model)


def test_a_channel_that_nothing_reads_goes() -> None:
    model = Chain((1, 4, 4, 3)).conv(5).depthwise().conv(2, unread=[0, 2]).model()
    assert shapes(dropped(model)[0]) == [(1, 4, 4, 3), (1, 4, 4, 3), (1, 4, 4, 2)]
    same_as_reference(model)


def test_what_depends_on_constant_channels_alone_goes_too() -> None:
    net = Chain((1, 5, 5, 2)).conv(60, dead=list(range(56))).depthwise().conv(3)
    program, _ = dropped(net.model())
    assert shapes(program) == [(1, 5, 5, 4), (1, 5, 5, 4), (1, 5, 5, 3)]
    same_as_reference(net.model())


def test_an_activation_that_cuts_off_all_sums_makes_a_channel_constant() -> None:
    net = Chain((1, 3, 3, 2)).conv(4, activation=RELU)
    net.tensors[2].data[2] = -(2**24)  # the bias
    net.conv(2)
    assert shapes(dropped(net.model())[0])[0] == (1, 3, 3, 3)
    same_as_reference(net.model())


def test_all_inputs_and_outputs_of_the_model_stay() -> None:
    net = Chain((1, 4, 4, 3)).conv(5, dead=[1, 4])
    inner = net.last
    assert shapes(dropped(net.conv(2, dead=[0]).model(inner))[0]) == [(1, 4, 4, 5), (1, 4, 4, 2)]
    same_as_reference(net.model(inner))


def test_sums_at_a_border_get_biases_of_their_own() -> None:
    net = Chain((1, 9, 9, 4)).conv(40, (3, 3), dead=list(range(4, 40))).conv(8, (3, 3))
    program, saving = dropped(net.model())
    border = program.layers[1].operation
    assert isinstance(border, Conv2D)
    assert border.border is not None
    assert border.border.rows.tolist() == [0, 1, 1, 1, 1, 1, 1, 1, 2]
    assert border.matrix.bias.shape == (9, 8)
    assert saving.border_bytes
    same_as_reference(net.model())


def test_no_border_is_made_where_it_costs_more_than_the_channel() -> None:
    net = Chain((1, 5, 5, 2)).conv(3, dead=[1]).depthwise((5, 5)).conv(60)
    program, saving = dropped(net.model())
    assert saving.border_bytes == 0
    assert all(
        layer.operation.border is None for layer in program.layers if layer.kind == "CONV_2D"
    )
    same_as_reference(net.model())


def test_an_addition_keeps_what_varies_on_one_side() -> None:
    net = Chain((1, 4, 4, 2)).conv(4, dead=[0, 1])
    before = net.last
    net.conv(4, dead=[1, 2]).add(before).conv(3)
    assert shapes(dropped(net.model())[0])[:3] == [(1, 4, 4, 3)] * 3
    same_as_reference(net.model())


def test_a_flattened_picture_loses_the_channel_at_every_place() -> None:
    net = Chain((1, 3, 3, 2)).conv(4, (3, 3), dead=[2]).depthwise().dense(5)
    program, _ = dropped(net.model())
    assert program.layers[-1].operation.matrix.weights.shape == (5, 27)
    same_as_reference(net.model())


def test_means_products_and_resized_pictures_lose_channels() -> None:
    net = Chain((1, 4, 4, 2)).conv(6, dead=[1, 4]).resize().resize("BILINEAR").scale()
    picture = net.last
    net.pool(size=16, stride=16)
    factors = net.last
    net.last = picture
    net.scale(factors).mean().dense(3)
    assert [shape[-1] for shape in shapes(dropped(net.model())[0])] == [4] * 7 + [3]
    same_as_reference(net.model())


def test_a_network_that_is_constant_keeps_one_channel() -> None:
    same_as_reference(Chain((1, 3, 3, 2)).conv(4, dead=[0, 1, 2, 3]).depthwise().conv(3).model())


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Borders even where they hardly pay."""
    monkeypatch.setattr(constant_channels, "_MACS_A_BYTE", 0.01)
    monkeypatch.setattr(constant_channels, "_BORDER_CODE", 0)


@pytest.mark.usefixtures("eager")
def test_random_chains_compute_the_same() -> None:
    savings = [same_as_reference(random_chain(seed)) for seed in range(30)]
    assert sum(saving.removed for saving in savings) > 40
    assert sum(saving.border_bytes > 0 for saving in savings) > 0


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("core", CORES)
def test_random_chains_in_c(core: str, tmp_path: Path) -> None:
    check([random_chain(seed) for seed in range(5)], core, tmp_path)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("core", CORES)
def test_borders_in_c(core: str, tmp_path: Path) -> None:
    nets = [
        Chain((1, 9, 8, 4), seed).conv(40, (3, 3), dead=list(range(4, 40))).conv(7, side, **how)
        for seed, (side, how) in enumerate(
            [((3, 3), {}), ((1, 1), {}), ((2, 3), {"stride": 2}), ((5, 5), {})]
        )
    ]
    nets[1].depthwise().conv(30, dead=list(range(25))).depthwise().conv(6)
    before = nets[3].last
    nets[3].conv(7).add(before)
    models = [net.model() for net in nets]
    assert any(dropped(model)[1].border_bytes for model in models)
    check(models, core, tmp_path)

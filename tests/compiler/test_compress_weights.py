"""Weights with few values in 4 bits: the same outputs, fewer bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_project import CORES, check, compiled
from chains import RELU6, Chain

from edgekit.compiler import compress_weights
from edgekit.compiler.cores import Isa
from edgekit.compiler.kernels.gemm import layout
from edgekit.compiler.kernels.gemm.coding import Form, code
from edgekit.compiler.kernels.gemm.shared_values import high_product, shared_values

rng = np.random.default_rng(0)
TENSOR = rng.choice(np.arange(-120, 121), 16, replace=False).astype(np.int8)


def few(shape: tuple[int, ...], each: bool, seed: int = 0) -> np.ndarray:
    """Weights of 16 values in the whole tensor, or in each channel."""
    some = np.random.default_rng(seed)
    if not each:
        return some.choice(TENSOR, shape)
    rows = [some.choice(some.integers(-127, 128, 16), shape[1:]) for _ in range(shape[0])]
    return np.array(rows, np.int8)


def sparse(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Weights of many values, one in eight of them not zero."""
    some = np.random.default_rng(seed)
    return (some.integers(1, 128, shape) * (some.random(shape) < 0.125)).astype(np.int8)


def scaled(shape: tuple[int, ...], scales: np.ndarray, seed: int = 0) -> np.ndarray:
    """Integers of 16 reals that all channels share, on the channels' own scales."""
    some = np.random.default_rng(seed)
    reals = some.choice(np.append(some.uniform(-1, 1, 15), 1.0), shape)
    steps = scales / scales.max() / 127 * 1.2
    steps = np.maximum(steps, np.abs(reals).reshape(len(reals), -1).max(axis=1) / 127)
    scales[:] = steps
    return np.rint(reals / steps.reshape(-1, *[1] * (len(shape) - 1))).astype(np.int8)


def decoded(weights: np.ndarray, isa: str) -> np.ndarray:
    """What the device makes of a code, in the order of the kernel."""
    coding = code(weights, isa)
    assert coding is not None
    bytes_ = coding.indices.ravel()
    places = np.stack([bytes_ & 15, bytes_ >> 4], axis=-1)
    if isa == "portable":
        places = places.reshape(len(weights), -1)[:, : weights.shape[1]]
        return np.take_along_axis(coding.tables, places, axis=1) if coding.form == Form.EACH else (
            coding.tables[0][places]
        )  # fmt: skip
    assert coding.form == Form.ONE
    values = coding.tables[0][places].astype(np.int64)
    return (values[:, 1] * 256 + values[:, 0]).astype(np.int16)


@pytest.mark.parametrize("each", [False, True])
def test_rows_come_back(each: bool) -> None:
    weights = few((5, 47), each)
    assert np.array_equal(decoded(weights, "portable"), weights)


@pytest.mark.parametrize("channels", [2, 4, 6, 8])
def test_words_come_back_in_the_order_of_the_kernel(channels: int) -> None:
    weights = few((channels, 12), each=False)
    packed = layout.pack(weights, "dsp")
    assert np.array_equal(decoded(weights, "dsp")[: len(packed)], packed)


def test_the_shorter_form_is_taken() -> None:
    one, each = code(few((8, 40), False), "portable"), code(few((8, 40), True), "portable")
    assert one is not None
    assert each is not None
    assert (one.form, each.form) == (Form.ONE, Form.EACH)
    assert one.nbytes == 16 + 160 + 16
    assert each.nbytes == 8 * 16 + 160 + 16


@pytest.mark.parametrize("isa", ["portable", "dsp"])
def test_zeros_are_a_bit_each(isa: str) -> None:
    weights = sparse((6, 40))
    coding = code(weights, isa)
    assert coding is not None
    assert coding.form == Form.SPARSE
    kept = np.count_nonzero(weights)
    assert coding.nbytes == 6 * 5 + kept + 1 + 4 * 2 + 16
    assert coding.words.tolist() == [0, np.count_nonzero(weights[:4])]


def of(values: tuple[int, ...], shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Weights of these values alone."""
    return np.random.default_rng(seed).choice(np.array(values, np.int8), shape)


@pytest.mark.parametrize("isa", ["portable", "thumb2", "dsp"])
@pytest.mark.parametrize(
    ("values", "form", "bits"), [((-1, 1), Form.TWO, 1), ((-7, 0, 9), Form.FOUR, 2)]
)
def test_two_values_take_a_bit_each_and_four_two(
    values: tuple[int, ...], form: Form, bits: int, isa: Isa
) -> None:
    coding = code(of(values, (8, 40)), isa)
    assert coding is not None
    assert coding.form == form
    assert coding.nbytes == 8 * 40 * bits // 8 + (1 << bits) + 16


def test_single_bits_come_back() -> None:
    weights = of((-3, 5), (5, 43))
    coding = code(weights, "portable")
    assert coding is not None
    places = np.unpackbits(coding.indices, axis=1, bitorder="little")[:, :43]
    assert np.array_equal(coding.tables[places], weights)


@pytest.mark.parametrize("isa", ["portable", "dsp"])
def test_values_that_channels_share_are_found_behind_their_scales(isa: str) -> None:
    scales = np.random.default_rng(1).uniform(0.3, 1, 24)
    weights = scaled((24, 40), scales)
    assert len(np.unique(weights)) > 40
    coding = code(weights, isa, scales * 7)
    assert coding is not None
    assert coding.form == Form.SCALED
    assert coding.nbytes == 12 * 40 + 4 * (16 + 24) + 16
    shared = shared_values(weights, scales, 16)
    assert shared is not None
    tables = high_product(shared.bases, shared.factors)
    assert np.array_equal(np.take_along_axis(tables, shared.indices, axis=1), weights)


def test_values_that_channels_do_not_share_are_not_found() -> None:
    assert shared_values(few((8, 64), each=True), np.ones(8), 16) is None


def clustered(kernel: tuple[int, int], channels: int, each: bool = False, **how: int) -> Chain:
    """A network of one convolution with few weights, big enough to pay."""
    net = Chain((1, 7, 6, 8), channels).conv(channels, kernel, **how)
    weights = net.tensors[1]
    weights.data = few(tuple(weights.shape), each, channels)
    return net


def pruned(kernel: tuple[int, int], channels: int, **how: int) -> Chain:
    """The same with a convolution of many zeros."""
    net = clustered(kernel, channels, **how)
    net.tensors[1].data = sparse(tuple(net.tensors[1].shape), channels)
    return net


def signed(kernel: tuple[int, int], channels: int, *values: int, **how: int) -> Chain:
    """The same with a convolution of two values, or three."""
    net = clustered(kernel, channels, **how)
    net.tensors[1].data = of(values, tuple(net.tensors[1].shape), channels)
    return net


def rescaled(kernel: tuple[int, int], channels: int) -> Chain:
    """The same with values that channels share, but for their scales."""
    net = clustered(kernel, channels)
    scales = np.array(net.tensors[1].scale)
    net.tensors[1].data = scaled(tuple(net.tensors[1].shape), scales, channels)
    net.tensors[1].scale = tuple(scales / 50)
    return net


def test_records_tell_bytes_and_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compress_weights, "_SLOWER", 1.5)
    net = clustered((3, 3), 64)
    (found,) = compiled(net.model(), "cortex-m4").weights
    assert found.form == "16 values a tensor"
    assert (found.bytes_plain, found.bytes_stored) == (64 * 72, 32 * 72 + 16 + 16)
    assert found.instructions_plain < found.instructions_stored < 2 * found.instructions_plain


def test_what_does_not_save_stays_plain() -> None:
    (found,) = compiled(clustered((1, 1), 8).model(), "cortex-m4").weights
    assert found.form == "plain"
    assert found.bytes_plain == found.bytes_stored
    (found,) = compiled(Chain((1, 7, 6, 8)).conv(64, (3, 3)).model(), "cortex-m4").weights
    assert found.form == "plain"


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Codes wherever they can be."""
    monkeypatch.setattr(compress_weights, "_CODE_BYTES", 0)
    monkeypatch.setattr(compress_weights, "_LOOP_BYTES", 0)
    monkeypatch.setattr(compress_weights, "_SLOWER", 1e9)
    monkeypatch.setattr(compress_weights, "_saved", lambda layer, code, core: 9999 - code.nbytes)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("core", CORES)
def test_coded_layers_in_c(core: str, tmp_path: Path) -> None:
    nets = [
        clustered((1, 1), 4),
        clustered((1, 1), 7, each=True),
        clustered((3, 3), 10, stride=2),
        clustered((3, 2), 9, each=True, same=False),
        clustered((2, 2), 13, activation=RELU6),
        clustered((1, 1), 6),
        clustered((3, 3), 5, each=True).dense(3),
        pruned((3, 3), 8).conv(7),
        pruned((2, 2), 11, stride=2),
        pruned((1, 1), 18),
        rescaled((2, 3), 22),
        rescaled((3, 3), 13),
        signed((3, 3), 8, -1, 1),
        signed((3, 2), 11, -64, 63, stride=2),
        signed((3, 3), 12, -1, 0, 1).conv(6),
        signed((1, 1), 7, -127, 0, 127),
    ]
    before = nets[0].last
    nets[0].conv(4, (3, 3)).add(before)
    nets[0].tensors[4].data = few((4, 3, 3, 4), each=False)
    models = [net.model() for net in nets]
    found = [each.form for model in models for each in compiled(model, core).weights]
    decoded = {"cortex-m55": 0, "cortex-m3": 4}.get(core, 6)
    assert found.count("16 values a tensor") >= (4 if decoded else 0)
    assert found.count("16 values a channel") >= (2 if decoded else 0)
    assert found.count("sparse") >= (3 if decoded == 6 else 0)
    assert found.count("16 values, scaled by channel") >= (2 if decoded == 6 else 0)
    assert found.count("2 values a tensor") == (2 if decoded else 0)
    assert found.count("4 values a tensor") == (2 if decoded else 0)
    assert len(set(found) - {"plain"}) == decoded
    check(models, core, tmp_path)

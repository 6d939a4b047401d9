"""What coded weights cost in time, as estimated and on an emulated core."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from c_project import compiled
from chains import RELU, Chain
from emulated import check_emulated

from edgekit.compiler import compress_weights
from edgekit.devices._cortex_m.measured import Measured
from edgekit.devices.qemu import Driver

pytestmark = pytest.mark.skipif(bool(Driver.needs.lacking()), reason="no emulator")
LAYERS = 4


def separable(count: int) -> bytes:
    """Depthwise and pointwise convolutions of few values in turn, as those that find keywords."""
    net = Chain((1, 25, 5, 64))
    values = np.random.default_rng(1).choice(np.arange(-60, 61), count, replace=False)
    for seed in range(LAYERS):
        net.depthwise().conv(64, activation=RELU)
        kernel = net.tensors[net.steps[-1].inputs[1]]
        kernel.data = np.random.default_rng(seed).choice(values, kernel.shape).astype(np.int8)
        net.tensors[net.last].zero = (-128,)
    return net.model()


@pytest.mark.parametrize(
    ("count", "form"),
    [
        (16, "16 values a tensor"),
        pytest.param(2, "2 values a tensor", marks=pytest.mark.slow),
        pytest.param(3, "4 values a tensor", marks=pytest.mark.slow),
    ],
)
def test_estimates_are_near_and_their_promise_is_kept(
    count: int, form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = tmp_path / "coded", tmp_path / "plain"
    for folder in folders:
        folder.mkdir()
    records = compiled(separable(count), "cortex-m4").weights
    coded = check_emulated(separable(count), "cortex-m4", folders[0])
    monkeypatch.setattr(compress_weights, "_SLOWER", 1.0)
    assert all(each.form == "plain" for each in compiled(separable(count), "cortex-m4").weights)
    plain = check_emulated(separable(count), "cortex-m4", folders[1])
    assert [each.form for each in records] == [form] * LAYERS
    assert coded.instructions <= 1.2 * plain.instructions
    pairs = zip(_pointwise(coded), _pointwise(plain), records, strict=True)
    for with_codes, without, record in pairs:
        estimated = record.instructions_stored - record.instructions_plain
        assert estimated == pytest.approx(with_codes - without, rel=0.15)
        assert record.instructions_plain == pytest.approx(without, rel=0.15)


def _pointwise(found: Measured) -> list[int]:
    return [layer.instructions for layer in found.layers if layer.op == "CONV_2D"]

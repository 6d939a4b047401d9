"""How many instructions a layer takes with its weights as they are stored, estimated.

The figures of `dsp` were fitted to exact counts of a keyword-spotting model on an emulated
Cortex-M4; the others follow from the loops in C.
"""

from __future__ import annotations

from edgekit.compiler.cores import Core, Isa
from edgekit.compiler.kernels.conv_2d.conv_2d import Conv2D
from edgekit.compiler.kernels.gemm import gemm
from edgekit.compiler.kernels.gemm.coding import Form
from edgekit.compiler.program import Layer

_MAC: dict[Isa, float] = {"portable": 5.5, "dsp": 1.1, "mve": 0.25}
"""Instructions of a multiply-accumulate of the matrix kernels, all told."""
_DECODE: dict[Isa, tuple[float, float, float, float]] = {
    "portable": (8, 8, 9, 8),
    "dsp": (2.1, 3.3, 4.4, 3.3),
    "mve": (8, 8, 9, 8),
}
"""Instructions that decode a weight, for each form."""
_TABLE: dict[Isa, float] = {"portable": 160, "dsp": 66, "mve": 160}
"""Instructions that make the table of a channel, of `SCALED`."""
_NOT_ZERO = 6.6
"""Instructions that `sparse` takes besides for a weight that is not zero."""
_CALL = 12
"""Instructions that work on four channels of two pixels takes more than in a row of channels."""


def instructions(layer: Layer, core: Core) -> float:
    """Of a run of the layer, estimated; depthwise taps take about four times as many."""
    operation = layer.operation
    if not isinstance(operation, Conv2D):
        return operation.macs() * max(_MAC[core.isa], 3.5)
    work = operation.macs() * _MAC[core.isa]
    if operation.coding is None:
        return work
    window, matrix = operation.window, operation.matrix
    tiles = -(-window.pixels // operation.tile(core))
    calls = -(-window.pixels // gemm.COLUMNS) * -(-matrix.channels // 4)
    decode = matrix.weights.size * _DECODE[core.isa][operation.coding.form]
    if operation.coding.form == Form.SPARSE:
        decode += operation.coding.tables.size * _NOT_ZERO
    if operation.coding.form == Form.SCALED:
        decode += matrix.channels * _TABLE[core.isa]
    return work + tiles * decode + calls * _CALL

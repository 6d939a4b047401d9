"""How many instructions a layer takes with its weights as they are stored, estimated.

The figures of `dsp` were fitted to exact counts of a keyword-spotting model on an emulated
Cortex-M4; the others follow from the loops in C.
"""

from __future__ import annotations

from edgekit.compiler.cores import Core, Isa
from edgekit.compiler.kernels.conv_2d.conv_2d import Conv2D
from edgekit.compiler.kernels.gemm import gemm
from edgekit.compiler.kernels.gemm.coding import Coding, Form
from edgekit.compiler.kernels.gemm.matrix import Matrix
from edgekit.compiler.program import Layer

_MAC: dict[Isa, float] = {"portable": 5.5, "thumb2": 1.4, "dsp": 1.05, "mve": 0.25}
"""Instructions of a multiply-accumulate of the matrix kernels, all told."""
_TAP: dict[Isa, float] = {"portable": 5.5, "thumb2": 3.5, "dsp": 2.55, "mve": 3.5}
"""The same of others, depthwise ones mostly."""
_DECODE: dict[Isa, tuple[float, ...]] = {
    "portable": (8, 8, 9, 8, 8, 8),
    "thumb2": (8, 8, 9, 8, 8, 8),
    "dsp": (1.65, 3.3, 4.4, 3.3, 1.32, 2.42),
    "mve": (8, 8, 9, 8, 8, 8),
}
"""Instructions that decode a weight, by `Form`."""
_TABLE: dict[Isa, float] = {"portable": 160, "thumb2": 160, "dsp": 66, "mve": 160}
"""Instructions that make the table of a channel, of `SCALED`."""
_NOT_ZERO = 6.6
"""Instructions that `sparse` takes besides for a weight that is not zero."""
_PAIRS = 2320
"""Instructions that make the table of `ONE`, on `dsp`."""
_CALL: dict[Isa, float] = {"portable": 12, "thumb2": 12, "dsp": 15, "mve": 12}
"""Instructions that work on four channels of two pixels takes more than in a row of channels."""
_ALONE = 65
"""How many more where `dsp` has no loop over pixels for them."""
_BLOCK = 90
"""Instructions that call decoder and kernel for four channels of a tile."""


def instructions(layer: Layer, core: Core) -> float:
    """Of a run of the layer, estimated."""
    operation = layer.operation
    if not isinstance(operation, Conv2D):
        return operation.macs() * _TAP[core.isa]
    work = operation.macs() * _MAC[core.isa]
    if operation.coding is None:
        return work
    window, matrix = operation.window, operation.matrix
    tiles, fours = -(-window.pixels // operation.tile(core)), -(-matrix.channels // 4)
    calls = -(-window.pixels // gemm.COLUMNS[core.isa]) * fours
    call = _CALL[core.isa]
    if core.isa == "dsp" and not operation.in_blocks(core):
        call += _ALONE
    each = _decode(operation.coding, matrix, core) + fours * _BLOCK
    once = _PAIRS if core.isa == "dsp" and operation.coding.form == Form.ONE else 0
    return work + once + tiles * each + calls * call


def _decode(coding: Coding, matrix: Matrix, core: Core) -> float:
    """All weights, once."""
    decode = matrix.weights.size * _DECODE[core.isa][coding.form]
    if coding.form == Form.SPARSE:
        decode += coding.tables.size * _NOT_ZERO
    if coding.form == Form.SCALED:
        decode += matrix.channels * _TABLE[core.isa]
    return decode

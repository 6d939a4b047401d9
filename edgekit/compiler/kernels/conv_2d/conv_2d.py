"""CONV_2D, and FULLY_CONNECTED as the convolution of one pixel (or a row of them).

Source: tensorflow/lite/kernels/internal/reference/integer_ops/conv.h and fully_connected.h.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Core
from edgekit.compiler.emission import Emission
from edgekit.compiler.kernels.add.add import Add
from edgekit.compiler.kernels.common.windows import Window, same_padding
from edgekit.compiler.kernels.conv_2d.border import Border
from edgekit.compiler.kernels.gemm import gemm, runs
from edgekit.compiler.kernels.gemm.coding import Coding
from edgekit.compiler.kernels.gemm.matrix import Matrix
from edgekit.compiler.kernels.gemm.matrix_of import matrix_of
from edgekit.compiler.kernels.gemm.one_product import one_product
from edgekit.compiler.operation import Call, Unsupported
from edgekit.compiler.requantize import INT8_HIGH, INT8_LOW

_MANY = 256
"""Output pixels that are worth code for three rows of nine inputs."""
_ROWS, _PARTS, _PIXELS = 1, 2, 4
_DENSE = 4096
"""Weights from which on the kernel for one column is worth its code."""
_FEW = 1024
"""Weights up to which it does not matter how fast a single column is."""
_GAPS = 0.34
"""Share of zeros between the rows of a kernel that is worth their direct way into columns."""
OPERATORS = ("CONV_2D", "FULLY_CONNECTED")
_TILE_BYTES = 1856
"""Of columns for coded weights: more time is lost decoding for fewer pixels, memory for more."""


@dataclass(frozen=True, eq=False)
class Conv2D:
    """A convolution, requantized, with an addition where one was fused.

    Attributes:
        window: Where each output looks.
        matrix: Weights [channels, kernel height * width * input channels] and the rest.
        shape: Of the output, as the model has it.
        add: Added to the result; the second input of the layer.
        border: Which of the matrix's biases is a pixel's, where there is not one for all.
        coding: The weights as they are stored, where not as they are; not with a border.
    """

    window: Window
    matrix: Matrix
    shape: tuple[int, ...]
    add: Add | None = None
    border: Border | None = None
    coding: Coding | None = None

    def macs(self) -> int:
        """Multiply-accumulates, padding included."""
        return self.window.pixels * self.matrix.depth * self.matrix.channels

    def scratch(self, core: Core) -> int:
        """Columns; the bytes of one where they cannot be filled directly; pixels to be added."""
        if self._dense(core):
            return 0
        return self._columns(core) + max(
            0 if self._direct(core) & _PARTS else self.matrix.depth,
            0 if self.add is None else self.tile(core) * self.matrix.channels,
        )

    def tile(self, core: Core) -> int:
        """Output pixels whose columns are there at once, a multiple of what the kernel takes."""
        together = gemm.COLUMNS[core.isa]
        if self.coding is None:
            return together
        room = _TILE_BYTES - self.coding.memory(core.isa)
        fit = room // gemm.column_bytes(self.matrix, core.isa, self.window.pixels)
        return max(1, min(fit, -(-self.window.pixels // together))) * together

    def overlaps(self, core: Core) -> tuple[int | None, ...]:
        """Outputs may lie where inputs lay that no later pair of pixels needs."""
        if self._dense(core):
            return (None,)
        # pairs need not begin at even pixels where biases differ
        together = self.tile(core) if self.border is None else 1
        near = self.window.overlap(self.matrix.channels, together)
        return (near,) if self.add is None else (near, 0)

    def run(self, *inputs: NDArray[Any]) -> NDArray[Any]:
        """The host twin."""
        matrix = self.matrix
        columns = self.window.columns(inputs[0], matrix.zero_in).astype(np.int64)
        sums = (columns - matrix.zero_in) @ matrix.weights.astype(np.int64).T
        sums += matrix.bias if self.border is None else matrix.bias[self.border.of_pixels()]
        out = matrix.outputs(sums).astype(np.int8).reshape(self.shape)
        return out if self.add is None else self.add.run(out, inputs[1])

    def emit(self, core: Core, to: Emission) -> str:
        """One call."""
        if self._dense(core):
            return self._emit_dense(core, to)
        layer = self._layer(core, to)
        addend = to.inputs[1] if self.add else "0"
        memory = f"{to.output}, {to.scratch}, {to.scratch} + {self._columns(core)}"
        function, of = "ek_conv_2d", layer
        if self.border is not None:
            function, of = "ek_conv_2d_biases", self._with_border(layer, self.border, core, to)
        elif self.coding is not None:
            function, of = "ek_conv_2d_tiled", self._tiled(layer, self.coding, core, to)
        elif self._runs(core):
            self._use_runs(core, to)
            function = "ek_conv_2d_runs"
        return f"{function}(&{of}, {to.inputs[0]}, {addend}, {memory});"

    def _emit_dense(self, core: Core, to: Emission) -> str:
        plain = core.isa == "portable" or self.matrix.weights.size < _DENSE
        to.use("gemm/dense_plain.h" if plain else "gemm/dense.h")
        reads = replace(core, isa="portable") if plain else core
        matrix = gemm.emit(self.matrix, reads, to, dense=True)
        name = "ek_dense_plain" if plain else "ek_dense"
        return f"{name}(&{matrix}, {to.inputs[0]}, {to.output});"

    def _layer(self, core: Core, to: Emission) -> str:
        """The constant `ek_conv_2d_t`."""
        to.use("conv_2d/conv_2d.h")
        window = self.window
        if window.dilation_width > 1:
            to.define("EK_CONV_2D_DILATED")
        if self.matrix.depth // self._rows(core) % 4:
            to.define("EK_COLUMN_TAIL")
        matrix = self._weights(core, to)
        if self.add:
            to.define("EK_CONV_2D_ADD")
        add = f"&{self.add.constant(core, to)}" if self.add else "0"
        return to.struct(
            "ek_conv_2d_t",
            "layer",
            [
                f"&{matrix}", add,
                *(window.height, window.width, window.channels),
                *(window.out_height, window.out_width),
                *(window.kernel_height, window.kernel_width),
                *(window.dilation_height, window.dilation_width),
                *(window.pad_top, window.pad_left),
                *(self._depth(core) // window.kernel_height, self._depth(core) // 2),
                *window.inner(),
                *(window.stride_height, window.stride_width),
                self._direct(core),
            ],
        )  # fmt: skip

    def _weights(self, core: Core, to: Emission) -> str:
        """The constant of the matrix, as the kernel that computes it reads it."""
        if self._runs(core):
            return runs.emit(self.matrix, self._rows(core), to)
        if self.in_blocks(core):
            return runs.emit_apart(self.matrix, to)
        weights = "0" if self.coding else None
        pixels = self.window.pixels
        return gemm.emit(self._laid(core), core, to, weights=weights, pixels=pixels)

    def _with_border(self, layer: str, border: Border, core: Core, to: Emission) -> str:
        """The constant `ek_border_t` of a layer with several sets of biases."""
        to.use("conv_2d/conv_2d_biases.h")
        each = gemm.bias_bytes(self.matrix, core)
        return to.struct("ek_border_t", "border", [f"&{layer}", *border.constant(to), each])

    def _tiled(self, layer: str, coding: Coding, core: Core, to: Emission) -> str:
        """The constant `ek_tiled_t` of a layer with coded weights."""
        to.use("conv_2d/conv_2d_tiled.h")
        alone = core.isa == "dsp" and not self.in_blocks(core)
        if self.matrix.channels % 4 or alone:
            to.define("EK_GEMM_ODD")
        if self.matrix.low > INT8_LOW or self.matrix.high < INT8_HIGH:
            to.define("EK_GEMM_BLOCK_LIMITS")
        each = gemm.column_bytes(self.matrix, core.isa, self.window.pixels)
        code = coding.constant(to)
        sizes = (self.tile(core), each, self._block())
        return to.struct("ek_tiled_t", "tiled", [f"&{layer}", f"&{code}", *sizes])

    def _use_runs(self, core: Core, to: Emission) -> None:
        """What the kernel for runs of pixels is compiled with."""
        to.use("conv_2d/conv_2d_runs.h")
        if self._nines(core):
            to.define("EK_COLUMN_NINES")
        if not self._direct(core) & _ROWS or self.window.kernel_width * self.window.channels < 4:
            to.define("EK_CONV_2D_APART")

    def in_blocks(self, core: Core) -> bool:
        """Whether the kernel for four channels of many pixels computes it, with coded weights."""
        fours = self.coding is not None and self.matrix.channels % 4 == 0
        return core.isa == "dsp" and fours and runs.fits(self.matrix)

    def with_add(self, add: Add, shape: tuple[int, ...]) -> Conv2D:
        """The same with an addition to its result."""
        return replace(self, add=add, shape=shape)

    def take_outputs(self, channels: NDArray[np.int64]) -> Conv2D:
        """The same with some of its outputs."""
        matrix, shape = self.matrix.take(channels), (*self.shape[:-1], len(channels))
        return replace(self, matrix=matrix, shape=shape)

    def take_inputs(self, kept: NDArray[np.bool_]) -> Conv2D:
        """The same without some input channels, as if these were zero.

        Args:
            kept: bool [channels]; the window may see several pixels of so many channels as one.
        """
        matrix, window = self.matrix, self.window
        weights = matrix.weights.reshape(matrix.channels, -1, len(kept))[:, :, kept]
        channels = window.channels // len(kept) * int(kept.sum())
        matrix = replace(matrix, weights=weights.reshape(matrix.channels, -1))
        return replace(self, window=replace(window, channels=channels), matrix=matrix)

    def _dense(self, core: Core) -> bool:
        """Whether there is one column, and it lies in the input as the kernel for that reads it."""
        window, matrix = self.window, self.matrix
        sizes = (window.kernel_height, window.kernel_width) == (window.height, window.width)
        whole = sizes and window.pixels == 1 and not window.pad_top and not window.pad_left
        plain = self.add is None and self.border is None and self.coding is None
        if core.isa == "portable":
            return whole and plain
        if core.isa != "dsp" or not (whole and plain):
            return False
        if matrix.weights.size >= _DENSE:
            return gemm.fits_pairs(matrix)
        # the code of the kernel for runs that no other layer needs, mostly
        return matrix.weights.size < _FEW and one_product(matrix) is None

    def _runs(self, core: Core) -> bool:
        """Whether the kernel for runs of pixels computes it."""
        plain = self.border is None and self.coding is None and not self._dense(core)
        return core.isa == "dsp" and plain and runs.fits(self.matrix)

    def _nines(self, core: Core) -> bool:
        """Whether rows of the kernel are worth their own code: 3 x 3 of three colours, mostly."""
        window = self.window
        rows = window.kernel_height, window.kernel_width * window.channels
        many = core.optimize != "size" and window.pixels >= _MANY
        return many and rows == (3, 9) and bool(self._direct(core) & _ROWS)

    def _columns(self, core: Core) -> int:
        if self._runs(core):
            return 4 * self._depth(core)
        groups = self.tile(core) // gemm.COLUMNS[core.isa]
        columns = groups * gemm.column_bytes(self._laid(core), core.isa, self.window.pixels)
        if self.coding is None:
            return columns
        return columns + self._block() + self.coding.memory(core.isa)

    def _block(self) -> int:
        """Bytes of four channels of decoded weights."""
        return 4 * _up(self.matrix.depth, 4)

    def _gap(self, core: Core) -> int:
        """Inputs between the rows of the kernel in a column, so that they go there as they are."""
        window = self.window
        row = window.kernel_width * window.channels
        gap = runs.slots(row) - row if self._runs(core) else -row % 4
        gaps = gap <= _GAPS * row and window.kernel_height > 1 and window.dilation_width == 1
        return gap if core.isa == "dsp" and self.coding is None and gaps else 0

    def _rows(self, core: Core) -> int:
        """In how many pieces a column is filled."""
        return self.window.kernel_height if self._direct(core) & _ROWS else 1

    def _depth(self, core: Core) -> int:
        """Inputs of a column, with what lies between its rows."""
        if self._runs(core):
            rows = self._rows(core)
            return rows * runs.slots(self.matrix.depth // rows)
        return self._laid(core).depth

    def _laid(self, core: Core) -> Matrix:
        """The matrix with zeros for what lies between rows."""
        window, matrix = self.window, self.matrix
        row, gap = window.kernel_width * window.channels, self._gap(core)
        if not gap:
            return matrix
        weights = matrix.weights.reshape(matrix.channels, window.kernel_height, row)
        weights = np.pad(weights, ((0, 0), (0, 0), (0, gap)))
        return replace(matrix, weights=weights.reshape(matrix.channels, -1))

    def _direct(self, core: Core) -> int:
        """What of a column goes there without a stay as bytes, as bits."""
        window = self.window
        row = window.kernel_width * window.channels
        if window.dilation_width > 1:
            return 0
        if window.flat() == window and row == window.channels and window.height == 1:
            one = window.kernel_height == window.stride_height == window.stride_width == 1
            if one and not window.pad_left and not window.pad_top:
                return _ROWS | _PARTS | _PIXELS
        if core.isa != "dsp" or window.channels % 4 == 0:
            return _ROWS | _PARTS
        whole = window.kernel_height == 1 or row % 4 == 0
        return _ROWS if whole or self._gap(core) else 0


def lower(call: Call) -> Conv2D:
    """The operation of a CONV_2D or FULLY_CONNECTED."""
    call.int8(call.input(0), call.output)
    weights = call.constant(1)
    if weights.dtype != np.int8 or call.input(1).dtype != "int8":
        raise Unsupported(f"its weights are {call.input(1).dtype}, not int8")
    return _dense(call, weights) if call.op.name == "FULLY_CONNECTED" else _conv(call, weights)


def _conv(call: Call, weights: NDArray[np.int8]) -> Conv2D:
    batch, height, width, channels = call.input(0).shape
    if batch != 1:
        raise Unsupported(f"a batch of {batch}")
    if weights.shape[3] != channels:
        raise Unsupported(f"{channels // weights.shape[3]} groups")
    window = same_padding(
        call, (height, width, channels), (weights.shape[1], weights.shape[2])
    ).flat()
    return Conv2D(window, matrix_of(call, weights.reshape(len(weights), -1)), call.output.shape)


def _dense(call: Call, weights: NDArray[np.int8]) -> Conv2D:
    if call.option("weights_format", "DEFAULT") != "DEFAULT":
        raise Unsupported(f"weights in the format {call.option('weights_format')}")
    depth = weights.shape[-1]
    pixels = math.prod(call.input(0).shape) // depth
    window = Window(1, pixels, depth, 1, pixels)
    return Conv2D(window, matrix_of(call, weights), call.output.shape)


def _up(value: int, step: int) -> int:
    return -(-value // step) * step

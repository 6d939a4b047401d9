"""The constants of a flatbuffer as matrices, and where in the file they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgekit.graph.graph import Graph, Tensor
from edgekit.storage.section import WIDTHS, Matrix

SMALLEST = 64
"""Bytes of a constant that may be worth storing by itself."""


@dataclass(frozen=True)
class Constant:
    """A part of a file.

    Attributes:
        name: Of the tensor.
        start: Its first byte.
        matrix: How it is looked at.
    """

    name: str
    start: int
    matrix: Matrix

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.start + self.matrix.nbytes


def constants(tflite: bytes, graph: Graph) -> list[Constant]:
    """Constants of a flatbuffer, in the order of the file; what tensors share comes once.

    Args:
        tflite: The file.
        graph: What `edgekit.graph.read.read` made of this very object: its constants are views.
    """
    found: list[Constant] = []
    for constant in sorted(_views(tflite, graph), key=lambda each: each.start):
        if not found or constant.start >= found[-1].end:
            found.append(constant)
    return found


def _views(tflite: bytes, graph: Graph) -> Iterator[Constant]:
    base = np.frombuffer(tflite, np.uint8).ctypes.data
    for part in (graph, *graph.subgraphs):
        for tensor in part.tensors:
            if tensor.data is None or tensor.data.nbytes < SMALLEST:
                continue
            start = tensor.data.ctypes.data - base
            matrix = _matrix(tensor)
            # densified or unpacked constants are no views of the file
            if 0 <= start <= len(tflite) - matrix.nbytes and tensor.data.flags.c_contiguous:
                yield Constant(tensor.name, start, matrix)


def _matrix(tensor: Tensor) -> Matrix:
    """A row for each output channel where they come first, as in dense and most convolutions."""
    assert tensor.data is not None
    width, size = tensor.data.itemsize, tensor.data.size
    if width not in WIDTHS:
        return Matrix(1, tensor.data.nbytes, 1)
    rows = tensor.shape[0] if tensor.shape else 1
    return Matrix(rows, size // rows, width)

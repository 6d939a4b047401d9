"""What a function of the user's says a smaller network costs, each of its sizes once."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from edgekit._functions import load_function
from edgekit.calibrate import ranges
from edgekit.errors import ModelError, UsageError
from edgekit.graph.read import read
from edgekit.importers.base import specs
from edgekit.passes.base import Context
from edgekit.quantizers.base import QuantizeOptions
from edgekit.quantizers.int8 import to_int8
from edgekit.structure.dependencies import Dependencies
from edgekit.structure.groups import groups
from edgekit.structure.shrink import shrink
from edgekit.structure.units import Mask

_CALLED = "it is called with the bytes of an int8 .tflite, and returns a number above 0"
_ROWS = 8
"""Rows that calibrate what is measured: ranges change no cost."""


class Measured:
    """Calls `measure` with the int8 file of a network that keeps some units.

    Args:
        name: `python:module:function`.
        tflite: Float flatbuffer that `known` is about.
        known: Its units.
        context: Rows, progress.

    Raises:
        UsageError: There is no such function, or it fails or returns no number above 0.
    """

    def __init__(self, name: str, tflite: bytes, known: Dependencies, context: Context) -> None:
        self._name, self._tflite, self._known = name, tflite, known
        self._context, self._groups = context, groups(known)
        self._function = load_function(name, "measure")
        self._found: dict[tuple[int, ...], float] = {}

    def __call__(self, keep: Mask) -> float:
        """What it costs with the units of `keep`: which of a group they are does not matter."""
        sizes = tuple(int(keep[group.units].sum()) for group in self._groups)
        if sizes not in self._found:
            self._found[sizes] = self._ask(self._int8(shrink(self._tflite, self._known, keep)))
            self._context.progress.note(f"{len(self._found)} sizes measured")
        return self._found[sizes]

    def _int8(self, tflite: bytes) -> bytes:
        rows = self._context.rows
        chosen = rows.some()[:_ROWS]

        def each() -> Iterator[tuple[np.ndarray, ...]]:
            return (rows.batch(chosen[at : at + 1]) for at in range(len(chosen)))

        inputs, _ = specs(read(tflite))
        try:
            return to_int8(ranges.calibrate(tflite, inputs, each), QuantizeOptions())
        except ModelError as error:
            message = f"no int8 file to measure: {error.message}"
            raise ModelError(message, "give a budget of macs, parameters or bytes") from error

    def _ask(self, tflite: bytes) -> float:
        try:
            with contextlib.redirect_stdout(sys.stderr):  # ours may be asked for JSON alone
                value: Any = float(self._function(tflite))
        except (Exception, SystemExit) as error:  # the user's code: anything may come
            message = f"measure {self._name} fails: {type(error).__name__}: {error}"
            raise UsageError(message, _CALLED) from error
        if not math.isfinite(value) or value <= 0:
            raise UsageError(f"measure {self._name} gives {value:g}", _CALLED)
        return float(value)

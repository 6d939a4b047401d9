"""Model-ready rows on disk, mapped into memory, so that training does not hold the set."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from edgekit.bridge.call import compact
from edgekit.data.prepare import INTEGERS, Prepared
from edgekit.errors import DISK_FULL, DataError, OutputError
from edgekit.model import TensorSpec
from edgekit.training.labels import fit

LOOKED_AT = 512
"""Rows that statistics of the inputs are taken from."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows as the model wants them.

    Attributes:
        inputs: One array [n, ...] for each model input, memory-mapped and read only: float32, or
            int32 where the input takes whole numbers.
        labels: [n, ...], as the data have them; `edgekit.training.labels.fit` says what they mean
            to a model. None without.
    """

    inputs: tuple[NDArray[Any], ...]
    labels: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.inputs[0])

    def batch(self, positions: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """The rows at `positions` of every input, read into memory."""
        return tuple(np.asarray(array[positions]) for array in self.inputs)

    def some(self) -> NDArray[Any]:
        """At most 512 positions, evenly spread: enough for statistics."""
        return np.unique(np.linspace(0, len(self) - 1, LOOKED_AT).astype(np.int64))


def store(
    prepared: Prepared,
    labels: NDArray[Any] | None,
    folder: Path,
    outputs: Sequence[TensorSpec] = (),
) -> Rows:
    """Write the rows once, as `input<number>.npy`, and map them.

    Args:
        prepared: Model-ready rows, read in one pass and not held.
        labels: One a row, or None.
        folder: For the files, one for each set; what an earlier call left there is replaced.
        outputs: Of the model; labels that do not fit them are refused.

    Raises:
        DataError: A row that does not fit the model, or labels that do not fit its outputs.
        OutputError: The disk is full.
    """
    _check(labels, prepared, outputs)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"input{number}.npy" for number in range(len(prepared.inputs))]
    try:
        _write(prepared, paths)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise OutputError(
            f"{folder}: there is no room for {len(prepared)} training rows",
            "free some space, or give fewer training rows: data.npz[:1000]",
        ) from error
    return Rows(tuple(np.load(path, mmap_mode="r") for path in paths), labels)


def _write(prepared: Prepared, paths: Sequence[Path]) -> None:
    types = [np.dtype(np.int32 if s.dtype in INTEGERS else np.float32) for s in prepared.inputs]
    with ExitStack() as stack:
        files: list[IO[bytes]] = []
        for path, dtype, spec in zip(paths, types, prepared.inputs, strict=True):
            path.unlink(missing_ok=True)  # who still maps the old file keeps it
            files.append(stack.enter_context(path.open("wb")))
            shape = (len(prepared), *spec.shape[1:])
            header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(files[-1], header)  # type: ignore[no-untyped-call]
        for row in prepared:
            for file, dtype, array in zip(files, types, row, strict=True):
                file.write(np.ascontiguousarray(array, dtype).data)


def _check(labels: NDArray[Any] | None, prepared: Prepared, outputs: Sequence[TensorSpec]) -> None:
    if labels is None:
        return
    if len(labels) != len(prepared):
        raise DataError(
            f"there are {len(labels)} labels for {len(prepared)} rows", "give one label a row"
        )
    if outputs:
        ours, theirs = ([compact(s.shape) for s in specs] for specs in (outputs, prepared.inputs))
        fit(labels, ours, theirs)

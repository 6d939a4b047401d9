"""Raw rows -> model-ready rows: layout, channels, size, values, batch axis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.data.layout import fit, fit_pictures
from edgekit.data.readers.base import Row
from edgekit.data.samples import Samples
from edgekit.errors import DataError
from edgekit.model import TensorSpec
from edgekit.preprocess import OPTION, Preprocess
from edgekit.problem import Problem

INTEGERS = ("int32", "int64", "bool")
"""Input types that take whole numbers as they are: class numbers, tokens. int8 and uint8 inputs
are those of a quantized model, whose rows stay float32 until the runtime quantises them."""


@dataclass(frozen=True)
class Prepared:
    """Rows as the model wants them, made while they are read.

    Attributes:
        samples: The raw rows.
        preprocess: What is done to their values.
        inputs: Of the model; shapes with the batch axis, NHWC.
        channels_first: Whether the model's source was NCHW, so that rank-2 rows may be [C, T].
    """

    samples: Samples
    preprocess: Preprocess
    inputs: tuple[TensorSpec, ...]
    channels_first: bool = False

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[tuple[NDArray[Any], ...]]:
        """One tuple a row: an array [1, ...] for each model input, float32 but for token inputs.

        Raises:
            DataError: a wrong shape, NaN or infinity, a value that does not fit; names the row.
        """
        for position, row in enumerate(self.samples):
            yield self.row(row, position)

    @property
    def labels(self) -> NDArray[Any] | None:
        """Of the rows, in their order."""
        return self.samples.labels

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """What was done to the first row beyond its values, and what the sources say."""
        raw = next(iter(self.samples))
        notes = [note for i, array in self._arrays(raw, 0) for note in self._layout(array, i, 0)[1]]
        where = self.samples.sources[0]
        return (
            *self.samples.problems,
            *(
                Problem(
                    "note",
                    where,
                    note,
                    f"if that is wrong, write {OPTION} layout=nhwc or nchw, or reshape the data",
                )
                for note in dict.fromkeys(notes)
            ),
        )

    def take(self, indices: NDArray[Any]) -> Prepared:
        """The rows at `indices`, in the order of the data."""
        return replace(self, samples=self.samples.take(indices))

    def row(self, raw: Row, position: int) -> tuple[NDArray[Any], ...]:
        """The raw row at `position` made ready."""
        return tuple(
            self._ready(array, spec, position) for spec, array in self._arrays(raw, position)
        )

    def _ready(self, array: NDArray[Any], spec: TensorSpec, position: int) -> NDArray[Any]:
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            what = "NaN" if np.isnan(array).any() else "infinity"
            raise DataError(
                f"{self.samples.where(position)} contains {what} "
                f"({int((~np.isfinite(array)).sum())} of {array.size} values)",
                "take such rows out, or fill the gaps, before giving the data to edgekit",
            )
        value = self._layout(array, spec, position)[0]
        value = (
            self.preprocess.apply(value)
            if spec.dtype not in INTEGERS
            else _whole(value, spec, self.samples, position)
        )
        if not np.isfinite(value).all():
            raise DataError(
                f"{self.samples.where(position)} is infinite after {OPTION} "
                f"{self.preprocess.to_text()}",
                "check scale, mean and std",
            )
        return value[None]

    def _arrays(self, raw: Row, position: int) -> list[tuple[TensorSpec, NDArray[Any]]]:
        if not isinstance(raw, dict):
            if len(self.inputs) == 1:
                return [(self.inputs[0], raw)]
            names = ", ".join(spec.name for spec in self.inputs)
            raise DataError(
                f"{self.samples.where(position)} is one array, and the model has "
                f"{len(self.inputs)} inputs ({names})",
                "give an .npz with arrays of these names: np.savez(path, "
                f"**{{{', '.join(repr(s.name) + ': ...' for s in self.inputs)}}})",
            )
        if len(raw) == len(self.inputs) == 1:
            return [(self.inputs[0], next(iter(raw.values())))]
        missing = [spec.name for spec in self.inputs if spec.name not in raw]
        if missing:
            raise DataError(
                f"{self.samples.where(position)} has no array for the model input {missing[0]!r}, "
                f"only {', '.join(raw)}",
                "name the arrays as the model names its inputs",
            )
        return [(spec, raw[spec.name]) for spec in self.inputs]

    def _layout(
        self, array: NDArray[Any], spec: TensorSpec, position: int
    ) -> tuple[NDArray[Any], list[str]]:
        shape = spec.shape[1:]
        notes: list[str] = []
        free = self.preprocess.resize is not None
        value = array
        if self.samples.pictures:
            value, notes = fit_pictures(value, shape)
        found = fit(value, shape, self.preprocess.layout, free, self.channels_first)
        if free and self.preprocess.resize != shape[:2]:
            raise DataError(
                f"{OPTION} resize={_size(self.preprocess.resize)} does not give the model's input "
                f"{spec.name} {shape}",
                f"write resize={_size(shape[:2])}" if len(shape) == 3 else "leave resize out",
            )
        if found is None:
            raise self._wrong_shape(array, spec, shape, position)
        return found[0], notes + found[1]

    def _wrong_shape(
        self, array: NDArray[Any], spec: TensorSpec, shape: tuple[int, ...], position: int
    ) -> DataError:
        message = (
            f"{self.samples.where(position)} has shape {array.shape}, "
            f"the model's input {spec.name} takes {shape}"
        )
        layout = self.preprocess.layout
        if layout != "auto" and self._fits_otherwise(array, shape):
            return DataError(
                f"{message}, and {OPTION} says layout={layout}",
                "leave layout out to let the shapes decide",
            )
        if self._resizable(array.shape, shape):
            size = replace(self.preprocess, resize=(shape[0], shape[1]))
            return DataError(message, f"if rows are pictures, write {OPTION} {size.to_text()}")
        return DataError(
            message,
            "give rows of the model's shape, without a batch axis; name the right array as "
            "PATH:array",
        )

    def _fits_otherwise(self, array: NDArray[Any], shape: tuple[int, ...]) -> bool:
        free = self.preprocess.resize is not None
        return fit(array, shape, "auto", free, self.channels_first) is not None

    def _resizable(self, have: tuple[int, ...], want: tuple[int, ...]) -> bool:
        if len(want) != 3 or self.preprocess.resize is not None or len(have) not in (2, 3):
            return False
        grey = len(have) == 2 and want[2] == 1
        return self.samples.pictures or grey or (len(have) == 3 and want[2] in (have[0], have[2]))


def prepare(
    samples: Samples,
    preprocess: Preprocess,
    inputs: tuple[TensorSpec, ...],
    channels_first: bool = False,
) -> Prepared:
    """Model-ready rows; the first is tried at once.

    Args:
        samples: Raw rows.
        preprocess: The declared contract.
        inputs: Of the model, with the batch axis, NHWC.
        channels_first: Whether the model's source was NCHW.

    Raises:
        DataError: the first row does not fit the model.
    """
    prepared = Prepared(samples, preprocess, inputs, channels_first)
    if len(prepared):
        next(iter(prepared))
    return prepared


def _whole(value: NDArray[Any], spec: TensorSpec, samples: Samples, position: int) -> NDArray[Any]:
    whole = value.astype(spec.dtype)
    if not np.array_equal(whole, value):
        raise DataError(
            f"{samples.where(position)} has values that are no {spec.dtype}, which the input "
            f"{spec.name} takes",
            "give whole numbers in the range of that type",
        )
    return whole


def _size(size: tuple[int, ...] | None) -> str:
    return "x".join(map(str, size or ()))

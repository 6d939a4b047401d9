"""Golden vectors of a build: read from its folder, run by a worker, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT = 1e-4
"""What a float output of reference kernels may be off, relative to the largest."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """Inputs and what must come of them.

    Attributes:
        inputs: One array [vectors, ...] an input.
        outputs: The same an output.
        tolerance: For each output, what kernels that are not the reference ones may be off: in
            steps where it is an integer, relative to the largest where it is a float; None where
            nothing can be said.
    """

    inputs: Sequence[NDArray[Any]]
    outputs: Sequence[NDArray[Any]]
    tolerance: Sequence[float | None]

    def __len__(self) -> int:
        return len(self.outputs[0])

    def raw(self) -> bytes:
        """All inputs of the first vector, then of the second, little-endian."""
        rows = zip(*self.inputs, strict=True)
        return b"".join(_little(value).tobytes() for row in rows for value in row)


@dataclass(frozen=True)
class Compared:
    """Outputs of a device against those of the build."""

    compared: int
    mismatched: int
    detail: str = ""


def load_vectors(folder: Path, manifest: Mapping[str, Any]) -> Vectors | None:
    """The vectors of a build; None where it has none.

    Raises:
        ModelError: They are not what the manifest says.
    """
    import numpy as np

    section = manifest.get("golden")
    if not section:
        return None
    try:
        with np.load(folder / section["path"], allow_pickle=False) as stored:
            sides = [
                [stored[f"{side}_{place}"] for place in range(section[f"{side}s"])]
                for side in ("input", "output")
            ]
        found = Vectors(sides[0], sides[1], section["tolerance"])
        if {len(array) for side in sides for array in side} != {section["vectors"]}:
            raise ValueError("not as many vectors as it says")
        return found
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ModelError(
            f"{folder}: its golden vectors cannot be read ({error})", "build it again with --force"
        ) from error


def compare(vectors: Vectors, got: bytes, reference: bool) -> Compared:
    """The raw outputs of a device against those of the build.

    Args:
        vectors: Of the build.
        got: All outputs of the first vector, then of the second, little-endian.
        reference: Whether reference kernels computed them: integers must then be equal.
    """
    wanted = sum(array.nbytes for array in vectors.outputs)
    if len(got) != wanted:
        total = sum(array.size for array in vectors.outputs)
        return Compared(total, total, f"the outputs have {len(got)} bytes, should have {wanted}")
    counted, wrong, first = 0, 0, ""
    for place, tolerance in enumerate(vectors.tolerance):
        array = vectors.outputs[place]
        if reference:
            tolerance = EXACT if array.dtype.kind == "f" else 0
        if tolerance is None:
            continue
        bad = _off(array, _taken(vectors, got, place), tolerance)
        counted, wrong = counted + bad.size, wrong + int(bad.sum())
        if bad.any() and not first:
            first = _where(array, _taken(vectors, got, place), bad, place)
    return Compared(counted, wrong, first)


def _taken(vectors: Vectors, got: bytes, place: int) -> NDArray[Any]:
    """Output `place` of all vectors."""
    import numpy as np

    rows = np.frombuffer(got, np.uint8).reshape(len(vectors), -1)
    before = sum(array[0].nbytes for array in vectors.outputs[:place])
    array = vectors.outputs[place]
    part = np.ascontiguousarray(rows[:, before : before + array[0].nbytes])
    return part.view(array.dtype.newbyteorder("<")).reshape(array.shape)


def _off(wanted: NDArray[Any], got: NDArray[Any], tolerance: float) -> NDArray[np.bool_]:
    import numpy as np

    if wanted.dtype.kind != "f":
        difference = np.abs(wanted.astype(np.int64) - got.astype(np.int64))
        return np.asarray(difference > tolerance)
    finite = np.abs(wanted[np.isfinite(wanted)])
    allowed = tolerance * float(finite.max(initial=0))
    with np.errstate(invalid="ignore"):
        near = np.abs(wanted.astype(np.float64) - got) <= allowed
    same = (wanted == got) | (np.isnan(wanted) & np.isnan(got))
    return np.asarray(~(near | same))


def _where(wanted: NDArray[Any], got: NDArray[Any], bad: NDArray[np.bool_], place: int) -> str:
    import numpy as np

    vector, *index = np.argwhere(bad)[0].tolist()
    at = (vector, *index)
    return f"golden vector {vector}: output {place} {index} is {got[at]}, should be {wanted[at]}"


def _little(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(array.dtype.newbyteorder("<"))

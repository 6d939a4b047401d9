from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgekit.data.samples import open_samples
from edgekit.errors import DataError
from edgekit.model import TensorSpec

X = np.arange(60, dtype=np.uint8).reshape(10, 2, 3)
Y = np.arange(10) % 3


def rows(*specs: str, root: Path, **kwargs: object) -> np.ndarray:
    return np.stack(list(open_samples(specs, root, **kwargs)))  # type: ignore[arg-type]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed], ids=["stored", "compressed"])
@pytest.mark.parametrize(
    "array",
    [
        X,
        X.astype(">f4"),
        X.astype(np.float64)[:, 0, 0],
        X > 5,
        np.ones((3, 2, 2, 2, 2, 2), np.int16),
    ],
    ids=["uint8", "big-endian", "scalars", "bool", "rank 5"],
)
def test_rows_come_back_equal(tmp_path: Path, save: object, array: np.ndarray) -> None:
    save(tmp_path / "d.npz", only=array)  # type: ignore[operator]
    samples = open_samples(["d.npz"], tmp_path)
    got = np.stack(list(samples))
    assert got.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(got, array)
    assert len(samples) == len(array)
    assert samples.row_shape == array.shape[1:]
    assert samples.dtype == got.dtype


def test_ranges_selection_and_two_passes(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "d.npz", x=X, y=Y)
    samples = open_samples(["d.npz:x,y[2:8]", "d.npz:x,y[-1:]"], tmp_path)
    taken = samples.take([6, 1, 3, 3])
    for _ in range(2):
        np.testing.assert_array_equal(np.stack(list(taken)), X[[3, 5, 9]])
    assert taken.labels is not None
    assert taken.labels.tolist() == Y[[3, 5, 9]].tolist()
    assert taken.take([1, 2]).where(1) == "d.npz:x row 9"
    assert [row.tobytes() for row in taken.take([1])] == [X[5].tobytes()]


@pytest.mark.parametrize(
    ("arrays", "shape", "chosen"),
    [
        pytest.param({"foo": X}, None, "foo", id="the only array"),
        pytest.param({"y": X}, None, "y", id="the only array, whatever its name"),
        pytest.param({"x": X, "other": X, "y": Y}, None, "x", id="x"),
        pytest.param({"images": X, "other": X}, None, "images", id="images"),
        pytest.param({"x_int8": X, "y": Y, "scale": np.float32(1)}, None, "x_int8", id="by rank"),
        pytest.param({"labels": X, "feats": X}, None, "feats", id="labels are never rows"),
        pytest.param({"a": Y, "b": X}, (1, 2, 3), "b", id="the rank the model wants"),
        pytest.param({"a": X, "b": X[:, :, :2]}, (1, 2, 2), "b", id="the size the model wants"),
        pytest.param({"y": Y, "inputs": Y * 2.0}, (1, 1), "inputs", id="scalars for rank 1"),
    ],
)
def test_the_array_is_found(
    tmp_path: Path, arrays: dict[str, np.ndarray], shape: tuple[int, ...] | None, chosen: str
) -> None:
    np.savez(tmp_path / "d.npz", **arrays)
    inputs = () if shape is None else (TensorSpec("i", shape, "float32"),)
    np.testing.assert_array_equal(rows("d.npz", root=tmp_path, inputs=inputs), arrays[chosen])
    assert open_samples(["d.npz"], tmp_path, inputs).labels is None


def test_an_ambiguous_file_is_listed_with_the_spec_to_write(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x_train=X, x_test=X, y_train=Y)
    with pytest.raises(DataError, match="2 arrays could be the rows") as error:
        open_samples(["d.npz"], tmp_path)
    assert "x_train (10, 2, 3) uint8; x_test (10, 2, 3) uint8; y_train (10,) int64" in str(
        error.value
    )
    assert "d.npz:x_train" in error.value.hint


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        pytest.param(Y, Y, id="class numbers"),
        pytest.param(Y[:, None], Y, id="a column"),
        pytest.param(np.eye(3)[Y], Y, id="one-hot"),
        pytest.param(np.array(["b", "a", "c"])[Y], [1, 0, 2] * 3 + [1], id="text, sorted"),
        pytest.param(Y > 0, (Y > 0).astype(int), id="bool"),
        pytest.param(Y * 0.5, Y * 0.5, id="numbers to regress on"),
    ],
)
def test_labels_when_they_are_named(tmp_path: Path, labels: np.ndarray, expected: object) -> None:
    np.savez(tmp_path / "d.npz", x=X, y=labels)
    assert open_samples(["d.npz:x"], tmp_path).labels is None
    assert open_samples(["d.npz"], tmp_path).labels is None
    found = open_samples(["d.npz:,y"], tmp_path).labels
    np.testing.assert_array_equal(found, np.asarray(expected))


@pytest.mark.parametrize(
    ("arrays", "spec", "message"),
    [
        pytest.param({"x": X}, "d.npz:z", "has no array 'z' (x (10, 2, 3) uint8)", id="no such"),
        pytest.param({"x": X}, "d.npz:x,y", "has no array 'y' for the labels", id="no labels"),
        pytest.param({"x": X, "y": Y[:5]}, "d.npz:x,y", "5 labels for 10 rows", id="few labels"),
        pytest.param({"x": X, "y": Y * np.nan}, "d.npz:x,y", "no finite numbers", id="NaN labels"),
        pytest.param({"x": X, "y": np.float32(1)}, "d.npz:x,y", "single value", id="one label"),
        pytest.param({"x": X[:0]}, "d.npz:x", "has no rows", id="zero rows"),
        pytest.param({"x": X.astype(object)}, "d.npz:x", "never unpickled", id="objects"),
        pytest.param({"x": np.array(["a"])}, "d.npz:x", "no rows", id="text"),
        pytest.param(
            {"x": X.astype(complex)}, "d.npz:x", "complex128, which is no number", id="complex"
        ),
        pytest.param({"x": np.float32(3)}, "d.npz:x", "no rows", id="a scalar"),
        pytest.param({"x": np.asfortranarray(X)}, "d.npz:x", "Fortran order", id="Fortran order"),
    ],
)
def test_refusals(tmp_path: Path, arrays: dict[str, np.ndarray], spec: str, message: str) -> None:
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(DataError) as error:
        list(open_samples([spec], tmp_path))
    assert message in str(error.value)
    assert error.value.hint


def test_damaged_files_are_data_errors(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "d.npz", x=np.random.default_rng(0).normal(size=(50, 40)))
    whole = (tmp_path / "d.npz").read_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(150):
        data = bytearray(whole)
        if rng.random() < 0.5:
            data = data[: rng.integers(0, len(data))]
        else:
            data[rng.integers(0, len(data))] ^= 1 << int(rng.integers(0, 8))
        (tmp_path / "bad.npz").write_bytes(bytes(data))
        try:
            list(open_samples(["bad.npz:x"], tmp_path))
        except DataError:
            refused += 1
    assert refused > 100


def test_several_inputs_are_arrays_of_their_names(tmp_path: Path) -> None:
    inputs = (TensorSpec("left", (1, 2, 3), "float32"), TensorSpec("right", (1, 1), "float32"))
    np.savez(tmp_path / "d.npz", left=X, right=Y[:, None], y=Y)
    samples = open_samples(["d.npz:,y[1:]"], tmp_path, inputs)
    got = list(samples)
    assert [sorted(row) for row in got] == [["left", "right"]] * 9  # type: ignore[type-var]
    np.testing.assert_array_equal(got[2]["left"], X[3])  # type: ignore[call-overload, index]
    assert samples.labels is not None
    np.savez(tmp_path / "e.npz", left=X, y=Y)
    with pytest.raises(DataError, match="no array for the input 'right' of a model of 2 inputs"):
        open_samples(["e.npz"], tmp_path, inputs)
    np.savez(tmp_path / "f.npz", left=X, right=Y[:3, None])
    with pytest.raises(DataError, match="differ in their count"):
        open_samples(["f.npz"], tmp_path, inputs)


MEMORY = """
import sys
from edgekit.data.check import check
from edgekit.data.prepare import prepare
from edgekit.data.samples import open_samples
from edgekit.data.select import select
from edgekit.model import TensorSpec
from edgekit.preprocess import parse
samples, rest = select(open_samples([sys.argv[1]]), 100, 0)
unit = parse('unit')
rows = prepare(samples, unit, (TensorSpec('i', (1, 64, 64, 3), 'float32'),))
assert sum(1 for _ in rows) == 100
check(rows, unit)
assert len(samples.sha256) == 64 and len(rest.hashes()) == len(rest)
# Not ru_maxrss: a child inherits its parent's.
print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])
"""


def test_memory_does_not_grow_with_the_set(tmp_path: Path) -> None:
    peaks = []
    for count in (200, 2000):
        x = np.random.default_rng(0).integers(0, 64, (count, 64, 64, 3), dtype=np.uint8)
        np.savez_compressed(tmp_path / f"{count}.npz", x=x)
        command = [sys.executable, "-c", MEMORY, str(tmp_path / f"{count}.npz")]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        peaks.append(int(output.split()[0]))
    assert peaks[1] <= 1.05 * peaks[0]

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgekit.data.prepare import prepare
from edgekit.data.samples import open_samples
from edgekit.errors import DataError
from edgekit.model import TensorSpec
from edgekit.preprocess import parse
from edgekit.training.rows import Rows, store

PICTURE = (TensorSpec("x", (1, 4, 4, 3), "float32"),)
CLASSES = (TensorSpec("y", (1, 5), "float32"),)
X = np.random.default_rng(0).integers(0, 255, (20, 4, 4, 3), dtype=np.uint8)


def stored(folder: Path, labels: np.ndarray | None = None, outputs: tuple = ()) -> Rows:
    np.save(folder / "x.npy", X)
    prepared = prepare(open_samples(["x.npy"], folder), parse("scale=1/255"), PICTURE)
    return store(prepared, labels, folder / "rows", outputs)


def test_rows_are_what_the_model_takes_and_lie_on_disk(tmp_path: Path) -> None:
    rows = stored(tmp_path, np.arange(20) % 5, CLASSES)
    assert len(rows) == 20
    assert isinstance(rows.inputs[0], np.memmap)
    assert rows.inputs[0].dtype == np.float32
    np.testing.assert_allclose(rows.inputs[0], X / 255, rtol=1e-6)
    assert rows.labels is not None
    (batch,) = rows.batch(np.array([7, 3]))
    assert type(batch) is np.ndarray
    np.testing.assert_array_equal(batch, rows.inputs[0][[7, 3]])


def test_storing_again_leaves_those_alone_who_still_read(tmp_path: Path) -> None:
    first = stored(tmp_path)
    before = np.array(first.inputs[0])
    stored(tmp_path)
    np.testing.assert_array_equal(first.inputs[0], before)


def test_models_of_several_inputs_and_of_whole_numbers(tmp_path: Path) -> None:
    specs = (TensorSpec("words", (1, 6), "int64"), TensorSpec("side", (1, 2), "float32"))
    words, side = np.arange(60).reshape(10, 6), np.ones((10, 2))
    np.savez(tmp_path / "d.npz", words=words, side=side)
    samples = open_samples(["d.npz"], tmp_path, specs)
    rows = store(prepare(samples, parse("raw"), specs), None, tmp_path)
    assert [array.dtype for array in rows.inputs] == [np.int32, np.float32]
    np.testing.assert_array_equal(rows.inputs[0], words)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        pytest.param(np.arange(20), "label 5 of row 5", id="class numbers above the classes"),
        pytest.param(np.zeros(3), "3 labels for 20 rows", id="too few labels"),
    ],
)
def test_labels_that_do_not_fit_are_refused(tmp_path: Path, labels: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        stored(tmp_path, labels, CLASSES)


def test_some_rows_are_spread_over_all(tmp_path: Path) -> None:
    assert stored(tmp_path).some().tolist() == list(range(20))
    many = Rows((np.zeros((5000, 1), np.float32),)).some()
    assert (len(many), many[0], many[-1]) == (512, 0, 4999)


MEASURE = """
import resource, sys
from pathlib import Path
from edgekit.data.prepare import prepare
from edgekit.data.samples import open_samples
from edgekit.model import TensorSpec
from edgekit.preprocess import parse
from edgekit.training.rows import store

folder, count = Path(sys.argv[1]), sys.argv[2]
specs = (TensorSpec("x", (1, 100, 100, 3), "float32"),)
samples = open_samples([f"big.npy[:{count}]"], folder, specs)
store(prepare(samples, parse("raw"), specs), None, folder / count)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def test_memory_does_not_grow_with_the_set(tmp_path: Path) -> None:
    np.save(tmp_path / "big.npy", np.zeros((1000, 100, 100, 3), np.uint8))

    def used(count: int) -> float:
        command = [sys.executable, "-c", MEASURE, str(tmp_path), str(count)]
        return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    stored_megabytes = 900 * 120_000 / 2**20
    assert used(1000) - used(100) < stored_megabytes / 2

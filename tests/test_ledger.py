"""What an entry counts."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from small_nets import Net

from edgekit.evaluate.fidelity import Fidelity
from edgekit.graph.read import read
from edgekit.ledger import Entry, entry, zip_bytes

SPARSE = np.where(np.arange(64 * 32).reshape(64, 32) % 4, 0.0, 1.5)


def weighed(weights: np.ndarray, fidelity: Fidelity | None = None) -> tuple[Entry, bytes]:
    data = Net(32).dense(weights).tflite()
    return entry("prune", data, read(data), fidelity), data


def test_weights_and_sizes() -> None:
    found, data = weighed(SPARSE)
    assert (found.step, found.parameters, found.macs) == ("prune", 64 * 32 + 64, 64 * 32)
    assert found.bytes == len(data) > found.gzip == len(gzip.compress(data, 9, mtime=0))
    assert (found.weights.sparsity, found.weights.distinct) == (0.75, 2)
    assert (found.weights.dense, found.weights.code_book) == (8192, 256 + 8)


def test_a_zip_is_as_large_as_one(tmp_path: Path) -> None:
    data = weighed(SPARSE)[1]
    with zipfile.ZipFile(tmp_path / "app.apk", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        file.writestr("model.tflite", data)
    assert zip_bytes(data) == (tmp_path / "app.apk").stat().st_size


@pytest.mark.parametrize(
    ("agreement", "shown"), [(98.76543, 98.765), (None, None)], ids=["classes", "no classes"]
)
def test_json_is_the_same_every_time(agreement: float | None, shown: float | None) -> None:
    fidelity = Fidelity(10, agreement, 41.23456, (0, 20.0), (), "litert")
    first, second = (weighed(SPARSE, fidelity)[0].to_json() for _ in range(2))
    assert json.dumps(first) == json.dumps(second)
    assert (first["top1_agreement"], first["sqnr_db"]) == (shown, 41.235)
    assert first["weights"]["zeros"] == 64 * 24
    assert first["flash"] is first["instructions"] is None

"""The sparse encoding: kept where a run proves it, told why not where it does not."""

from __future__ import annotations

import re

import numpy as np
import pytest
from small_nets import Net, as_model, rows_of

from edgekit.evaluate.weights import kernels
from edgekit.graph.read import read
from edgekit.quantizers._sparse import proved, sparse_encoding, sparsify
from edgekit.quantizers.base import QuantizeOptions, load

RNG = np.random.default_rng(0)
WIDTH = 64
ROWS = RNG.normal(size=(4, WIDTH)).astype(np.float32)
GIVEN = [(row[None],) for row in ROWS]
PLAIN = QuantizeOptions(equalise="off", bias_correct="off")


def pruned(share: float, block: int) -> np.ndarray:
    """[WIDTH, WIDTH] with whole blocks along the inputs set to zero."""
    weights = RNG.normal(size=(WIDTH * WIDTH // block, block)) / 8
    order = np.argsort(np.abs(weights).max(axis=1))
    weights[order[: int(share * len(order))]] = 0
    return weights.reshape(WIDTH, WIDTH)


def made(scheme: str, share: float, block: int = 1) -> bytes:
    net = Net(WIDTH).dense(pruned(share, block), RNG.normal(size=WIDTH), 1)
    data = net.dense(pruned(share, block)).tflite()
    if scheme == "float32":
        return data
    return load(scheme).quantize(as_model(data), rows_of(ROWS), PLAIN).tflite


@pytest.mark.parametrize(
    ("scheme", "share", "block"),
    [
        pytest.param("float32", 0.8, 1, id="scattered zeros"),
        pytest.param("float32", 0.8, 4, id="blocks of four"),
        pytest.param("float16", 0.8, 1, id="half precision"),
    ],
)
def test_kept_where_it_works(scheme: str, share: float, block: int) -> None:
    dense = made(scheme, share, block)
    sparse, (note,) = sparse_encoding(dense, "litert", GIVEN)
    assert len(sparse) < len(dense)
    assert f"{len(dense):,} -> {len(sparse):,} B: the same outputs on 10 rows" in note.message
    assert all(kernel.sparse for kernel in kernels(read(sparse)))
    assert not any(kernel.sparse for kernel in kernels(read(dense)))


@pytest.mark.parametrize(
    ("scheme", "share", "block", "runtime", "said"),
    [
        pytest.param("float32", 0.0, 1, "litert", "no kernel has zeros enough", id="not pruned"),
        pytest.param("int8", 0.5, 1, "litert", "the sparse file is larger", id="half, int8"),
        pytest.param("int8", 0.8, 1, "litert", "does not load or run: LiteRT", id="refused"),
        pytest.param(
            "float32", 0.8, 1, "tflite-micro", "tflite-micro has no op DENSIFY", id="no such op"
        ),
        pytest.param(
            "float16", 0.8, 4, "litert", "computes other values: .* is NaN", id="NaN on LiteRT"
        ),
        pytest.param(
            "int8", 0.8, 16, "tflite-micro", "computes other values: .* is off by", id="silently"
        ),
        pytest.param(
            "int16x8", 0.8, 1, "litert", r"changes other constants .* int64", id="narrowed biases"
        ),
    ],
)
def test_left_out_with_a_reason(
    scheme: str, share: float, block: int, runtime: str, said: str
) -> None:
    dense = made(scheme, share, block)
    kept, (note,) = sparse_encoding(dense, runtime, GIVEN)
    assert kept == dense
    assert note.severity == "note"
    assert re.search(f"not used: .*{said}", note.message)


def test_what_is_no_flatbuffer_is_told_and_kept() -> None:
    kept, (note,) = sparse_encoding(b"no model", "litert")
    assert kept == b"no model"
    assert "not used" in note.message


def test_other_weights_are_found_without_a_run() -> None:
    dense, other = made("float32", 0.8), made("float32", 0.8)
    assert "changes other constants" in proved(dense, sparsify(other), "litert")[0]


def test_what_the_runtime_does_not_run_dense_is_not_tried() -> None:
    dense = made("float16", 0.8)
    kept, (note,) = sparse_encoding(dense, "tflite-micro", GIVEN)
    assert kept == dense
    assert "it cannot be tried: tflite-micro cannot run the model" in note.message


def test_the_same_bytes_every_time() -> None:
    dense = made("float32", 0.8)
    assert sparsify(dense) == sparsify(dense)

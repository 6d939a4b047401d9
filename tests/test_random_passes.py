"""Random chains of passes on random networks, and what must be true of whatever comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_nets import random_net
from small_nets import as_model

from edgekit.chain import Stage, compress
from edgekit.checkpoints import Checkpoints
from edgekit.errors import EdgekitError, UsageError
from edgekit.graph.graph import Graph
from edgekit.graph.read import read
from edgekit.ledger import entry
from edgekit.model import Learned
from edgekit.passes import base
from edgekit.passes.promises import broken_in_integers
from edgekit.plan import Step
from edgekit.quantizers.base import QuantizeOptions
from edgekit.quantizers.base import load as load_quantizer
from edgekit.runtimes.litert import LiteRT
from edgekit.training.options import FineTune
from edgekit.training.rows import Rows

FAST, SHORT = 4, 2
"""Cases of every run, and how many passes theirs have at most."""
MANY, LONG = 150, 4
KERNELS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
"""Operators of the networks with weights, and the axis of their output channels."""
SCHEMES = ("int8", "int8", "int16x8", "float16", "dynamic", "float32")


def random_options(name: str, rng: np.random.Generator) -> dict[str, Any]:
    """Some of what a pass can be told; a pass that is not known here runs as it is by default."""
    pick = rng.choice
    known: dict[str, list[dict[str, Any]]] = {
        "remove": [
            {"share": float(pick([0.2, 0.5])), "rounds": 2},
            {"share": "dead"},
            {"macs": 0.6, "rounds": 1, "criterion": str(pick(["l1", "l2", "taylor"]))},
            {"parameters": 0.7, "rounds": 1, "least": 0.05, "refit": False},
            {"share": 0.4, "rounds": 1, "multiple": 2, "criterion": "redundancy"},
        ],
        "prune": [
            {"sparsity": float(pick([0.3, 0.6, 0.85]))},
            {"sparsity": 0.5, "schedule": "polynomial", "initial": 0.2},
            {"sparsity": 0.5, "schedule": "constant", "allocate": "uniform"},
            {"sparsity": 0.5, "allocate": "lamp"},
            {"sparsity": 0.5, "schedule": "splicing"},
            {"n_m": "2:4", "layers": ["Dense"]},
            {"sparsity": 0.5, "block": [1, 2], "layers": ["Dense"]},
        ],
        "cluster": [
            {"clusters": int(pick([3, 8, 16]))},
            {"clusters": 8, "per_channel": True},
            {"clusters": 8, "factors": str(pick(["octave", "layer"]))},
            {"clusters": 4, "init": "linear", "preserve_sparsity": "on"},
        ],
        "product_quantize": [
            {"codes": int(pick([4, 64]))},
            {"block": 3, "factors": "layer"},
        ],
        "quantize_bits": [{"bits": int(pick([2, 4, 8]))}, {"layers": ["Dense"]}],
        "binarize": [{"levels": int(pick([2, 3]))}, {"layers": ["Dense"]}],
        "rewind": [{"method": "supermask", "sparsity": 0.5}],
        "augment_network": [{"width": 2}],
        "low_rank": [
            {"energy": float(pick([0.5, 0.8]))},
            {"rank": 2, "weighted": False},
            {"macs": 0.8, "method": str(pick(["channel", "input", "spatial"]))},
            {"energy": 0.6, "sparse": 0.1},
        ],
        "early_exit": [{"exits": 1, "hidden": 4, "grid": 2}, {"exits": 1, "hidden": 0}],
        "skip": [{"hidden": 4}],
        "slim": [{"widths": [0.5]}],
        "quantize_aware": [{}, {"freeze_ranges_after": 0.0}],
    }
    choices = known.get(name, [{}])
    return choices[int(rng.integers(len(choices)))]


def random_chain(rng: np.random.Generator, most: int) -> list[Step]:
    """Up to so many different passes, in an order that they allow."""
    while True:
        count = int(rng.integers(1, most + 1))
        names = [str(name) for name in rng.permutation(base.names())[:count]]
        try:
            base.refuse_order(names)
        except UsageError:
            continue
        return [Step("compress", name, random_options(name, rng)) for name in names]


def context(tflite: bytes, rng: np.random.Generator) -> base.Context:
    """32 rows to learn from, 16 to guard, with labels or without; one epoch."""
    graph = read(tflite)
    shape = graph.input_tensors()[0].shape[1:]
    classes = graph.output_tensors()[0].shape[-1]
    labelled = bool(rng.random() < 0.5)

    def rows(count: int) -> Rows:
        labels = rng.integers(classes, size=count) if labelled else None
        return Rows((rng.normal(size=(count, *shape)).astype(np.float32),), labels)

    tuned = FineTune(epochs=1, batch=8)
    return base.Context(tflite, rows(32), rows(16), tuned, int(rng.integers(99)))


def compressed(
    seed: int, folder: Path, most: int = LONG
) -> tuple[base.Context, list[Step], tuple[Stage, ...]]:
    """Case number `seed`; chains that a pass refuses make way for others."""
    rng = np.random.default_rng(seed)
    shared = context(random_net(seed), rng)
    original = bytes(shared.original)
    for _ in range(20):
        steps = random_chain(rng, most)
        try:
            stages = compress(steps, shared, Checkpoints(folder, str(seed), False))
        except EdgekitError:  # has a message and a hint; anything else is a failure
            continue
        finally:
            assert shared.original == original
        return shared, steps, stages
    raise AssertionError(f"no chain of 20 works on network {seed}")


def outputs(tflite: bytes, rows: Rows) -> list[tuple[np.ndarray, ...]]:
    with LiteRT(tflite) as runtime:
        return [runtime.run((row[None],)) for row in rows.inputs[0][:4]]


def counted(graph: Graph) -> tuple[int, int, int]:
    """Parameters, multiply-accumulates and zeros of kernels, from the operators one by one."""
    constants: dict[int, int] = {}
    zeros: dict[int, int] = {}
    macs = 0
    for op in graph.ops:
        for place, index in enumerate(op.inputs):
            tensor = graph.tensors[index] if index >= 0 else None
            if tensor is None or tensor.data is None or tensor.data.dtype.kind != "f":
                continue
            constants[index] = tensor.data.size
            if op.name in KERNELS and place == 1:
                zeros[index] = int((tensor.data == 0).sum())
        if op.name in KERNELS:
            kernel = graph.tensors[op.inputs[1]].shape
            places = int(np.prod(graph.tensors[op.outputs[0]].shape[:-1]))
            macs += places * int(np.prod(kernel))
    return sum(constants.values()), macs, sum(zeros.values())


def check(seed: int, folder: Path, most: int) -> None:
    shared, steps, stages = compressed(seed, folder, most)
    last = stages[-1].candidate
    said = f"case {seed}: {[(step.name, dict(step.options)) for step in steps]}"
    _runs(shared, last, said)
    _fits_ledger(stages, said)
    _has_traits(steps, last, said)
    _keeps_promises(last, said)
    _builds(shared, last, np.random.default_rng(seed), said)


def _runs(shared: base.Context, last: base.Candidate, said: str) -> None:
    before, after = outputs(shared.original, shared.guard), outputs(last.tflite, shared.guard)
    for one, other in zip(before, after, strict=True):
        assert [a.shape for a in one] == [a.shape for a in other[: len(one)]], said
        assert len(other) == len(one) + _more(last), said
        assert all(np.isfinite(a).all() for a in other), said


def _more(last: base.Candidate) -> int:
    """Outputs behind those of the original: of exits, of gates."""
    return sum(len(each.layers) for each in (last.heads, last.gates) if each)


def _fits_ledger(stages: tuple[Stage, ...], said: str) -> None:
    for stage in stages:
        tflite = stage.candidate.tflite
        graph = read(tflite)
        written = entry(stage.name, tflite, graph)
        parameters, macs, zeros = counted(graph)
        assert (written.parameters, written.macs) == (parameters, macs), said
        assert written.weights.zeros == zeros, said
        assert written.bytes == len(tflite), said
        kernels = {op.inputs[1] for op in graph.ops if op.name in KERNELS}
        values = [np.unique(np.asarray(graph.tensors[index].data) + 0.0) for index in kernels]
        assert written.weights.distinct == max(map(len, values)), said


def _has_traits(steps: list[Step], last: base.Candidate, said: str) -> None:
    wanted = frozenset().union(*(base.load(step.name).leaves for step in steps))
    assert wanted <= last.traits, said
    zeros = any(promise.kind == "sparsity" for promise in last.promises)
    assert last.traits - wanted <= ({"sparse"} if zeros else set()), said  # low_rank with sparse
    assert [made.name for made in last.log] == [step.name for step in steps], said


def _keeps_promises(last: base.Candidate, said: str) -> None:
    graph = read(last.tflite)
    axis = {op.inputs[1]: KERNELS[op.name] for op in graph.ops if op.name in KERNELS}
    for promise in last.promises:
        kernel = np.asarray(graph.tensors[promise.tensor].data)
        rows = np.moveaxis(kernel, axis[promise.tensor], 0).reshape(
            kernel.shape[axis[promise.tensor]], -1
        )
        each = rows if promise.per == "channel" else rows.reshape(1, -1)
        if promise.kind == "sparsity":
            assert ((each == 0).sum(axis=1) + 1 > promise.value * each.shape[1]).all(), said
        elif promise.kind == "distinct":
            assert max(len(np.unique(row + 0.0)) for row in each) <= promise.value, said
        elif promise.kind == "rank":
            assert len(rows) <= promise.value, said
        elif promise.kind == "n_m":
            kept = np.pad(kernel != 0, [(0, 0)] * (kernel.ndim - 1) + [(0, -kernel.shape[-1] % 4)])
            assert kept.reshape(-1, promise.m).sum(axis=1).max() <= promise.n, said


def _builds(
    shared: base.Context, last: base.Candidate, rng: np.random.Generator, said: str
) -> None:
    scheme = str(rng.choice(SCHEMES))
    learned = Learned(last.ranges, last.weight_scales)
    model = as_model(last.tflite).step("passes", traits=last.traits, learned=learned)
    given = [(row[None],) for row in shared.guard.inputs[0]]
    quantizer = load_quantizer(scheme)
    built = quantizer.quantize(model, lambda: iter(given), QuantizeOptions()).tflite
    graph = read(built)
    with LiteRT(built) as runtime:
        shapes = [tensor.shape for tensor in graph.input_tensors()]
        found = runtime.run(tuple(np.zeros(s, i.dtype) for s, i in zip(shapes, runtime.inputs)))  # noqa: B905
    wanted = [tensor.shape for tensor in read(shared.original).output_tensors()]
    assert [array.shape for array in found[: len(wanted)]] == wanted, (said, scheme)
    assert len(found) == len(wanted) + _more(last), (said, scheme)
    if scheme in ("int8", "int16x8"):
        problems = broken_in_integers(last.promises, last.tflite, built)
        assert not problems, (said, scheme, problems)


@pytest.mark.parametrize("seed", range(FAST))
def test_chains(seed: int, tmp_path: Path) -> None:
    check(seed, tmp_path, SHORT)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1000 + MANY))
def test_many_chains(seed: int, tmp_path: Path) -> None:
    check(seed, tmp_path, LONG)

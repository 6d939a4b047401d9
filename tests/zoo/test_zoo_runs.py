"""Small networks of the zoo in int8: tflite-micro runs them; what it has not is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_nets import as_model, rows_of

from edgekit.convert import float_tflite
from edgekit.graph.read import read
from edgekit.quantizers.base import QuantizeOptions, load
from edgekit.runtimes.base import open_runtime, run_float
from edgekit.target.op_check import check_ops
from edgekit.target.profile import load_profile
from edgekit.zoo import base

SMALL: dict[str, dict[str, Any]] = {
    "cnn4": {"channels": 8},
    "densenet": {"depth": 2, "growth": 8},
    "dilated": {"channels": 8, "layers": 4},
    "ds_cnn": {"channels": 8, "blocks": 2},
    "efficientnet_lite": {"width": 0.25, "stages": 3, "last": 0},
    "fasternet": {"channels": 16, "depth": 0.25, "stages": 2, "last": 0, "patch": 2},
    "fcn1d": {"width": 0.1},
    "ghostnet": {"width": 0.25, "blocks": 4, "dense": 16},
    "inception": {"width": 0.1, "blocks": 2},
    "mnasnet": {"version": "a1", "width": 0.25, "depth": 0.5, "stages": 3, "last": 0},
    "mobilenet_v1": {"width": 0.25, "stages": 3},
    "mobilenet_v2": {"width": 0.25, "stages": 3, "last": 0},
    "mobilenet_v3": {"width": 0.25, "blocks": 4},
    "resnet8": {"width": 0.5},
    "resnext": {"groups": 2, "blocks": 1, "stages": 2},
    "shiftnet": {"expand": 2, "blocks": 1, "stages": 2},
    "shufflenet_v1": {"width": 0.25, "depth": 0.25, "stages": 2},
    "shufflenet_v2": {"width": 0.25, "depth": 0.5, "stages": 2, "last": 0},
    "squeezenet": {"width": 0.25, "modules": 3},
    "tc_resnet": {"width": 0.5, "stages": 2},
    "tcn1d": {"channels": 8, "blocks": 3},
    "xception": {"width": 0.02, "middle": 1},
}
QUICK = ("shufflenet_v2", "shiftnet")
PLAIN = QuantizeOptions(equalise="off", bias_correct="off")
RANDOM = np.random.default_rng(0)


def int8(name: str, options: dict[str, Any]) -> tuple[bytes, bytes, list[np.ndarray]]:
    """Float, int8, and four rows."""
    network = base.load(name)
    model = network.build(base.options_of(network, options), (16, 12, 2), 5, head="linear")
    tflite = float_tflite(model)
    rows = [RANDOM.normal(size=(16, 12, 2)).astype(np.float32) for _ in range(4)]
    return tflite, load("int8").quantize(as_model(tflite), rows_of(rows), PLAIN).tflite, rows


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in QUICK else [pytest.mark.slow]) for n in base.names()]
)
def test_tflite_micro_runs_it(name: str) -> None:
    tflite, built, rows = int8(name, SMALL[name])
    errors = [p for p in check_ops(read(built), load_profile("cortex-m4")) if p.severity == "error"]
    assert not errors
    graph = read(built)
    with open_runtime("litert", tflite) as whole, open_runtime("tflite-micro", built) as micro:
        given = [(row[None],) for row in rows]
        wanted = np.stack([whole.run(row)[0][0] for row in given])
        found = np.stack([row[0][0] for row in run_float(micro, graph, given)])
    assert np.square(found - wanted).mean() < 0.05 * wanted.var()


@pytest.mark.slow
def test_an_operator_that_tflite_micro_has_not_is_named() -> None:
    _, built, _ = int8("fasternet", SMALL["fasternet"] | {"act": "gelu"})
    problems = check_ops(read(built), load_profile("cortex-m4"))
    assert any("GELU" in problem.message for problem in problems if problem.severity == "error")

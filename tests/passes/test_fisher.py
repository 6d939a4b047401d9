"""What the answers feel of layers' outputs, against derivatives by hand."""

from __future__ import annotations

import numpy as np
import pytest
from small_nets import NONE, Net

from edgekit.bridge.lift import lift
from edgekit.passes._fisher import fisher
from edgekit.training.rows import Rows

X = np.random.default_rng(0).normal(size=(768, 4)).astype(np.float32)
W = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
V = np.random.default_rng(2).normal(size=(5, 3)).astype(np.float32)


def felt(
    made: Net, seed: int = 0, temperature: float = 1.0, classes: bool = False
) -> dict[str, np.ndarray]:
    if classes:
        made.op("SOFTMAX", made.shape, ("SoftmaxOptions", {"beta": 1.0}))
    lifted = lift(made.tflite(), form="folded")
    return fisher(lifted, lifted.layers, Rows((X,)), temperature=temperature, seed=seed)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_classes(temperature: float) -> None:
    """Fisher's matrix by the scores z is diag(p) - p p'."""
    found = felt(Net(4).dense(W, np.zeros(3)).dense(V, np.zeros(5)), 0, temperature, True)
    z = X @ W.T @ V.T / temperature
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    matrix = np.einsum("bi,ij->bij", p, np.eye(5)) - np.einsum("bi,bj->bij", p, p)
    by_scores = np.einsum("bii->i", matrix) / len(X)
    by_inner = np.einsum("ik,bij,jk->k", V, matrix, V) / len(X)
    np.testing.assert_allclose(found["y1"], by_scores, rtol=0.25)
    np.testing.assert_allclose(found["y0"], by_inner, rtol=0.25)


def test_values_count_in_units_of_their_spread() -> None:
    found = felt(Net(4).dense(W, np.zeros(3)).dense(V, np.zeros(5)))
    spread = (X @ W.T @ V.T).std(axis=0).mean()
    np.testing.assert_allclose(found["y0"], np.square(V).sum(axis=0) / spread**2, rtol=0.25)


def test_places_add_up() -> None:
    """A mean over 16 places: each feels a sixteenth, squared, and there are 16 of them."""
    random = np.random.default_rng(3)
    rows = Rows((random.normal(size=(64, 4, 4, 2)).astype(np.float32),))
    kernel = random.normal(size=(3, 1, 1, 2))
    lifted = lift(Net(4, 4, 2).conv(kernel, np.zeros(3), NONE).mean().tflite(), form="folded")
    found = fisher(lifted, lifted.layers, rows, temperature=1.0, seed=0)["y0"]
    spread = np.asarray(lifted.scores(rows.inputs[0])).std(axis=0).mean()
    np.testing.assert_allclose(found * spread**2, np.full(3, 1 / 16), rtol=0.35)


def test_the_seed_decides() -> None:
    first, again, other = (felt(Net(4).dense(W, np.zeros(3)), seed)["y0"] for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()

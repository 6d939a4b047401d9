from __future__ import annotations

import numpy as np
import pytest
from lift_cases import random_net

from edgekit.bridge.lift import lift
from edgekit.bridge.prove import prove
from edgekit.errors import ModelError


def test_equal_models_are_within_rounding() -> None:
    assert prove(lift(random_net().tflite())) < 1e-5


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_first_layer_that_differs_is_named(place: int) -> None:
    tflite = random_net().tflite()
    lifted = lift(tflite)
    layer = lifted.layers[place]
    layer.layer.set_weights([weight + 0.5 for weight in layer.layer.get_weights()])
    with pytest.raises(ModelError, match=f"the first layer that differs is '{layer.name}'"):
        prove(lifted)


def test_a_value_that_is_not_finite_is_a_difference() -> None:
    lifted = lift(random_net().tflite(), form="folded")
    layer = lifted.layers[2].layer
    layer.set_weights([layer.get_weights()[0], np.full(3, np.nan, np.float32)])
    with pytest.raises(ModelError, match="differs from the flatbuffer by inf"):
        prove(lifted)

"""What the compiler saved, in words."""

from __future__ import annotations

from typing import Any

from edgekit.c_project.savings import savings

NOTHING: dict[str, Any] = {
    "channels": {"removed": 0, "channels": 30},
    "weights": [{"form": "plain"}, {"form": "plain"}],
}


def layer(form: str, stored: int) -> dict[str, Any]:
    instructions = {"instructions_plain": 1000, "instructions_stored": 1100}
    return {"form": form, "bytes_plain": 4096, "bytes_stored": stored, **instructions}


def test_nothing_is_said_where_nothing_was_saved() -> None:
    assert savings(NOTHING) == {}


def test_channels_and_codes() -> None:
    counts = {"weights": 9000, "weights_left": 1000, "macs": 8000, "macs_left": 4000}
    found = savings(
        {
            "channels": {"removed": 10, "channels": 1600, **counts},
            "weights": [layer("plain", 4096), layer("16 values a tensor", 2064)],
        }
    )
    assert found == {
        "prune": "10 of 1,600 channels never change an output and are left out: "
        "9,000 -> 1,000 weights, 8,000 -> 4,000 MACs",
        "cluster": "the weights of 1 of 2 layers have few values and are stored as codes: "
        "8,192 -> 6,160 B of weights in all, 2,000 -> 2,200 instructions (estimated)",
    }

"""What the compiler saved, in words."""

from __future__ import annotations

from typing import Any

from edgekit.c_project.savings import savings, verdicts_of

NOTHING: dict[str, Any] = {
    "optimize": "balanced",
    "channels": {"removed": 0, "channels": 30},
    "weights": [{"form": "plain"}, {"form": "plain"}],
}


def layer(form: str, stored: int) -> dict[str, Any]:
    instructions = {"instructions_plain": 1000, "instructions_stored": 1100}
    return {"form": form, "bytes_plain": 4096, "bytes_stored": stored, **instructions}


COUNTS = {"weights": 9000, "weights_left": 1000, "macs": 8000, "macs_left": 4000}
DROPPED = {"removed": 10, "channels": 1600, **COUNTS}


def test_nothing_is_said_where_nothing_was_saved() -> None:
    assert savings(NOTHING) == {}


def test_what_saved_nothing_is_told_with_the_reason() -> None:
    why = "for a shorter form saves less than its decoder takes"
    assert verdicts_of({**NOTHING, "optimize": "size"}) == {
        "prune": f"no channel is zero as a whole, and zeros are stored, too, {why}",
        "cluster": f"they are stored in full, too, {why}",
    }
    assert verdicts_of(NOTHING)["cluster"].endswith(f"{why} in flash or in time")
    fast = verdicts_of({**NOTHING, "optimize": "speed"})
    assert fast["cluster"] == "they are stored in full, too, for speed"


def test_channels_zeros_and_codes() -> None:
    layers = [layer("plain", 4096), layer("16 values a tensor", 2064), layer("sparse", 3000)]
    section = {**NOTHING, "channels": DROPPED, "weights": layers}
    stored = "1,000 -> 1,100 instructions (estimated)"
    assert savings(section) == {
        "prune": "10 of 1,600 channels never change an output and are left out: "
        "9,000 -> 1,000 weights, 8,000 -> 4,000 MACs; "
        "the weights of 1 of 3 layers are stored without their zeros: "
        f"4,096 -> 3,000 B, and these layers take {stored}",
        "cluster": "the weights of 1 of 3 layers are stored as codes of 4 bits: "
        f"4,096 -> 2,064 B, and these layers take {stored}",
    }
    assert verdicts_of(section) == savings(section)

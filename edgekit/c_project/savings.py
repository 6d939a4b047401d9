"""What the compiler saved on a model, in words: channels left out, weights stored in few bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PLAIN, SPARSE = "plain", "sparse"
"""Forms of stored weights, as the compiler names them; all others are codes of few values."""


def savings(section: Mapping[str, Any]) -> dict[str, str]:
    """By the compression pass that brings it, a sentence for each kind of saving that there is.

    Args:
        section: `c_project` of the manifest.
    """
    layers = section["weights"]
    sparse = [layer for layer in layers if layer["form"] == SPARSE]
    coded = [layer for layer in layers if layer["form"] not in (PLAIN, SPARSE)]
    pruned = [_left_out(section["channels"]), _stored(sparse, len(layers), "without their zeros")]
    found = {
        "prune": "; ".join(filter(None, pruned)),
        "cluster": _stored(coded, len(layers), "as codes of 4 bits"),
    }
    return {name: sentence for name, sentence in found.items() if sentence}


def verdicts_of(section: Mapping[str, Any]) -> dict[str, str]:
    """By compression pass, what was saved by it, or that nothing was and why.

    Args:
        section: `c_project` of the manifest.
    """
    full = {
        "speed": "for speed",
        "balanced": "for a shorter form saves less than its decoder takes in flash or in time",
        "size": "for a shorter form saves less than its decoder takes",
    }[section["optimize"]]
    nothing = {
        "prune": f"no channel is zero as a whole, and zeros are stored, too, {full}",
        "cluster": f"they are stored in full, too, {full}",
    }
    return nothing | savings(section)


def _left_out(found: Mapping[str, int]) -> str:
    if not found["removed"]:
        return ""
    return (
        f"{found['removed']:,} of {found['channels']:,} channels never change an output and are "
        f"left out: {found['weights']:,} -> {found['weights_left']:,} weights, "
        f"{found['macs']:,} -> {found['macs_left']:,} MACs"
    )


def _stored(layers: Sequence[Mapping[str, Any]], among: int, how: str) -> str:
    if not layers:
        return ""

    def total(key: str) -> int:
        return sum(layer[key] for layer in layers)

    return (
        f"the weights of {len(layers)} of {among} layers are stored {how}: "
        f"{total('bytes_plain'):,} -> {total('bytes_stored'):,} B, and these layers take "
        f"{total('instructions_plain'):,} -> {total('instructions_stored'):,} instructions "
        "(estimated)"
    )

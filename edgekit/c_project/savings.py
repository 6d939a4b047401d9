"""What the compiler saved on a model, in words: channels left out, weights stored in few bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def savings(section: Mapping[str, Any]) -> dict[str, str]:
    """By the compression pass that brings it, a sentence for each kind of saving that there is.

    Args:
        section: `c_project` of the manifest.
    """
    found = {"prune": _left_out(section["channels"]), "cluster": _coded(section["weights"])}
    return {name: sentence for name, sentence in found.items() if sentence}


def _left_out(found: Mapping[str, int]) -> str:
    if not found["removed"]:
        return ""
    return (
        f"{found['removed']:,} of {found['channels']:,} channels never change an output and are "
        f"left out: {found['weights']:,} -> {found['weights_left']:,} weights, "
        f"{found['macs']:,} -> {found['macs_left']:,} MACs"
    )


def _coded(layers: list[Mapping[str, Any]]) -> str:
    coded = [layer for layer in layers if layer["form"] != "plain"]
    if not coded:
        return ""

    def total(key: str) -> int:
        return int(sum(layer[key] for layer in layers))

    return (
        f"the weights of {len(coded)} of {len(layers)} layers have few values and are stored as "
        f"codes: {total('bytes_plain'):,} -> {total('bytes_stored'):,} B of weights in all, "
        f"{total('instructions_plain'):,} -> {total('instructions_stored'):,} instructions "
        "(estimated)"
    )

"""The order in which the matrix kernel of a core reads its weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.compiler.cores import Isa


def pack(weights: NDArray[np.int8], isa: Isa) -> NDArray[Any]:
    """Weights, int8 [channels, depth], in the order in which the kernel of `isa` reads them."""
    if isa == "dsp":
        return _pairs(weights)
    if isa == "mve":
        return _fours(weights)
    return _side_by_side(weights) if isa == "thumb2" else weights


def _side_by_side(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """Four channels side by side for each input; what is left channel by channel."""
    whole = len(weights) // 4 * 4
    blocks = weights[:whole].reshape(-1, 4, weights.shape[1]).transpose(0, 2, 1)
    return np.concatenate([blocks.ravel(), weights[whole:].ravel()])


def _fours(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """For each four channels and 16 inputs, 16 of each channel; zeros to whole blocks."""
    whole = to_channels(to_depth(weights, 16), 4)
    return np.ascontiguousarray(whole.reshape(len(whole) // 4, 4, -1, 16).transpose(0, 2, 1, 3))


def _pairs(weights: NDArray[np.int8]) -> NDArray[np.int16]:
    """Blocks of four channels, then of two: for two inputs a word for each two channels.

    Inputs go in the order 0, 2, 1, 3 within four: that is how SXTB16 takes bytes apart.
    """
    whole = padded(weights)
    high, low = whole[1::2].astype(np.int64), whole[0::2].astype(np.int64)
    return blocks(((high * 256 + low) & 0xFFFF).astype(np.uint16).view(np.int16), len(weights))


def padded(weights: NDArray[Any]) -> NDArray[Any]:
    """[channels, depth] with zeros to an even number of channels and whole groups of 4 inputs."""
    return to_channels(to_depth(weights, 4), 2)


def blocks(pairs: NDArray[Any], channels: int) -> NDArray[Any]:
    """What stands for the weights of pairs of channels, [pairs, depth], as `dsp` reads it."""
    ordered = pairs.reshape(len(pairs), -1, 4)[:, :, [0, 2, 1, 3]]
    words = ordered.reshape(len(pairs), -1, 2)  # [pairs of channels, steps, 2 inputs]
    fours = channels // 4 * 2
    first = words[:fours].reshape(-1, 2, *words.shape[1:]).transpose(0, 2, 1, 3)
    return np.concatenate([first.ravel(), words[fours:].ravel()])


def to_channels(weights: NDArray[Any], multiple: int) -> NDArray[Any]:
    """Zeros up to a multiple of so many channels."""
    return np.pad(weights, ((0, -len(weights) % multiple), (0, 0)))


def to_depth(weights: NDArray[Any], multiple: int) -> NDArray[Any]:
    """Zeros up to a multiple of so many inputs."""
    return np.pad(weights, ((0, 0), (0, -weights.shape[1] % multiple)))

"""How near the output of a loop may lie to its input in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def nearest(written: NDArray[Any], first: NDArray[Any], *, during: bool = False) -> int:
    """The smallest (start of input - start of output) at which no input is lost.

    Args:
        written: Bytes of the output that are written after each step, int64 [steps].
        first: The first byte of the input that each step reads, int64 [steps].
        during: Whether a step may write before it has read all that it needs.
    """
    later = np.minimum.accumulate(first[::-1])[::-1]
    if during:
        return int(np.max(written - later, initial=0))
    return int(np.max(written[:-1] - later[1:], initial=0))

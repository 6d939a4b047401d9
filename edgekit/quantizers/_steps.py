"""The step of few integers that stand for weights."""

from __future__ import annotations

import numpy as np


def even_step(values: np.ndarray, levels: int) -> np.float32:
    """The step of `levels` multiples on either side of zero that is nearest to the values.

    Args:
        values: Any shape; zeros do not count.
        levels: 1 or more; the largest value is always one of the outermost.

    Returns:
        0 where all values are zero.
    """
    used = np.abs(values[values != 0])
    largest = float(used.max(initial=0))
    steps = np.linspace(0.3, 1.0, 71) * largest / levels
    if not largest:
        return np.float32(0)
    errors = [
        np.square(np.clip(np.round(used / step), 0, levels) * step - used).sum() for step in steps
    ]
    return np.float32(steps[int(np.argmin(errors))])

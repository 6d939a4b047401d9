"""Energy counters that begin again at zero when they are full."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unwrap(counter: NDArray[np.float64], full: float) -> NDArray[np.float64]:
    """The counter as if it had never begun again.

    Args:
        counter: [n]; it must be read at least once a turn.
        full: What a turn adds, in the counter's unit.
    """
    turns = np.cumsum(np.diff(counter, prepend=counter[:1]) < 0)
    return np.asarray(counter + turns * full)

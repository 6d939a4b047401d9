"""Keep a trace as an npz file; the same trace gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgekit.power._files.npz import OWN, VERSION

if TYPE_CHECKING:
    from edgekit.measure.spans import Span
    from edgekit.power.base import Trace


def write_trace(
    path: Path, trace: Trace, spans: Sequence[Span] = (), inferences: Sequence[int] = ()
) -> None:
    """Write `trace` to `path`, with its windows and how many inferences each had.

    `edgekit energy PATH` then computes the same figures again.
    """
    fields = ("time_s", "power_w", "current_a", "voltage_v", "energy_j")
    arrays = {name: getattr(trace, name) for name in fields}
    arrays |= {f"digital_{name}": levels for name, levels in trace.digital.items()}
    meta = {
        "version": VERSION,
        "clock": trace.clock,
        "clock_error_s": trace.clock_error_s,
        "sample": trace.sample,
        "codes": trace.codes,
        "info": asdict(trace.info),
    }
    with path.open("wb") as stream:
        np.savez_compressed(
            stream,
            **{name: array for name, array in arrays.items() if array is not None},
            gaps=np.array(trace.gaps, np.float64).reshape(-1, 2),
            spans=np.array([(s.start_s, s.end_s, s.error_s, s.seen) for s in spans]).reshape(-1, 4),
            inferences=np.array(inferences, np.int64),
            **{OWN: np.array(json.dumps(meta, sort_keys=True))},
        )

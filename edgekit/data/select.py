"""Which rows: a seeded choice, and none that both calibration and evaluation see."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.data.samples import Part, Samples, open_samples
from edgekit.errors import DataError
from edgekit.model import TensorSpec

MOST_SHARED = 0.01
"""Share of the evaluation rows that may also be in calibration or training, to be dropped."""


def select(samples: Samples, limit: int | None, seed: int) -> tuple[Samples, Samples]:
    """A seeded choice of at most `limit` rows and the rest, both in the order of the data.

    Args:
        samples: All rows.
        limit: The most to choose; None chooses all.
        seed: Of `np.random.default_rng`.
    """
    count = len(samples)
    if limit is None or limit >= count:
        return samples, samples.take([])
    chosen = np.random.default_rng(seed).choice(count, max(limit, 0), replace=False, shuffle=False)
    rest = np.ones(count, dtype=bool)
    rest[chosen] = False
    return samples.take(chosen), samples.take(np.flatnonzero(rest))


def drop_shared(evaluation: Samples, used: Samples | Sequence[Samples]) -> tuple[Samples, int]:
    """Evaluation rows that calibration or training do not hold, and how many were dropped.

    Rows are compared by content, whatever their file, format or label.

    Raises:
        DataError: more than 1 % are shared.
    """
    shared = shared_rows(evaluation, used)
    if not len(shared):
        return evaluation, 0
    if len(shared) > MOST_SHARED * len(evaluation):
        percent = 100 * len(shared) / len(evaluation)
        raise DataError(
            f"{len(shared)} of {len(evaluation)} evaluation rows ({percent:.1f} %) are also in "
            f"calibration or training: {name_rows(evaluation, shared)}",
            "evaluate on rows that nothing else has seen: give other files, or ranges that do not "
            "overlap ([:100] and [100:])",
        )
    return without(evaluation, used), len(shared)


def without(samples: Samples, used: Samples | Sequence[Samples]) -> Samples:
    """The rows of `samples` that `used` does not hold, compared by content."""
    shared = shared_rows(samples, used)
    return samples.take(np.setdiff1d(np.arange(len(samples)), shared)) if len(shared) else samples


def shared_rows(evaluation: Samples, used: Samples | Sequence[Samples]) -> NDArray[Any]:
    """Positions of the evaluation rows that `used` also holds."""
    sets = [used] if isinstance(used, Samples) else used
    seen = {digest for samples in sets for digest in samples.hashes()}
    if not seen:
        return np.array([], dtype=np.int64)
    return np.array([i for i, d in enumerate(evaluation.hashes()) if d in seen], dtype=np.int64)


def refuse_overlap(
    used: Sequence[str],
    evaluation: Sequence[str],
    root: Path = Path(),
    inputs: tuple[TensorSpec, ...] = (),
) -> None:
    """Refuse ranges of one array or folder that both `used` and `evaluation` name.

    Raises:
        DataError: they overlap; the hint has ranges that do not.
    """
    if not used or not evaluation:
        return
    for mine in open_samples(evaluation, root, inputs).parts:
        for theirs in open_samples(used, root, inputs).parts:
            _refuse(mine, theirs)


def _refuse(mine: Part, theirs: Part) -> None:
    low = max(mine.declared.start, theirs.declared.start)
    high = min(mine.declared.stop, theirs.declared.stop)
    if mine.reader.identity != theirs.reader.identity or low >= high:
        return
    total, cut = mine.reader.length, max(1, min(100, mine.reader.length // 2))
    base = (
        mine.reader.source.partition("[")[0]
        if mine.reader.source.endswith("]")
        else mine.reader.source
    )
    raise DataError(
        f"evaluation {mine.reader.source} and calibration or training {theirs.reader.source} "
        f"share the rows {low} to {high - 1} of {total}",
        f"give them ranges that do not overlap, for example [:{cut}] for calibration and "
        f"{base}[{cut}:] for evaluation",
    )


def name_rows(samples: Samples, positions: NDArray[Any]) -> str:
    """The first three of the rows at `positions`, for messages."""
    names = ", ".join(samples.where(int(position)) for position in positions[:3])
    return names + (f" and {len(positions) - 3} more" if len(positions) > 3 else "")

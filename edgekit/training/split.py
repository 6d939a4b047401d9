"""Rows parted by content: to calibrate on, to train on, and to guard the training."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edgekit.data.samples import Samples
from edgekit.data.select import select
from edgekit.errors import DataError
from edgekit.problem import Problem

GUARD_SHARE = 5
"""One row in so many guards the training; without training data, one more calibrates."""
ENOUGH_GUARD, FEWER_GUARD = 200, 10
"""From so many guard rows on only one in ten more: what is not trained on costs accuracy."""
FEWEST_GUARD, MOST_GUARD = 5, 1000
FEWEST_TRAINING = 10
MOST_CALIBRATION = 100
"""Rows that calibrate when calibration data are all there is, also to train on."""
FEW = 100
"""Training rows below which it is said that more would do good."""


@dataclass(frozen=True)
class Split:
    """Rows that share none: equal rows are in one part.

    Attributes:
        calibration: For the ranges of the quantizer.
        training: To learn from.
        guard: To choose the best epoch by, and to stop.
        problems: What the user should know of it.
    """

    calibration: Samples
    training: Samples
    guard: Samples
    problems: tuple[Problem, ...] = ()


def split(calibration: Samples | None, training: Samples | None, limit: int, seed: int) -> Split:
    """Part the rows by the hash of their content and the seed, whatever their order.

    With both sets, calibration takes at most `limit` of its own, as a build without compression
    does; of the other training rows some guard: a fifth up to 200, then a tenth. With one set, as
    many of it guard, and a fifth, at most 100 and `limit`, calibrates.

    Args:
        calibration: All calibration rows, if given.
        training: All training rows, if given.
        limit: The most that calibrate.
        seed: Another seed gives another split.

    Raises:
        DataError: Fewer than 10 rows would be left to train on, or 5 to guard.
    """
    if calibration is None or training is None:
        pool = calibration if training is None else training
        if pool is None:
            raise DataError(
                "there are no data to fine-tune on", "give --training, or --calibration alone"
            )
        return _of_one(pool, limit, seed)
    return _of_two(calibration, training, limit, seed)


def held_out(samples: Samples, share: float, seed: int) -> Samples:
    """A share of the rows, by the hash of their content and the seed, whatever their order."""
    return _rows(samples, _draw(Counter(samples.hashes()), round(share * len(samples)), seed))


def _of_two(calibration: Samples, training: Samples, limit: int, seed: int) -> Split:
    chosen, _ = select(calibration, limit, seed)
    free = Counter(training.hashes())
    for digest in chosen.hashes():
        free.pop(digest, None)
    held = len(training) - free.total()
    guard = _draw(free, _guard_size(free.total()), seed)
    parts = Split(chosen, _rows(training, free - guard), _rows(training, guard))
    if held:
        note = f"{held} training rows are left out, as calibration uses them"
        parts = _with(parts, "note", note, "nothing, if that is what you want")
    return _checked(parts, len(training), "training")


def _of_one(pool: Samples, limit: int, seed: int) -> Split:
    count = Counter(pool.hashes())
    guard = _draw(count, _guard_size(len(pool)), seed)
    size = min(limit, MOST_CALIBRATION, len(pool) // GUARD_SHARE)
    few = _draw(count - guard, size, seed)
    parts = Split(_rows(pool, few), _rows(pool, count - guard - few), _rows(pool, guard))
    note = (
        f"{len(parts.training)} of {len(pool)} rows are trained on, {len(parts.guard)} guard the "
        f"training and {len(parts.calibration)} calibrate"
    )
    return _checked(_with(parts, "note", note, "give --training to calibrate on all"), len(pool))


def _guard_size(rows: int) -> int:
    share = min(round(rows / GUARD_SHARE), max(ENOUGH_GUARD, rows // FEWER_GUARD))
    return min(max(share, FEWEST_GUARD), MOST_GUARD)


def _draw(count: Counter[bytes], rows: int, seed: int) -> Counter[bytes]:
    """Of the distinct rows in `count`, those that come first by keyed hash, up to `rows` in all.

    What repeats more often than there is room for is passed over: it would be all of the part.
    """
    drawn: Counter[bytes] = Counter()
    left = rows
    for digest in sorted(count, key=lambda digest: _keyed(digest, seed)):
        if count[digest] <= left:
            drawn[digest] = count[digest]
            left -= count[digest]
    return drawn


def _keyed(digest: bytes, seed: int) -> bytes:
    return hashlib.sha256(f"split {seed} ".encode() + digest).digest()


def _rows(samples: Samples, wanted: Iterable[bytes]) -> Samples:
    held = frozenset(wanted)
    digests = samples.hashes()
    return samples.take(np.flatnonzero([digest in held for digest in digests]))


def _checked(parts: Split, given: int, source: str = "calibration or training") -> Split:
    training, guard = len(parts.training), len(parts.guard)
    if training < FEWEST_TRAINING or guard < FEWEST_GUARD:
        raise DataError(
            f"{given} {source} rows are too few to fine-tune: they leave {training} to train on "
            f"and {guard} to guard, and {FEWEST_TRAINING} and {FEWEST_GUARD} are needed",
            "give at least 20 rows that differ, better hundreds, with --training",
        )
    if training < FEW:
        return _with(
            parts,
            "warning",
            f"only {training} rows are trained on",
            "give hundreds with --training; they need no labels",
        )
    return parts


def _with(parts: Split, severity: str, message: str, hint: str) -> Split:
    problem = Problem(severity, "--training", message, hint)  # type: ignore[arg-type]
    return Split(parts.calibration, parts.training, parts.guard, (*parts.problems, problem))

"""Confidence intervals, mostly of the difference of two measurements on the same samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np

RESAMPLES = 1000


def paired_proportions(
    both: float, first_only: float, second_only: float, neither: float, confidence: float = 0.95
) -> tuple[float, float]:
    """Score interval of the difference of two proportions on the same samples, first - second.

    Wilson intervals of the two proportions, combined by square-and-add with the continuity
    corrected correlation phi. Unlike the textbook interval it has a width even where the two
    never disagree, and stays within -1..1. Counts need not be whole: planning scales them.

    Args:
        both: Samples that both get right.
        first_only: Samples that only the first gets right.
        second_only: Samples that only the second gets right.
        neither: Samples that both get wrong.
        confidence: Probability that the interval holds the true difference.

    Returns:
        Lower and upper limit as fractions.

    Source: Newcombe 1998, Statistics in Medicine 17, 2635-2650, method 10.
    """
    count = both + first_only + second_only + neither
    first, second = (both + first_only) / count, (both + second_only) / count
    low1, high1 = wilson(both + first_only, count, confidence)
    low2, high2 = wilson(both + second_only, count, confidence)
    phi = _phi(both, first_only, second_only, neither)
    below = _square_and_add(first - low1, high2 - second, phi)
    above = _square_and_add(second - low2, high1 - first, phi)
    difference = (first_only - second_only) / count
    return max(-1.0, difference - below), min(1.0, difference + above)


def wilson(successes: float, count: float, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of one proportion, as fractions.

    Source: Wilson 1927, Journal of the American Statistical Association 22, 209-212.
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = successes / count
    middle = 2 * successes + z * z
    spread = z * math.sqrt(z * z + 4 * successes * (1 - share))
    return (middle - spread) / (2 * (count + z * z)), (middle + spread) / (2 * (count + z * z))


def bootstrap(
    difference: Callable[[np.ndarray], float],
    count: int,
    seed: int,
    groups: np.ndarray | None = None,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of a statistic over samples drawn again with replacement.

    Args:
        difference: From indices of samples to the statistic.
        count: Number of samples.
        seed: Of the drawing.
        groups: int [count]; samples are drawn within each group, so that none is ever empty.
        confidence: Probability that the interval holds the true value.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
    """
    draw = np.random.default_rng(seed)
    labels = np.zeros(count, np.int64) if groups is None else groups
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    values = [
        difference(np.concatenate([draw.choice(part, part.size) for part in members]))
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(values, (0.5 - confidence / 2, 0.5 + confidence / 2))
    return float(low), float(high)


def samples_to_decide(proven: Callable[[float], bool], samples: int, most: int) -> int:
    """How many samples would prove an estimate that stays as it is.

    Args:
        proven: Whether the interval is narrow enough at so many times the samples: for
            proportions the interval of the same shares, and so of the same share of
            disagreements, in more samples; for others one that narrows with the square root of
            the samples (central limit theorem). It must become so.
        samples: That there are; they do not suffice.
        most: Beyond this the number does not matter.

    Returns:
        The number, rounded up to two digits; `most` + 1 where it takes more than that.
    """
    low, high = 1.0, 2.0
    while not proven(high):
        low, high = high, 2 * high
        if low * samples > most:
            return most + 1
    while (high - low) * samples > 1:
        middle = (low + high) / 2
        low, high = (low, middle) if proven(middle) else (middle, high)
    number = math.ceil(high * samples)
    step = int(10 ** max(0, len(str(number)) - 2))
    return math.ceil(number / step) * step


def _phi(both: float, first_only: float, second_only: float, neither: float) -> float:
    """Correlation of the two outcomes; positive ones are corrected for continuity."""
    margins = (both + first_only) * (second_only + neither)
    margins *= (both + second_only) * (first_only + neither)
    if margins == 0:
        return 0.0
    product = both * neither - first_only * second_only
    count = both + first_only + second_only + neither
    corrected = max(product - count / 2, 0.0) if product > 0 else float(product)
    return corrected / math.sqrt(margins)


def _square_and_add(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(0.0, one * one - 2 * phi * one * other + other * other))

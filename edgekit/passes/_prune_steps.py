"""At which steps of a training zeros are chosen, and how many there are at each."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.errors import UsageError
from edgekit.passes._prune_options import PruneOptions

_UPDATES = 50  # choices of zeros between begin and end, where no frequency is given


@dataclass(frozen=True)
class Steps:
    """When the zeros of a layer are chosen anew, in optimiser steps counted from 1.

    Attributes:
        begin: The first time.
        end: The last time; a whole number of `frequency` after `begin`, or TFMOT would never
            come to the last choice.
        frequency: From one time to the next.
    """

    begin: int
    end: int
    frequency: int

    @classmethod
    def of(cls, options: PruneOptions, total: int) -> Steps:
        """The steps of a layer in a training of `total` steps.

        Raises:
            UsageError: They do not fit into the training.
        """
        if options.n_m and options.schedule != "splicing":
            return cls(1, 1, 1)  # TFMOT chooses these zeros at the first step, once and for all
        begin = 1 + int(options.begin * (total - 1))
        span = max(int(options.end * total) - begin, 0)
        frequency = options.frequency or max(span // _UPDATES, 1)
        if options.frequency > max(span, 1):
            raise UsageError(
                f"frequency = {frequency}: the schedule is longer than the training, which has "
                f"{total} steps, {span} of them between begin and end",
                f"give a frequency of at most {max(span, 1)}, or more epochs",
            )
        return cls(begin, begin + span // frequency * frequency, frequency)

    def counted(self, calls: int) -> Steps:
        """As TFMOT counts: each of the `calls` of a layer in a step is one more."""
        begin, end = (calls * (step - 1) + 1 for step in (self.begin, self.end))
        return Steps(begin, end, calls * self.frequency)

    def choose(self, step: int) -> bool:
        """Whether zeros are chosen at this step."""
        return self.begin <= step <= self.end and (step - self.begin) % self.frequency == 0

    def share(self, step: int, initial: float, target: float) -> float:
        """The share of zeros at a step: fast at first, when there are many that do not matter.

        Source: Zhu and Gupta 2017, arXiv:1710.01878, equation 1.
        """
        if self.begin == self.end:
            return target
        left = 1 - (step - self.begin) / (self.end - self.begin)
        return target + (initial - target) * max(left, 0.0) ** 3

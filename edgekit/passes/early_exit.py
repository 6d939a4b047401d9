"""Early exits: a network that is sure of its answer half-way stops there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgekit.passes._early_exit_options import EarlyExitOptions
from edgekit.passes.base import Base, Candidate, Context


class Pass(Base):
    """The network answers behind inner layers, too; thresholds are chosen on what is built."""

    name = "early_exit"
    title = "early exits: a network that is sure half-way stops there"
    paper = "Teerapittayanon et al. 2016 (BranchyNet), arXiv:1709.01686"
    Options = EarlyExitOptions
    value = "exits"
    refuses: ClassVar[Mapping[str, str]] = {
        "exits": "give early_exit once: exits=3 makes three",
        "qat": "put quantize_aware last: its ranges are of the layers that there are",
    }
    leaves = frozenset({"exits"})

    def apply(self, candidate: Candidate, options: EarlyExitOptions, context: Context) -> Candidate:
        """The model with an output for each exit, fine-tuned."""
        from edgekit.passes._early_exited import early_exited

        return early_exited(self.name, candidate, options, context)

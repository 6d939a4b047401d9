"""Skipped blocks: each input runs only the residual branches that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgekit.passes._skip_options import SkipOptions
from edgekit.passes.base import Base, Candidate, Context


class Pass(Base):
    """A gate in front of each residual branch looks at the input and lets it run or not."""

    name = "skip"
    title = "skipped blocks: each input runs the residual branches that it needs"
    paper = (
        "Wang et al. 2018 (SkipNet), arXiv:1711.09485; gradients through hard gates: Bengio et al. "
        "2013, arXiv:1308.3432"
    )
    Options = SkipOptions
    value = "skipped"
    refuses: ClassVar[Mapping[str, str]] = {
        "sparse": "leave prune out: the last layer of a branch gets a factor that it knows not",
        "clustered": "leave cluster out: the last layer of a branch gets a factor",
        "qat": "leave quantize_aware out: its ranges are of a network without gates",
        "exits": "use skip or early_exit: a network that stops cannot skip, too",
    }
    leaves = frozenset({"gated"})

    def apply(self, candidate: Candidate, options: SkipOptions, context: Context) -> Candidate:
        """The model with gates, fine-tuned; what they decide are outputs behind its own."""
        from edgekit.passes._skipped import skipped

        return skipped(self.name, candidate, options, context)

"""Structured removal: channels, neurons, heads leave the network, which becomes smaller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgekit.passes._remove_options import RemoveOptions
from edgekit.passes.base import Base, Candidate, Context


class Pass(Base):
    """What must leave together is found from the graph; what reads the rest makes up for it."""

    name = "remove"
    title = "structured removal: channels that are missed least leave the network"
    paper = (
        "Fang et al. 2023 (DepGraph), arXiv:2301.12900; Molchanov et al. 2017, arXiv:1611.06440; "
        "refit: He et al. 2017, arXiv:1707.06168"
    )
    Options = RemoveOptions
    value = "share"
    refuses: ClassVar[Mapping[str, str]] = {
        "sparse": "put remove in front of prune: zeros are promised of kernels as they are",
        "clustered": "put remove in front of cluster: its code books are of kernels as they are",
        "qat": "put quantize_aware last: its ranges are of the channels that are left",
    }

    def apply(self, candidate: Candidate, options: RemoveOptions, context: Context) -> Candidate:
        """The smaller model, fine-tuned."""
        from edgekit.passes._removed import removed

        return removed(self.name, candidate, options, context)

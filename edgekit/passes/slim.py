"""Slimmable networks: one set of weights that runs at several widths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgekit.passes._slim_options import SlimOptions
from edgekit.passes.base import Base, Candidate, Context


class Pass(Base):
    """A narrow network is the first channels of the wide one, with scales and biases of its own."""

    name = "slim"
    title = "slimmable: one set of weights that runs at several widths"
    paper = "Yu et al. 2018, arXiv:1812.08928; sandwich rule: Yu and Huang 2019, arXiv:1903.05134"
    Options = SlimOptions
    value = "widths"
    example = "slim:0.5+0.25"
    refuses: ClassVar[Mapping[str, str]] = {
        "sparse": "leave prune out: zeros are promised of whole kernels, and these are cut",
        "clustered": "leave cluster out: its code books are of whole kernels, and these are cut",
        "qat": "leave quantize_aware out: its ranges are of one width",
        "exits": "use slim or early_exit: an exit's heads are for one width",
    }
    leaves = frozenset({"slim"})

    def apply(self, candidate: Candidate, options: SlimOptions, context: Context) -> Candidate:
        """The model, and it at each of the other widths."""
        from edgekit.passes._slimmed import slimmed

        return slimmed(self.name, candidate, options, context)

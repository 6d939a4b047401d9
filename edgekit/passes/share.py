"""Sharing: layers that are alike have one kernel, which is stored once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgekit.passes._share_options import ShareOptions
from edgekit.passes.base import Base, Candidate, Context


class Pass(Base):
    """The layers of a group read one kernel, and keep biases of their own.

    Work and activations stay; what is stored shrinks. In int8 the scales of the channels are those
    of the kernel, so that it has one buffer there, too.
    """

    name = "share"
    title = "sharing: layers that are alike have one kernel, which is stored once"
    paper = "Lan et al. 2020 (ALBERT), arXiv:1909.11942; Dehghani et al. 2019, arXiv:1807.03819"
    Options = ShareOptions
    value = "group"
    refuses: ClassVar[Mapping[str, str]] = {
        "sparse": "put share in front of prune: zeros are promised of kernels as they are",
        "clustered": "put share in front of cluster: its code books are of kernels as they are",
        "qat": "put quantize_aware last: its ranges are of the weights that it left",
    }

    def apply(self, candidate: Candidate, options: ShareOptions, context: Context) -> Candidate:
        """The model with shared kernels, trained, and the promise of who shares them."""
        from edgekit.passes._shared import shared

        return shared(self.name, candidate, options, context)

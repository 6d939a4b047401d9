"""Depthwise separable: a convolution becomes a depthwise and a 1 x 1 one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgekit.passes._depthwise_options import DepthwiseOptions
from edgekit.passes.base import Base, Candidate, Context


class Pass(Base):
    """A kernel of 3 x 3 takes about a ninth of the work, and says less."""

    name = "depthwise_separable"
    title = "a convolution becomes a depthwise one and one of 1 x 1"
    paper = (
        "Howard et al. 2017 (MobileNets), arXiv:1704.04861; from kernels that are trained: Guo et "
        "al. 2018 (network decoupling), arXiv:1808.05517"
    )
    Options = DepthwiseOptions
    value = "multiplier"
    refuses: ClassVar[Mapping[str, str]] = {
        "sparse": "put depthwise_separable in front of prune: zeros are promised of kernels",
        "clustered": "put depthwise_separable in front of cluster: code books are of kernels",
        "qat": "put quantize_aware last: its ranges are of the layers that there are",
    }

    def apply(self, candidate: Candidate, options: DepthwiseOptions, context: Context) -> Candidate:
        """The model with layers replaced, fine-tuned."""
        from edgekit.passes._separated import separable

        return separable(self.name, candidate, options, context)

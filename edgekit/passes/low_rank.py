"""Low rank: a layer becomes two thin ones, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgekit.passes._low_rank_options import LowRankOptions
from edgekit.passes.base import Base, Candidate, Context


class Pass(Base):
    """Layers for which two thin ones cost more are left as they are."""

    name = "low_rank"
    title = "low rank: a layer becomes two thin ones, one after the other"
    paper = (
        "Denton et al. 2014, arXiv:1404.0736; Jaderberg et al. 2014, arXiv:1405.3866; Zhang et al. "
        "2015, arXiv:1505.06798; with a sparse part: Yu et al. 2017 (CVPR)"
    )
    Options = LowRankOptions
    value = "energy"
    refuses: ClassVar[Mapping[str, str]] = {
        "sparse": "put low_rank in front of prune: zeros are promised of kernels as they are",
        "clustered": "put low_rank in front of cluster: its code books are of kernels as they are",
        "qat": "put quantize_aware last: its ranges are of the layers that there are",
    }

    def apply(self, candidate: Candidate, options: LowRankOptions, context: Context) -> Candidate:
        """The model with split layers, fine-tuned."""
        from edgekit.passes._low_ranked import low_ranked

        return low_ranked(self.name, candidate, options, context)

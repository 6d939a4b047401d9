"""Pruning: the weights that a model misses least become zero, and the others make up for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgekit.passes._prune_options import PruneOptions
from edgekit.passes.base import Base, Candidate, Context


class Pass(Base):
    """Zeros by least squares and then training; or masks of the smallest weights while it trains.

    Masks are TFMOT's where it can, else ours (`_mask_pruner`). For both, the kernel that is
    trained, and whose magnitudes decide, is the flatbuffer's divided by one number a layer.
    Dividing each output channel by its own largest weight instead takes as much from the channels
    that say most as from those that say least (ResNet8, 70 % zeros, 15 epochs without labels, two
    seeds: KL to the original 1.32 instead of 0.85).
    """

    name = "prune"
    title = "pruning: weights that the model misses least become zero"
    paper = (
        "Frantar and Alistarh 2022, arXiv:2208.11580; van der Ouderaa et al. 2023, "
        "arXiv:2312.17244; by magnitude: Zhu and Gupta 2017, arXiv:1710.01878; sigma and "
        "sensitivity: Han et al. 2015, arXiv:1506.02626; splicing: Guo et al. 2016, "
        "arXiv:1608.04493; N:M: Zhou et al. 2021, arXiv:2102.04010"
    )
    Options = PruneOptions
    value = "sparsity"
    leaves = frozenset({"sparse"})
    refuses: ClassVar[Mapping[str, str]] = {
        "clustered": "prune before cluster: cluster keeps the zeros",
        "qat": "put quantize_aware last: its ranges are of the weights that it left",
    }

    def apply(self, candidate: Candidate, options: PruneOptions, context: Context) -> Candidate:
        """The model with zeros, and the promise of as many as were reached."""
        from edgekit.passes._pruned import pruned

        return pruned(self.name, candidate, options, context)

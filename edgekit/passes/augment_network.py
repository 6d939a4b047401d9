"""Network augmentation: while it trains, a tiny network is a part of a wider one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgekit.passes._augment_options import AugmentOptions
from edgekit.passes.base import Base, Candidate, Context


class Pass(Base):
    """Tiny networks learn too little, not too much: what helps is not noise but more capacity.

    The paper draws the width of the wide network anew in each step; here it is always the same.
    """

    name = "augment_network"
    title = "network augmentation: it trains as a part of a wider network"
    paper = "Cai et al. 2022 (NetAug), arXiv:2110.08890"
    Options = AugmentOptions
    value = "width"
    refuses: ClassVar[Mapping[str, str]] = {
        "clustered": "put augment_network in front: code books stay as they are",
        "qat": "put quantize_aware last: its ranges are of the weights that it left",
    }

    def apply(self, candidate: Candidate, options: AugmentOptions, context: Context) -> Candidate:
        """The model as wide as it was, trained."""
        from edgekit.passes._augmented import augmented

        return augmented(self.name, candidate, options, context)

"""Fine-tuning alone: the model, or a network of the user's, learns from the original's scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgekit.passes._distill_options import DistillOptions
from edgekit.passes.base import Base, Candidate, Context


class Pass(Base):
    """Recovers what other passes cost: zeros stay zeros, code books stay as they are.

    With `student` it begins with another network, and passes behind it go on with the original as
    their teacher: with `quantize_aware` that is Apprentice (Mishra and Marr 2018).
    """

    name = "distill"
    title = "fine-tuning to the original's scores, and to labels if there are any"
    paper = (
        "Hinton et al. 2015, arXiv:1503.02531; features: Romero et al. 2015, arXiv:1412.6550; "
        "before qat: Mishra and Marr 2018, arXiv:1711.05852"
    )
    Options = DistillOptions
    refuses: ClassVar[Mapping[str, str]] = {
        "qat": "put quantize_aware last: it trains with the same objective"
    }

    def apply(self, candidate: Candidate, options: DistillOptions, context: Context) -> Candidate:
        """The model with trained weights; never worse on the guard rows than before."""
        from edgekit.passes._distilled import distilled

        return distilled(self.name, candidate, options, context)

"""Fine-tuning alone: the model learns from the original, and from labels where there are any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from edgekit.passes.base import Base, Candidate, Context, PassOptions


@dataclass(frozen=True)
class DistillOptions(PassOptions):
    """None of its own: all that there is to say is said by `fine_tune`."""


class Pass(Base):
    """Recovers what other passes cost: zeros stay zeros, code books stay as they are."""

    name = "distill"
    title = "fine-tuning to the original's scores, and to labels if there are any"
    paper = "Hinton et al. 2015, arXiv:1503.02531; features: Romero et al. 2015, arXiv:1412.6550"
    Options = DistillOptions
    refuses: ClassVar[Mapping[str, str]] = {
        "qat": "put quantize_aware last: it trains with the same objective"
    }

    def apply(self, candidate: Candidate, options: DistillOptions, context: Context) -> Candidate:
        """The model with trained weights; never worse on the guard rows than before."""
        from edgekit.bridge.lift import lift
        from edgekit.passes import _wrapped as wrapped

        planned = wrapped.training(context)
        lifted = lift(candidate.tflite)
        trained = wrapped.train(candidate, context, lifted, planned, title="fine-tuning")
        entry = wrapped.make_entry(self.name, options, planned, trained)
        return wrapped.finish(candidate, lifted, entry=entry)

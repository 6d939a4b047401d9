"""Lottery tickets: the weights that stay begin again where they began, and train alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgekit.passes._rewind_options import RewindOptions
from edgekit.passes.base import Base, Candidate, Context


class Pass(Base):
    """A sparse network that is trained by itself; or one that is found and not trained at all."""

    name = "rewind"
    title = "lottery tickets: weights that stay begin again where they began, and train alone"
    paper = (
        "Frankle and Carbin 2019, arXiv:1803.03635; signs: Zhou et al. 2019, arXiv:1905.01067; "
        "supermask: Ramanujan et al. 2020 (edge-popup), arXiv:1911.13299"
    )
    Options = RewindOptions
    value = "sparsity"
    example = "rewind:0.9:initial=untrained.keras"
    leaves = frozenset({"sparse"})
    refuses: ClassVar[Mapping[str, str]] = {
        "clustered": "put rewind in front: it forgets what weights have become",
        "qat": "put quantize_aware last: its ranges are of the weights that it left",
    }

    def apply(self, candidate: Candidate, options: RewindOptions, context: Context) -> Candidate:
        """The sparse model, trained from its start, and the promise of its zeros."""
        from edgekit.passes._rewound import rewound

        return rewound(self.name, candidate, options, context)

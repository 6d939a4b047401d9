"""Weights that are a sign each, or a sign or zero, times a scale of each output channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgekit.passes._bits_options import BinarizeOptions
from edgekit.passes.base import Base, Candidate, Context


class Pass(Base):
    """Straight-through training of signs.

    The scales begin as the mean magnitude of the weights and are trained. The flatbuffer stays
    float: weights are multiples of `Candidate.weight_scales`, which int8 files store as they are,
    and which the C of a microcontroller packs into one bit, or two.
    """

    name = "binarize"
    title = "binary or ternary: the weights of a layer become signs, times a scale a channel"
    paper = (
        "Courbariaux et al. 2016 (BinaryNet), arXiv:1602.02830; scales: Rastegari et al. 2016 "
        "(XNOR-Net), arXiv:1603.05279; ternary: Li et al. 2016 (TWN), arXiv:1605.04711; trained "
        "scales: Zhu et al. 2017 (TTQ), arXiv:1612.01064"
    )
    Options = BinarizeOptions
    value = "levels"
    leaves = frozenset({"clustered"})
    refuses: ClassVar[Mapping[str, str]] = {
        "qat": "put quantize_aware last: its ranges are of the weights that it left",
    }

    def apply(self, candidate: Candidate, options: BinarizeOptions, context: Context) -> Candidate:
        """The model with signs for weights, and the promise of how many values."""
        from edgekit.passes._leveled import leveled

        return leveled(self.name, candidate, options, context)

"""Weights of few bits: integers on either side of zero, times a scale of each output channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgekit.passes._bits_options import QuantizeBitsOptions
from edgekit.passes.base import Base, Candidate, Context


class Pass(Base):
    """Straight-through training of weights that are rounded in every step, and of their scales.

    The flatbuffer stays float: weights are multiples of `Candidate.weight_scales`, which int8 and
    int4 files store as they are, and which the C of a microcontroller packs.
    """

    name = "quantize_bits"
    title = "few bits: the weights of a layer become integers of 8 to 2 bits"
    paper = (
        "Esser et al. 2020 (LSQ), arXiv:1902.08153; straight-through: Bengio et al. 2013, "
        "arXiv:1308.3432; the first integers: Frantar et al. 2022 (GPTQ), arXiv:2210.17323"
    )
    Options = QuantizeBitsOptions
    value = "bits"
    leaves = frozenset({"clustered"})
    refuses: ClassVar[Mapping[str, str]] = {
        "qat": "put quantize_aware last: its ranges are of the weights that it left",
    }

    def apply(
        self, candidate: Candidate, options: QuantizeBitsOptions, context: Context
    ) -> Candidate:
        """The model with weights of few bits, and the promise of how many values."""
        from edgekit.passes._leveled import leveled

        return leveled(self.name, candidate, options, context)

"""Product quantization: blocks of weights in a row share a few blocks of values, which train on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgekit.passes._product_options import ProductOptions
from edgekit.passes.base import Base, Candidate, Context


class Pass(Base):
    """A code book of blocks for each layer, learned on what the layer is given.

    Blocks are of the normalised form: kernel = factor of the channel x blocks. So in int8, too, all
    channels of a layer have one code book, with `Candidate.weight_scales` as the scales.
    `edgekit.storage` stores it: an index a block, and the blocks.
    """

    name = "product_quantize"
    title = "product quantization: blocks of weights in a row share a few blocks of values"
    paper = (
        "Stock et al. 2019 (And the bit goes down), arXiv:1907.05686; blocks that make up for each "
        "other: Behdin et al. 2023 (QuantEase), arXiv:2309.01885"
    )
    Options = ProductOptions
    value = "codes"
    leaves = frozenset({"clustered"})
    refuses: ClassVar[Mapping[str, str]] = {
        "sparse": "leave prune out: a block has no room for zeros of its own",
        "clustered": "leave one of them out: a kernel has one code book",
        "qat": "put quantize_aware last: its ranges are of the weights that it left",
    }

    def apply(self, candidate: Candidate, options: ProductOptions, context: Context) -> Candidate:
        """The model with shared blocks, and the promise of how many."""
        from edgekit.passes._product import product_quantized

        return product_quantized(self.name, candidate, options, context)

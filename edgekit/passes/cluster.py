"""Weight clustering: the weights of a layer share a few values, which train on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgekit.passes._cluster_options import ClusterOptions
from edgekit.passes.base import Base, Candidate, Context


class Pass(Base):
    """TFMOT's clustering around each layer that is to be clustered.

    Values are shared in the normalised form: kernel = factor of the channel x code[index]. So in
    int8, too, all channels of a layer have one code book of at most that many integers, with
    `Candidate.weight_scales` as the scales.
    """

    name = "cluster"
    title = "weight clustering: the weights of a layer share a few values"
    paper = (
        "Han et al. 2016 (Deep Compression), arXiv:1510.00149; the first choice of values: Frantar "
        "et al. 2022 (GPTQ), arXiv:2210.17323"
    )
    Options = ClusterOptions
    value = "clusters"
    leaves = frozenset({"clustered"})
    refuses: ClassVar[Mapping[str, str]] = {
        "clustered": "one cluster pass does it all: per_layer gives layers their own counts",
        "qat": "put quantize_aware last: its ranges are of the weights that it left",
    }

    def apply(self, candidate: Candidate, options: ClusterOptions, context: Context) -> Candidate:
        """The model with shared values, and the promise of how many."""
        from edgekit.passes._clustered import clustered

        return clustered(self.name, candidate, options, context)

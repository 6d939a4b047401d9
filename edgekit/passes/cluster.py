"""Weight clustering: the weights of a layer share a few values, which train on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from edgekit import _tf
from edgekit.bridge.lift import LiftedLayer, lift
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._cluster_plan import ClusterOptions, plan
from edgekit.passes._code_book import CodeBook
from edgekit.passes._keep import code_scale, one_factor, positive
from edgekit.passes.base import Base, Candidate, Context
from edgekit.passes.promises import Promise

LEARNING_RATE = 5e-4
"""ResNet8, 16 clusters, 4 epochs without labels: KL to the original 0.039; 0.062 with 1e-4, 0.058
with 2e-3."""


class Pass(Base):
    """TFMOT's clustering around each layer that is to be clustered.

    Values are shared in the normalised form: kernel = factor of the channel x code[index]. So in
    int8, too, all channels of a layer have one code book of at most that many integers, with
    `Candidate.weight_scales` as the scales.
    """

    name = "cluster"
    title = "weight clustering: the weights of a layer share a few values"
    paper = "Han et al. 2016 (Deep Compression), arXiv:1510.00149"
    Options = ClusterOptions
    value = "clusters"
    leaves = frozenset({"clustered"})
    refuses: ClassVar[Mapping[str, str]] = {
        "clustered": "one cluster pass does it all: per_layer gives layers their own counts",
        "qat": "put quantize_aware last: its ranges are of the weights that it left",
    }

    def apply(self, candidate: Candidate, options: ClusterOptions, context: Context) -> Candidate:
        """The model with shared values, and the promise of how many."""
        plans, problems = plan(candidate, lift(candidate.tflite).layers, options)
        planned = wrapped.training(context, LEARNING_RATE)
        _tf.tensorflow().random.set_seed(context.seed)
        books: dict[str, CodeBook] = {}

        def wrap(layer: LiftedLayer) -> Any:
            if layer.name not in plans:
                return layer.layer
            if plans[layer.name].factors == "layer":
                one_factor(layer)
            books[layer.name] = _book(layer, plans[layer.name])
            return books[layer.name].wrapper

        lifted = lift(candidate.tflite, wrap=wrap)
        layers = [layer for layer in lifted.layers if layer.name in books]
        for book in books.values():
            book.settle()
        trained = wrapped.train(
            candidate,
            context,
            lifted,
            planned,
            holding=books,
            above_zero=positive(layers),
            constant=positive([each for each in layers if plans[each.name].factors == "layer"]),
            title=_title(plans),
        )
        for book in books.values():
            book.strip()
        achieved = {layer.name: _achieved(layer) for layer in layers}
        shared = [layer for layer in layers if not plans[layer.name].per_channel]
        return wrapped.finish(
            candidate,
            lifted,
            entry=wrapped.make_entry(self.name, options, planned, trained, achieved),
            promises=[_promise(layer, plans[layer.name]) for layer in layers],
            scales={layer.kernel: code_scale(layer) for layer in shared},
            problems=problems,
        )


def _book(layer: LiftedLayer, own: ClusterOptions) -> CodeBook:
    zeros = own.preserve_sparsity == "on"
    return CodeBook(layer, own.clusters, own.init, per_channel=own.per_channel, zeros=zeros)


def _title(plans: Mapping[str, ClusterOptions]) -> str:
    counts = sorted({own.clusters for own in plans.values()})
    count = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"clustering {len(plans)} layer{'s' * (len(plans) > 1)} to {count} values"


def _achieved(layer: LiftedLayer) -> dict[str, float]:
    kernel = wrapped.kernel_of(layer)
    return {"distinct": len(np.unique(kernel)), "sparsity": float((kernel == 0).mean())}


def _promise(layer: LiftedLayer, own: ClusterOptions) -> Promise:
    """Per channel, since its float weights are the values times the channel's factor."""
    return Promise(layer.name, layer.kernel, "distinct", own.clusters, per="channel")

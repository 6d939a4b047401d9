"""Quantization-aware training: weights and activations are rounded to int8 while it trains.

It runs on the graph of the float flatbuffer, where batch normalisation is folded and Conv1D is a
CONV_2D: so what TFMOT refuses in Keras models does not arise here. Which activations are rounded,
and on whose range, is asked of the int8 quantizer itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.passes.base import Base, Candidate, Context, PassOptions, option

LEARNING_RATE = 2e-3
"""ResNet8 with 70 % zeros, 6 epochs without labels: guard loss 0.61 with 1e-3, 0.59 with 5e-3.
`decay`: of 0.9 to 1 the one with the lowest guard loss on ResNet8 with half of its weights pruned
and on a DS-CNN in 32 clusters; TFMOT's 0.999 is too slow for a few hundred steps."""
SHARED_RATE = 2e-4
"""Where weights share values: a step of a code takes all its weights along, and a few hundred steps
of `LEARNING_RATE` take it dozens of integers away from where `cluster` found it best."""


@dataclass(frozen=True)
class QuantizeAwareOptions(PassOptions):
    """The number format is int8: weights symmetric, activations with a zero point."""

    decay: float = option(
        0.99, "of the moving average by which ranges follow the activations", least=0.5, most=1
    )
    freeze_ranges_after: float = option(
        0.8, "share of training after which ranges stay as they are", least=0, most=1
    )
    layers: tuple[str, ...] = option((), "names, patterns (conv*) or types (Dense); empty: all")
    exclude: tuple[str, ...] = option(
        (), "names, patterns or types that training does not round; int8 files round them after it"
    )


class Pass(Base):
    """Quantization-aware training."""

    name = "quantize_aware"
    title = "train with weights and activations rounded to int8"
    paper = "Jacob et al. 2018, Quantization and Training of Neural Networks, arXiv:1712.05877"
    Options = QuantizeAwareOptions
    leaves = frozenset({"qat"})

    def apply(
        self, candidate: Candidate, options: QuantizeAwareOptions, context: Context
    ) -> Candidate:
        """Train; the result has float weights, and ranges for the int8 quantizer."""
        from edgekit.passes._rounded import Rounded
        from edgekit.passes._wrapped import make_entry, train, training

        shares = "clustered" in candidate.traits
        planned = training(context, SHARED_RATE if shares else LEARNING_RATE)
        rounded = Rounded(candidate, options, context.rows)
        trained = train(
            candidate,
            context,
            rounded.lifted,
            planned,
            callbacks=[rounded.freeze(options.freeze_ranges_after * planned.options.epochs)],
            holding=[layer.name for layer in rounded.lifted.layers],
            title="quantization-aware training",
        )
        return rounded.finished(make_entry(self.name, options, planned, trained))

"""How `prune` works: zeros before the training, or TFMOT's wrappers and schedules during it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from edgekit import _tf
from edgekit.bridge.lift import LiftedLayer, lift
from edgekit.passes import _masks
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._gradual import gradual, joined
from edgekit.passes._keep import after_each_step, one_factor
from edgekit.passes._prune_options import PruneOptions
from edgekit.passes._prune_plan import Steps, plan, together, zeros
from edgekit.passes._solve import fits
from edgekit.passes.base import Candidate, Context
from edgekit.passes.promises import Promise
from edgekit.problem import Problem

LEARNING_RATE = 1.5e-3
"""Where zeros are solved for. ResNet8 without labels, 10 epochs, guard loss with 70 % zeros: 0.45,
with 3e-3 0.49; with 50 %, 20 epochs: 0.114 and 0.121."""
_ROUNDING = 0.01  # share of weights that the training may leave over because of equal ones


def pruned(name: str, candidate: Candidate, options: PruneOptions, context: Context) -> Candidate:
    """The candidate with zeros, and the promise of as many as were reached; `name` is for the log.

    Raises:
        EdgekitError: As `Base.run`.
    """
    found = lift(candidate.tflite).layers
    plans, problems = plan(found, options)
    solved = {e.name for e in found if e.name in plans and plans[e.name].solves and fits(e)}
    planned = rest = wrapped.training(context, LEARNING_RATE if solved else None)
    before: dict[str, Any] = {}
    if solved:
        groups = together(found, {name: plans[name] for name in plans if name in solved}, options)
        candidate, rest, before = gradual(candidate, groups, planned, context)
    trained_in = {name: own for name, own in plans.items() if name not in solved}
    steps = {name: Steps.of(own, rest.steps) for name, own in trained_in.items()}
    wrappers = _Wrappers(trained_in, steps)
    lifted = lift(candidate.tflite, wrap=wrappers.wrap)
    wrappers.align_blocks()
    zeroed = [layer for layer in lifted.layers if layer.name in solved]
    plans |= {e.name: dataclasses.replace(plans[e.name], sparsity=zeros(e)) for e in zeroed}
    trained = wrapped.train(
        candidate,
        context,
        lifted,
        rest,
        callbacks=[
            _tf.tfmot().sparsity.keras.UpdatePruningStep(),
            after_each_step([layer.layer.kernel for layer in zeroed], []),
        ],
        keep_from=max((each.end for each in steps.values()), default=0) / rest.steps,
        title=_title(plans),
    )
    trained = joined(before, trained) if before else trained
    targets = {name: own.target for name, own in plans.items()}
    layers = [layer for layer in lifted.layers if targets.get(layer.name)]
    cut = max(_cut(layer, plans[layer.name]) for layer in layers)
    achieved = {layer.name: {"sparsity": zeros(layer)} for layer in layers}
    return wrapped.finish(
        candidate,
        lifted,
        entry=wrapped.make_entry(name, options, planned, trained, achieved),
        promises=[p for layer in layers for p in _promises(layer, plans[layer.name])],
        problems=[*problems, *_cut_short(cut, trained)],
    )


def _title(plans: Mapping[str, PruneOptions]) -> str:
    shares = sorted({own.target for own in plans.values()})
    share = f"{shares[0]:.0%}" if len(shares) == 1 else f"{shares[0]:.0%} to {shares[-1]:.0%}"
    return f"pruning {len(plans)} layer{'s' * (len(plans) > 1)} to {share} zeros"


class _Wrappers:
    """What `lift` is to put around the layers."""

    def __init__(self, plans: Mapping[str, PruneOptions], steps: Mapping[str, Steps]) -> None:
        self._plans, self._steps = plans, steps
        self._made: dict[str, Any] = {}

    def wrap(self, layer: LiftedLayer) -> Any:
        """The layer in TFMOT's wrapper, if it is to be pruned."""
        if layer.name not in self._plans:
            return layer.layer
        own = self._plans[layer.name]
        one_factor(layer)
        settings: dict[str, Any] = {"block_size": own.block}
        if own.n_m:
            kept, of = own.pattern
            settings = {"sparsity_m_by_n": (of - kept, of)}
        schedule = _schedule(layer, own, self._steps[layer.name].counted(len(layer.ops)))
        wrapper = _tf.tfmot().sparsity.keras.prune_low_magnitude(
            layer.layer, pruning_schedule=schedule, **settings
        )
        self._made[layer.name] = wrapper
        return wrapper

    def align_blocks(self) -> None:
        """Let our mask choose blocks, once the wrappers are built.

        Where blocks do not divide a kernel TFMOT (0.8.1) measures them from a padding on both
        sides, and removes them from the first weight on: others than those that it measured.
        """
        for name, wrapper in self._made.items():
            block = self._plans[name].block
            if block != (1, 1):
                wrapper.pruning_obj._maybe_update_block_mask = _block_choice(wrapper, block)


def _block_choice(wrapper: Any, block: tuple[int, int]) -> Callable[[Any], tuple[float, Any]]:
    tf = _tf.tensorflow()

    def choose(weights: Any) -> tuple[float, Any]:
        sparsity = wrapper.pruning_schedule(wrapper.pruning_step)[1]
        kept = tf.numpy_function(
            lambda values, share: _masks.block_mask(values, float(share), block).astype("f4"),
            [weights, sparsity],
            tf.float32,
        )
        return 0.0, tf.reshape(kept, weights.shape)

    return choose


def _schedule(layer: LiftedLayer, own: PruneOptions, steps: Steps) -> Any:
    """TFMOT's schedule; it never begins below the zeros there are, which would let them grow."""
    keras = _tf.tfmot().sparsity.keras
    if own.schedule == "constant" or steps.begin == steps.end:
        return keras.ConstantSparsity(own.target, steps.begin, steps.end, steps.frequency)
    size = wrapped.kernel_of(layer).size
    there = zeros(layer) + 0.25 / size  # of a weight: rounds to the zeros there are
    initial = min(max(own.initial, there), own.target)
    return keras.PolynomialDecay(
        initial, own.target, steps.begin, steps.end, frequency=steps.frequency
    )


def _cut(layer: LiftedLayer, own: PruneOptions) -> float:
    """Make the zeros that are still missing; their share of the weights."""
    kernel = wrapped.kernel_of(layer)
    if own.n_m:
        kept = _masks.n_m_mask(kernel, *own.pattern)
    elif own.block != (1, 1):
        kept = _masks.block_mask(kernel, own.target, own.block)
    else:
        kept = _masks.mask(kernel, own.target)
    layer.layer.kernel.assign(kernel * kept)
    return float(((kernel != 0) & ~kept).mean())


def _cut_short(cut: float, trained: Mapping[str, Any]) -> list[Problem]:
    if cut <= _ROUNDING:
        return []
    return [
        Problem(
            "warning",
            "prune",
            f"training ended after {trained['epochs']} epochs ({trained['stopped']}) with zeros "
            f"still to come: up to {cut:.0%} of a layer's weights were zeroed at once",
            "give more max_minutes or an earlier end",
        )
    ]


def _promises(layer: LiftedLayer, own: PruneOptions) -> list[Promise]:
    kernel = wrapped.kernel_of(layer)
    made = [Promise(layer.name, layer.kernel, "sparsity", zeros(layer))]
    if own.n_m:
        kept, of = own.pattern
        made.append(Promise(layer.name, layer.kernel, "n_m", kept / of, n=kept, m=of))
    elif own.block != (1, 1):
        share = _masks.zero_blocks(kernel, own.block)
        made.append(Promise(layer.name, layer.kernel, "block", share, block=own.block))
    return made

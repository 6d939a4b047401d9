"""The plan of the arena: nothing that is still read is overwritten, and little is wasted."""

from __future__ import annotations

from itertools import combinations

import pytest
from c_project import CORES, compiled
from chains import Chain
from random_graphs import random_graph

from edgekit.compiler.compiled import Compiled
from edgekit.compiler.operation import IN_PLACE
from edgekit.compiler.plan_memory import ALIGNMENT, plan_memory

SEEDS = range(2_000_000, 2_000_045)

Span = tuple[int, int]


def lives(made: Compiled) -> dict[int, Span]:
    """Of each value that has a place: the first and the last step that need it."""
    program = made.program
    steps: dict[int, list[int]] = {value: [0] for value in program.inputs}
    for step, layer in enumerate(program.layers):
        for value in (*layer.inputs, layer.output):
            steps.setdefault(value, []).append(step)
    for value in program.outputs:
        steps[value].append(len(program.layers))
    return {value: (min(of), max(of)) for value, of in steps.items()}


def spans(made: Compiled) -> tuple[dict[int, Span], list[Span]]:
    """Bytes of each value, and of the working memory of each layer."""
    program, plan = made.program, made.plan
    values = {
        value: (plan.offsets[value], plan.offsets[value] + program.values[value].nbytes)
        for value in lives(made)
    }
    scratch = [
        (at, at + layer.operation.scratch(made.core))
        for at, layer in zip(plan.scratch, program.layers, strict=True)
    ]
    return values, scratch


def meet(one: Span, two: Span) -> bool:
    return max(one[0], two[0]) < min(one[1], two[1])


def allowed(made: Compiled, step: int, value: int) -> bool:
    """Whether the output of a step may share bytes with its input `value` as it does."""
    layer, at = made.program.layers[step], made.plan.offsets
    distances = layer.operation.overlaps(made.core)
    if layer.inputs.count(value) != 1:
        return False
    place = layer.inputs.index(value)
    distance, between = distances[place], at[value] - at[layer.output]
    if distance is None or value in made.program.outputs:
        return False
    return between == 0 if distance == IN_PLACE else between >= distance


def check_plan(made: Compiled) -> int:
    """How many pairs share bytes; fails where one must not."""
    life, (values, scratch) = lives(made), spans(made)
    shared = 0
    for one, two in combinations(life, 2):
        first, last = max(life[one][0], life[two][0]), min(life[one][1], life[two][1])
        if first > last or not meet(values[one], values[two]):
            continue
        assert first == last, f"values {one} and {two} share bytes from step {first} to {last}"
        source = two if made.program.layers[first].output == one else one
        assert allowed(made, first, source), f"step {first} overwrites value {source}"
        shared += 1
    for step, mine in enumerate(scratch):
        for value, (first, last) in life.items():
            assert not (first <= step <= last and meet(mine, values[value])), (
                f"step {step}, {value}"
            )
    ends = [end for _, end in (*values.values(), *scratch)]
    assert max(ends) <= made.plan.arena
    assert made.plan.bound <= made.plan.arena
    return shared


@pytest.mark.parametrize("core", CORES)
def test_only_what_may_shares_bytes(core: str) -> None:
    assert sum(check_plan(compiled(random_graph(seed), core)) for seed in SEEDS) > len(SEEDS)


def test_a_value_that_is_moved_onto_another_is_found() -> None:
    """The check itself: what it is for would not pass it."""
    net = Chain((1, 6, 6, 4)).conv(4, (3, 3))
    before = net.last
    made = compiled(net.conv(4, (3, 3)).conv(4, (3, 3)).add(before).model())
    check_plan(made)
    offsets = list(made.plan.offsets)
    offsets[made.program.layers[1].output] = offsets[made.program.layers[0].output]
    object.__setattr__(made.plan, "offsets", tuple(offsets))
    with pytest.raises(AssertionError):
        check_plan(made)


def test_places_are_aligned() -> None:
    for seed in SEEDS:
        plan = compiled(random_graph(seed)).plan
        assert plan.arena % ALIGNMENT == 0
        assert all(at % 4 == 0 for at in plan.offsets)
        assert all(at % 8 == 0 for at in plan.scratch)


def test_the_same_program_has_the_same_plan() -> None:
    for seed in SEEDS[:20]:
        made = compiled(random_graph(seed))
        assert plan_memory(made.program, made.core) == made.plan


def test_a_chain_of_layers_in_place_needs_its_largest_value() -> None:
    net = Chain((1, 8, 8, 4))
    made = compiled(net.scale().relu().pool("MAX", 1, 1).model())
    assert made.plan.arena == made.plan.bound == 256


def test_pointwise_layers_work_in_place() -> None:
    made = compiled(Chain((1, 16, 16, 8)).conv(8).conv(8).model(), "cortex-m4")
    most = max(layer.operation.scratch(made.core) for layer in made.program.layers)
    assert made.plan.arena <= 16 * 16 * 8 + most + 64

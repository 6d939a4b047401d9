"""Where each value lies in the arena: lifetimes packed, outputs over inputs already read."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.compiler.cores import Core
from edgekit.compiler.operation import IN_PLACE
from edgekit.compiler.program import Program

ALIGNMENT = 16
"""Of the arena in bytes."""
_STEP = 4
_SCRATCH_STEP = 8
_SHUFFLES = 300


@dataclass(frozen=True)
class MemoryPlan:
    """Offsets in the arena.

    Attributes:
        offsets: Of each value, by number.
        scratch: Of the working memory of each layer, by its place.
        arena: Bytes of the whole.
        bound: Bytes below which no plan can be: the most that a layer needs at once.
    """

    offsets: tuple[int, ...]
    scratch: tuple[int, ...]
    arena: int
    bound: int


def needs(program: Program, core: Core) -> list[int]:
    """The most bytes that each layer needs at once, its working memory included."""
    packing = _Packing(program, core)
    return [packing.need(step) for step in range(len(program.layers))]


def blocks(program: Program, core: Core) -> list[Block]:
    """What the arena must hold: each value by number, then the working memory of each layer."""
    return [*_values(program), *_scratches(program, core)]


@dataclass(frozen=True)
class Block:
    """Memory that something needs from one step to another (both included).

    Attributes:
        bytes: Its size.
        first: The step from which it is needed; a layer is a step.
        last: The step up to which it is needed; that after the last layer for outputs.
        step: Its offset is a multiple of this.
    """

    bytes: int
    first: int
    last: int
    step: int


def plan_memory(program: Program, core: Core) -> MemoryPlan:
    """Pack the values of a program; the same program gives the same plan.

    Orders of placement are tried: by size, by time, then changes of the best at random (seeded).
    """
    packing = _Packing(program, core)
    orders = packing.orders()
    best = min((packing.place(order) for order in orders), key=packing.height)
    order = min(orders, key=lambda each: packing.height(packing.place(each)))
    bound, chance = packing.bound(), random.Random(0)
    for _ in range(_SHUFFLES):
        if packing.height(best) <= bound:
            break
        changed = list(order)
        one, two = chance.randrange(len(changed)), chance.randrange(len(changed))
        changed.insert(two, changed.pop(one))
        placed = packing.place(changed)
        if packing.height(placed) <= packing.height(best):
            best, order = placed, changed
    values = len(program.values)
    return MemoryPlan(
        tuple(best[:values]), tuple(best[values:]), _up(packing.height(best), ALIGNMENT), bound
    )


class _Packing:
    def __init__(self, program: Program, core: Core) -> None:
        self._program = program
        self._blocks = blocks(program, core)
        self._near = _near(program, core)

    def orders(self) -> list[list[int]]:
        """First orders of placement."""
        blocks, numbers = self._blocks, range(len(self._blocks))
        values = len(self._program.values)
        return [
            sorted(numbers, key=lambda i: (-blocks[i].bytes, blocks[i].first, i)),
            sorted(numbers, key=lambda i: (blocks[i].first, -blocks[i].bytes, i)),
            sorted(numbers, key=lambda i: (-blocks[i].last, -blocks[i].bytes, i)),
            sorted(numbers, key=lambda i: (i >= values, -blocks[i].bytes, blocks[i].first, i)),
        ]

    def place(self, order: Sequence[int]) -> list[int]:
        """Offsets when blocks are placed in this order, each as low as it can be."""
        offsets = [-1] * len(self._blocks)
        placed: list[int] = []
        for number in order:
            offsets[number] = self._lowest(number, placed, offsets) if self._bytes(number) else 0
            if self._bytes(number):
                placed.append(number)
        return offsets

    def height(self, offsets: Sequence[int]) -> int:
        """Bytes of the whole."""
        return max(at + block.bytes for at, block in zip(offsets, self._blocks, strict=True))

    def bound(self) -> int:
        """The most that one step needs, outputs over inputs as far as allowed."""
        steps = max(block.last for block in self._blocks) + 1
        return max(self.need(step) for step in range(steps))

    def need(self, step: int) -> int:
        """What one step needs, outputs over inputs as far as allowed."""
        live = [i for i, each in enumerate(self._blocks) if each.first <= step <= each.last]
        saved = sum(self._saved(one, two) for one in live for two in live)
        return max(sum(self._bytes(i) for i in live) - saved, *(self._bytes(i) for i in live), 0)

    def _saved(self, output: int, source: int) -> int:
        """Bytes that an output and its input can share."""
        if (output, source) not in self._near:
            return 0
        distance = max(0, self._near[output, source])
        together = max(self._bytes(output), distance + self._bytes(source))
        return max(0, self._bytes(output) + self._bytes(source) - together)

    def _bytes(self, number: int) -> int:
        return self._blocks[number].bytes

    def _lowest(self, number: int, placed: Sequence[int], offsets: Sequence[int]) -> int:
        block = self._blocks[number]
        barred = [
            self._barred(number, other, offsets[other])
            for other in placed
            if self._blocks[other].first <= block.last and block.first <= self._blocks[other].last
        ]
        tries = {0, *(_up(high, block.step) for _, high, _ in barred)}
        tries |= {at for _, _, at in barred if at is not None and at % block.step == 0}
        return min(
            at
            for at in tries
            if all(at <= low or at >= high or at == same for low, high, same in barred)
        )

    def _barred(self, number: int, other: int, at: int) -> tuple[int, int, int | None]:
        """Between which offsets `number` must not lie, because of `other` at `at`; and where it
        may all the same."""
        low, high = at - self._bytes(number), at + self._bytes(other)
        distance = self._near.get((number, other), self._near.get((other, number)))
        if distance is None:
            return low, high, None
        if distance == IN_PLACE:
            return low, high, at
        if (number, other) in self._near:  # an output: not above its input less the distance
            return max(low, at - distance), high, None
        return low, max(low, min(high, at + distance)), None


def _values(program: Program) -> list[Block]:
    first = dict.fromkeys(program.inputs, 0)
    last = {value: len(program.layers) for value in program.outputs}
    for step, layer in enumerate(program.layers):
        first.setdefault(layer.output, step)
        last[layer.output] = max(last.get(layer.output, 0), step)
        for value in layer.inputs:
            last[value] = max(last.get(value, 0), step)
    return [
        Block(_up(each.nbytes, 1), first.get(number, 0), last.get(number, 0), _STEP)
        if number in first
        else Block(0, 0, 0, _STEP)
        for number, each in enumerate(program.values)
    ]


def _scratches(program: Program, core: Core) -> list[Block]:
    return [
        Block(layer.operation.scratch(core), step, step, _SCRATCH_STEP)
        for step, layer in enumerate(program.layers)
    ]


def _near(program: Program, core: Core) -> dict[tuple[int, int], int]:
    """(output, input) -> the least distance, where the input ends in the step that writes it."""
    blocks, near = _values(program), {}
    for step, layer in enumerate(program.layers):
        for value, distance in zip(layer.inputs, layer.operation.overlaps(core), strict=True):
            ends = blocks[value].last == step and blocks[value].first < max(step, 1)
            again = layer.inputs.count(value) > 1
            if distance is not None and ends and not again and value not in program.outputs:
                near[layer.output, value] = IN_PLACE if distance < 0 else _up(distance, _STEP)
    return near


def _up(value: int, step: int) -> int:
    return -(-value // step) * step

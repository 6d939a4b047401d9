"""The C of a network that may answer early: one inference that stops at the first sure exit."""

from __future__ import annotations

import math
from collections.abc import Sequence

from edgekit.compiler.program import Program, Value
from edgekit.errors import TargetError

Least = Sequence[float | None]
"""By exit: margin between the best and the second score, in real units; None: never stops."""
_INTEGERS = {"int8": "int8_t", "uint8": "uint8_t"}


def declarations(program: Program, prefix: str, least: Least) -> list[str]:
    """Lines of the header; none for a network without exits."""
    if not least:
        return []
    upper = prefix.upper()
    limits = []
    for number, value in enumerate(least, start=1):
        score = program.values[program.outputs[number]]
        told = "never" if value is None else f"{value:.4g}"
        limits += [
            f"/* Exit {number} stops where the best score is so far above the second: {told}. */",
            f"#define {upper}_EXIT_{number}_LEAST {_limit(score, value)}",
        ]
    return [
        f"#define {upper}_EXIT_COUNT {len(least)}",
        *limits,
        "",
        "/* One inference in `arena` that stops at the first exit that is sure. `*answer` is the",
        "   number of the output that has the scores, 1 for the first exit, 0 for the whole",
        f"   network: they are at {upper}_OUTPUT_<answer>_OFFSET. Later outputs are undefined. */",
        f"{prefix}_status {prefix}_run_exits(void *arena, uint32_t *answer);",
        "",
    ]


def definition(program: Program, prefix: str, symbols: Sequence[str], least: Least) -> list[str]:
    """Functions of the source; none for a network without exits."""
    if not least:
        return []
    upper = prefix.upper()
    behind = {_maker(program, number): number for number in range(1, len(least) + 1)}
    steps = []
    for place, symbol in enumerate(symbols):
        steps.append(f"    {symbol}(at);")
        number = behind.get(place)
        if number is None:
            continue
        kind = _kind(program.values[program.outputs[number]])
        steps += [
            f"    *answer = {number};",
            f"    if (ek_sure((const {kind} *)(at + {upper}_OUTPUT_{number}_OFFSET),",
            f"                {_count(program, number)}, {upper}_EXIT_{number}_LEAST))",
            f"        return {upper}_OK;",
        ]
    run = [
        f"{prefix}_status {prefix}_run_exits(void *arena, uint32_t *answer) {{",
        "    int8_t *at = (int8_t *)arena;",
        "    if (!arena || !answer)",
        f"        return {upper}_ERROR_NULL;",
        f"    if ((uintptr_t)arena % {upper}_ARENA_ALIGN)",
        f"        return {upper}_ERROR_ALIGNMENT;",
        *steps,
        "    *answer = 0;",
        f"    return {upper}_OK;",
        "}",
    ]
    return [_sure(_kind(program.values[program.outputs[1]])), "\n".join(run)]


def _sure(kind: str) -> str:
    wide = "float" if kind == "float" else "int32_t"
    return "\n".join(
        [
            "/* Whether the best of two or more scores is at least so far above the second. */",
            f"static int ek_sure(const {kind} *scores, uint32_t count, {wide} least) {{",
            f"    {wide} best = scores[0], second = scores[1];",
            "    uint32_t i;",
            "    if (best < second) {",
            "        best = scores[1];",
            "        second = scores[0];",
            "    }",
            "    for (i = 2; i < count; ++i)",
            "        if (scores[i] > best) {",
            "            second = best;",
            "            best = scores[i];",
            "        } else if (scores[i] > second) {",
            "            second = scores[i];",
            "        }",
            "    return best - second >= least;",
            "}",
        ]
    )


def _maker(program: Program, number: int) -> int:
    """The place of the layer that writes an output."""
    value = program.outputs[number]
    return next(i for i, layer in enumerate(program.layers) if layer.output == value)


def _count(program: Program, number: int) -> int:
    return math.prod(program.values[program.outputs[number]].shape)


def _kind(score: Value) -> str:
    if score.dtype == "float32":
        return "float"
    if score.dtype not in _INTEGERS:
        raise TargetError(
            f"the exit '{score.name}' has scores in {score.dtype}",
            "give the model int8 outputs, or leave early_exit out",
        )
    return _INTEGERS[score.dtype]


def _limit(score: Value, least: float | None) -> str:
    """In units of what is stored."""
    if score.dtype == "float32":
        return "3.4e38f" if least is None else f"{least!r}f"
    return "256 /* more than there is */" if least is None else str(math.ceil(least / score.scale))

"""`README.md` of a C project: how to call it, what memory it takes, what each layer does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from edgekit.c_project.processors import options
from edgekit.c_project.project import GOLDEN_BY, CProject
from edgekit.c_project.savings import savings
from edgekit.compiler.emit import plain
from edgekit.fill import filled

_ISA = {
    "portable": "portable C99",
    "thumb2": "Thumb-2 assembly (portable C where the compiler has it not)",
    "dsp": "the DSP extension (portable C where the compiler has it not)",
    "mve": "Helium (MVE; portable C where the compiler has it not)",
}
SYSTEMS = Path(__file__).parent / "systems.md"
_NAME = 40


def read_me(project: CProject) -> str:
    """The text, Markdown in ASCII."""
    core = project.compiled.core
    head = [
        f"# {project.prefix}: a model as C",
        "",
        f"Made by edgekit from `{plain(project.name)}` for the target {plain(project.target)}:",
        f"{core.name}, kernels in {_ISA[core.isa]}, optimize = {core.optimize}.",
        "C99, no heap, no recursion; the caller owns the memory. Several such models link into one",
        "program.",
        "",
    ]
    parts = (_use(project), _early(project), _memory(project), _layers(project), _proof(project))
    return "\n".join(
        [*(line.rstrip() for line in head), *(line for part in parts for line in part)]
    )


def _use(project: CProject) -> list[str]:
    prefix, upper = project.prefix, project.prefix.upper()
    values = {
        "p": prefix,
        "P": upper,
        "flags": " ".join(project.cflags),
        "cpu": " ".join(options(project.compiled.core.name)) or "<options of your processor>",
    }
    systems = filled(SYSTEMS.read_text(encoding="ascii"), values)
    return [
        "## Use",
        "",
        "```c",
        f'#include "{prefix}.h"',
        "",
        f"static int8_t arena[{upper}_ARENA_BYTES] __attribute__((aligned({upper}_ARENA_ALIGN)));",
        "",
        f"/* write {upper}_INPUT_BYTES bytes to arena + {upper}_INPUT_OFFSET, then: */",
        f"if ({prefix}_run(arena) == {upper}_OK)",
        f"    use(arena + {upper}_OUTPUT_OFFSET);  /* {upper}_OUTPUT_BYTES bytes */",
        "```",
        "",
        f"`{prefix}_run` consumes the input; `{prefix}_run_copy(input, output, arena)` keeps it.",
        f"Types, shapes, scales and zero points are constants of `{prefix}.h`.",
        "",
        "`examples/plain/main.c` runs the self test; on this machine:",
        "",
        "```sh",
        "make test",
        "```",
        "",
        *systems.splitlines(),
        "",
    ]


def _early(project: CProject) -> list[str]:
    """How to stop at an exit; nothing for a network without."""
    exits, prefix, upper = project.exits, project.prefix, project.prefix.upper()
    if exits is None:
        return []
    places = [*exits.layers, "the last layer"]
    macs = zip([*range(1, len(places)), 0], places, exits.macs, strict=True)
    rows = [(str(number), f"behind {plain(place)}", f"{cost:,}") for number, place, cost in macs]
    return [
        "## Stopping early",
        "",
        f"`{prefix}_run_exits(arena, &answer)` stops at the first exit that is sure: whose best",
        f"score is `{upper}_EXIT_<n>_LEAST` steps or more above the second. The scores are those",
        f"of output `answer`, at `{upper}_OUTPUT_<answer>_OFFSET`; `{prefix}_run` runs to the end",
        "and leaves the scores of all.",
        "",
        *_table(("answer", "from", "MACs until then"), rows),
        "",
    ]


def _memory(project: CProject) -> list[str]:
    sizes, plan = project.sizes, project.compiled.plan
    rows = [
        (
            "flash: constants",
            f"{sizes.constants:,}",
            "counted: arrays exactly, a word for each member of a struct",
        ),
        ("flash: code", f"{sizes.code:,}", "estimated from the length of the source"),
        ("RAM: arena, with input and output", f"{plan.arena:,}", "exact"),
        ("RAM: least that any plan needs", f"{plan.bound:,}", "exact, a lower bound"),
        ("RAM: stack of a run", f"{sizes.stack:,}", "estimated"),
    ]
    return ["## Memory", "", *_table(("what", "bytes", "label"), rows), ""]


def _layers(project: CProject) -> list[str]:
    rows = [_row(number, layer) for number, layer in enumerate(project.layers())]
    total = sum(layer["macs"] for layer in project.layers())
    head = ("", "layer", "operator, and what was fused", "shapes", "MACs", "scratch")
    said = [f"{total:,} MACs in all, counted."]
    for sentence in savings(project.to_json()).values():
        said += ["", f"{sentence[0].upper()}{sentence[1:]}."]
    return ["## Layers", "", *_table(head, rows), "", *said, ""]


def _row(number: int, layer: dict[str, Any]) -> tuple[str, ...]:
    shapes = ", ".join(_shape(shape) for shape in layer["input_shapes"])
    return (
        str(number),
        _short(layer["name"]),
        " + ".join([layer["op"], *layer["fused"]]),
        f"{shapes} -> {_shape(layer['output_shape'])}",
        f"{layer['macs']:,}",
        f"{layer['scratch_bytes']:,}",
    )


def _short(name: str) -> str:
    """The first of the names that a converter joins, its end where it is long."""
    first = plain(name.partition(";")[0])
    return first if len(first) <= _NAME else f"...{first[-_NAME:]}"


def _proof(project: CProject) -> list[str]:
    prefix = project.prefix
    return [
        "## Proof and measurement",
        "",
        f"`{prefix}_golden.h` holds {len(project.golden)} seeded inputs (random, smooth, lowest,",
        "highest) and the outputs that must come of them, bit for bit. They were computed by",
        f"{GOLDEN_BY[project.golden.by]}.",
        "",
        "`edgekit bench BUILD --device qemu` (BUILD is the folder around this one) runs the model",
        "as firmware and counts instructions of each layer, flash, RAM and stack; cycles, latency",
        "and energy it estimates, and says so.",
        "",
    ]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [" | ".join(cells) for cells in (head, ["---"] * len(head), *rows)]
    return [f"| {line} |" for line in lines]


def _shape(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape)) or "1"

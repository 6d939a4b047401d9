"""A compiled and proved model with all that its folder says of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from edgekit.c_project.golden import Golden
from edgekit.c_project.sizes import Sizes
from edgekit.compiler.compiled import Compiled
from edgekit.compiler.plan_memory import blocks
from edgekit.compiler.program import Layer
from edgekit.exits.exits import Exits

FOLDER = "c_project"
CFLAGS = {"size": ("-Os",), "balanced": ("-O2",), "speed": ("-O2",)}
"""What `<prefix>.c` is compiled with, by what the project is optimised for."""

GOLDEN_BY = {
    "tflite-micro": "TensorFlow Lite Micro's reference kernels (the tflite-micro wheel)",
    "host": "edgekit's own kernels on the host (there is no tflite-micro for that machine)",
}


@dataclass(frozen=True, eq=False)
class CProject:
    """A model as C.

    Attributes:
        name: Of the model, any text.
        prefix: Of every name in the C, an identifier.
        target: Name of the target.
        compiled: Program, memory plan and text.
        golden: Vectors that the text must reproduce.
        sizes: Flash and RAM.
        exits: Of a network that may answer early.
    """

    name: str
    prefix: str
    target: str
    compiled: Compiled
    golden: Golden
    sizes: Sizes
    exits: Exits | None = None

    @property
    def cflags(self) -> tuple[str, ...]:
        """What `<prefix>.c` is compiled with, besides the options for the processor."""
        return CFLAGS[self.compiled.core.optimize]

    def layers(self) -> list[dict[str, Any]]:
        """Each layer as the manifest stores it, in order of execution."""
        layers = zip(self.compiled.program.layers, self.compiled.text.symbols, strict=True)
        return [self._layer(layer, symbol) for layer, symbol in layers]

    def memory(self) -> list[dict[str, Any]]:
        """What lies in the arena, from which step to which (both included); a layer is a step."""
        program, plan = self.compiled.program, self.compiled.plan
        names = [(value.name, "value") for value in program.values]
        names += [(layer.name, "scratch") for layer in program.layers]
        held = blocks(program, self.compiled.core)
        places = zip(names, held, (*plan.offsets, *plan.scratch), strict=True)
        return [
            {
                "name": name,
                "kind": kind,
                "bytes": block.bytes,
                "offset": offset,
                "first": block.first,
                "last": block.last,
            }
            for (name, kind), block, offset in places
            if block.bytes
        ]

    def to_json(self) -> dict[str, Any]:
        """The section of the manifest."""
        core, plan = self.compiled.core, self.compiled.plan
        return {
            "prefix": self.prefix,
            "folder": FOLDER,
            "core": core.name,
            "isa": core.isa,
            "optimize": core.optimize,
            "cflags": list(self.cflags),
            "arena_bytes": plan.arena,
            "arena_bound_bytes": plan.bound,
            "weights_bytes": self.sizes.constants,
            "code_bytes_estimated": self.sizes.code,
            "stack_bytes_estimated": self.sizes.stack,
            "channels": asdict(self.compiled.channels),
            "weights": [asdict(layer) for layer in self.compiled.weights],
            "golden": len(self.golden),
            "golden_by": self.golden.by,
            "layers": self.layers(),
            "memory": self.memory(),
        }

    def _layer(self, layer: Layer, symbol: str) -> dict[str, Any]:
        values = self.compiled.program.values
        return {
            "symbol": symbol,
            "name": layer.name,
            "op": layer.kind,
            "fused": list(layer.fused),
            "macs": layer.operation.macs(),
            "input_shapes": [list(values[number].shape) for number in layer.inputs],
            "output_shape": list(values[layer.output].shape),
            "scratch_bytes": layer.operation.scratch(self.compiled.core),
        }

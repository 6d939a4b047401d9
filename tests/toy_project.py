"""A small C project of the form that the compiler writes: two dense layers, golden vectors.

16 int8 inputs -> 8 (ReLU, shift 7) -> 4 (shift 5). The golden vectors are computed here, in Python.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HIDDEN = [[(o * 31 + i * 17) % 256 - 128 for i in range(16)] for o in range(8)]
BIAS = [o * 100 - 300 for o in range(8)]
OUTPUT = [[(o * 53 + i * 29) % 256 - 128 for i in range(8)] for o in range(4)]
VECTORS = [[(k * 71 + i * 37) % 256 - 128 for i in range(16)] for k in range(3)]

HEADER = """
#ifndef TOY_H
#define TOY_H
#include <stdint.h>
#define TOY_ARENA_BYTES 52
#define TOY_ARENA_ALIGN 16
#define TOY_INPUT_COUNT 1
#define TOY_INPUT_0_OFFSET 0
#define TOY_INPUT_0_BYTES 16
#define TOY_OUTPUT_COUNT 1
#define TOY_OUTPUT_0_OFFSET 48
#define TOY_OUTPUT_0_BYTES 4
typedef enum { TOY_OK = 0, TOY_ERROR_NULL = 1, TOY_ERROR_ALIGNMENT = 2 } toy_status;
toy_status toy_run(void *arena);
toy_status toy_run_copy(const int8_t *input, int8_t *output, void *arena);
#endif
"""

FIRST = """
static __attribute__((noinline)) void toy_layer_00_fully_connected(int8_t *arena)
{
    for (int o = 0; o < 8; o++) {
        int32_t sum = toy_bias[o];
        for (int i = 0; i < 16; i++) sum += arena[i] * toy_hidden[o][i];
        sum >>= 7;
        arena[16 + o] = (int8_t)(sum < 0 ? 0 : sum > 127 ? 127 : sum);
    }
}
"""

SECOND = """
static __attribute__((noinline)) void toy_layer_01_fully_connected(int8_t *arena)
{
    for (int o = 0; o < 4; o++) {
        int32_t sum = 0;
        for (int i = 0; i < 8; i++) sum += arena[16 + i] * toy_output[o][i];
        sum >>= 5;
        arena[48 + o] = (int8_t)(sum < -128 ? -128 : sum > 127 ? 127 : sum);
    }
}
"""

RUN = """
toy_status toy_run(void *arena)
{
    if (arena == 0) return TOY_ERROR_NULL;
    if ((uintptr_t)arena % TOY_ARENA_ALIGN) return TOY_ERROR_ALIGNMENT;
    toy_layer_00_fully_connected(arena);
    toy_layer_01_fully_connected(arena);
    return TOY_OK;
}

toy_status toy_run_copy(const int8_t *input, int8_t *output, void *arena)
{
    int8_t *bytes = arena;
    toy_status status;
    if (input == 0 || output == 0 || arena == 0) return TOY_ERROR_NULL;
    for (int i = 0; i < TOY_INPUT_0_BYTES; i++) bytes[TOY_INPUT_0_OFFSET + i] = input[i];
    status = toy_run(arena);
    for (int i = 0; i < TOY_OUTPUT_0_BYTES; i++) output[i] = bytes[TOY_OUTPUT_0_OFFSET + i];
    return status;
}
"""


def reference(row: Sequence[int]) -> list[int]:
    """What the network computes from one row."""
    sums = [bias + dot(row, weights) for bias, weights in zip(BIAS, HIDDEN, strict=True)]
    hidden = [min(127, max(0, value >> 7)) for value in sums]
    return [min(127, max(-128, dot(hidden, weights) >> 5)) for weights in OUTPUT]


def dot(row: Sequence[int], weights: Sequence[int]) -> int:
    """Their scalar product."""
    return sum(x * w for x, w in zip(row, weights, strict=True))


def write_toy(
    build: Path,
    first: str = FIRST,
    second: str = SECOND,
    run: str = RUN,
    header: str = HEADER,
    wrong: Sequence[int] = (),
    target: str = "nucleo-l4r5zi",
) -> dict[str, Any]:
    """Write the project and a manifest into `build`.

    Args:
        build: Folder of the build.
        first: C of the first layer.
        second: C of the second.
        run: C of `toy_run` and `toy_run_copy`.
        header: `toy.h`.
        wrong: Golden vectors whose last value is to be false.
        target: That the manifest names.

    Returns:
        The manifest.
    """
    folder = build / "c_project"
    folder.mkdir(parents=True)
    (folder / "toy.h").write_text(header)
    (folder / "toy_weights.h").write_text(
        f"static const int8_t toy_hidden[8][16] = {_table(HIDDEN)};\n"
        f"static const int32_t toy_bias[8] = {_row(BIAS)};\n"
        f"static const int8_t toy_output[4][8] = {_table(OUTPUT)};\n"
    )
    (folder / "toy.c").write_text(
        f'#include "toy.h"\n#include "toy_weights.h"\n{first}{second}{run}'
    )
    outputs = [[value & 255 for value in reference(row)] for row in VECTORS]
    for vector in wrong:
        outputs[vector][3] ^= 1
    (folder / "toy_golden.h").write_text(
        golden([[v & 255 for v in row] for row in VECTORS], outputs)
    )
    manifest = {
        "schema": 1,
        "target": target,
        "project": {},
        "artifacts": [artifact(path, build) for path in sorted(folder.iterdir())],
        "c_project": {
            "prefix": "toy",
            "folder": "c_project",
            "core": "cortex-m4",
            "cflags": ["-O2"],
            "layers": [
                layer("toy_layer_00_fully_connected", "hidden", 128),
                layer("toy_layer_01_fully_connected", "scores", 32),
            ],
        },
    }
    (build / "manifest.json").write_text(json.dumps(manifest))
    return manifest


def artifact(path: Path, build: Path) -> dict[str, Any]:
    """A file of the project as the manifest lists it."""
    content = path.read_bytes()
    name, hashed = str(path.relative_to(build)), hashlib.sha256(content).hexdigest()
    return {"kind": "c_project", "path": name, "bytes": len(content), "sha256": hashed}


def layer(symbol: str, name: str, macs: int) -> dict[str, Any]:
    """A layer as the manifest lists it."""
    return {"symbol": symbol, "name": name, "op": "FULLY_CONNECTED", "macs": macs}


def golden(inputs: Sequence[Sequence[int]], outputs: Sequence[Sequence[int]]) -> str:
    """C of the golden vectors."""
    return "\n".join(
        (
            "#include <stdint.h>",
            f"#define TOY_GOLDEN_COUNT {len(inputs)}",
            f"static const uint8_t toy_golden_input[][{len(inputs[0])}] = {_table(inputs)};",
            f"static const uint8_t toy_golden_output[][{len(outputs[0])}] = {_table(outputs)};",
            "",
        )
    )


def _row(values: Sequence[int]) -> str:
    return "{" + ", ".join(map(str, values)) + "}"


def _table(rows: Sequence[Sequence[int]]) -> str:
    return "{" + ", ".join(map(_row, rows)) + "}"

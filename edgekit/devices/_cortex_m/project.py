"""The folder of C that a build holds: what the driver needs to know of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.errors import ModelError


@dataclass(frozen=True)
class Layer:
    """A layer of the model: the function that computes it, and what it is."""

    symbol: str
    name: str
    op: str
    macs: int | None


@dataclass(frozen=True)
class Project:
    """A C project.

    Attributes:
        folder: Where its files lie.
        prefix: What all its names begin with, e.g. `kws`.
        core: The core its kernels are for.
        cflags: Compiler options of `<prefix>.c`.
        layers: In the order in which they run.
        inputs: How many inputs the model has.
        outputs: How many outputs.
    """

    folder: Path
    prefix: str
    core: str
    cflags: tuple[str, ...]
    layers: tuple[Layer, ...]
    inputs: int
    outputs: int

    @property
    def source(self) -> Path:
        """The C file that is the model."""
        return self.folder / f"{self.prefix}.c"


def read_project(build: Path, manifest: Mapping[str, Any]) -> Project:
    """The C project of a build.

    Args:
        build: Folder of the build.
        manifest: Of the build, or its table `c_project` alone.

    Raises:
        ModelError: The build has none, or its files are not there.
    """
    facts = manifest.get("c_project", manifest)
    if not isinstance(facts, Mapping) or "prefix" not in facts:
        raise ModelError(
            f"{build}: this build has no C project, which is what runs on a Cortex-M",
            "build with --export c_project for a Cortex-M target",
        )
    try:
        return _project(build, facts)
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{build}: its manifest is damaged: {error}", "build it again") from error


def _project(build: Path, facts: Mapping[str, Any]) -> Project:
    folder, prefix = build / facts["folder"], facts["prefix"]
    header = _text(folder / f"{prefix}.h")
    for name in (f"{prefix}.c", f"{prefix}_golden.h"):
        _text(folder / name)
    return Project(
        folder=folder,
        prefix=prefix,
        core=facts["core"],
        cflags=tuple(facts.get("cflags") or ("-O2",)),
        layers=tuple(
            Layer(one["symbol"], one["name"], one["op"], one.get("macs")) for one in facts["layers"]
        ),
        inputs=_count(header, prefix, "INPUT"),
        outputs=_count(header, prefix, "OUTPUT"),
    )


def bench_header(project: Project) -> str:
    """C: the project's names under those that the driver's own firmware uses."""
    lower, upper = project.prefix, project.prefix.upper()
    spans = {
        kind: ", ".join(
            f"{{{upper}_{kind}_{i}_OFFSET, {upper}_{kind}_{i}_BYTES}}" for i in range(count)
        )
        for kind, count in (("INPUT", project.inputs), ("OUTPUT", project.outputs))
    }
    lines = [
        f'#include "{lower}.h"',
        f"#define MODEL_RUN {lower}_run",
        f"#define MODEL_ARENA_BYTES {upper}_ARENA_BYTES",
        f"#define MODEL_ARENA_ALIGN {upper}_ARENA_ALIGN",
        f"#define MODEL_INPUTS {spans['INPUT']}",
        f"#define MODEL_OUTPUTS {spans['OUTPUT']}",
        "#ifdef MODEL_WITH_GOLDEN",
        f'#include "{lower}_golden.h"',
        f"#define MODEL_GOLDEN_COUNT {upper}_GOLDEN_COUNT",
        f"#define MODEL_GOLDEN_INPUT {lower}_golden_input",
        f"#define MODEL_GOLDEN_OUTPUT {lower}_golden_output",
    ]
    if project.inputs == project.outputs == 1:
        lines += [
            f"#define MODEL_RUN_COPY {lower}_run_copy",
            f"#define MODEL_INPUT_BYTES {upper}_INPUT_0_BYTES",
            f"#define MODEL_OUTPUT_BYTES {upper}_OUTPUT_0_BYTES",
        ]
    return "\n".join([*lines, "#endif", ""])


def _count(header: str, prefix: str, kind: str) -> int:
    found = re.search(rf"#\s*define\s+{prefix.upper()}_{kind}_COUNT\s+\(?(\d+)", header)
    if not found:
        raise ModelError(
            f"{prefix}.h does not define {prefix.upper()}_{kind}_COUNT", "build it again"
        )
    return int(found[1])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is missing or damaged", "build it again") from error

"""What a runtime can run: `targets/runtimes/*.toml`, one file for each runtime and version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from edgekit.target import files as files


@dataclass(frozen=True)
class Interpreter:
    """What an interpreter adds to a model on a microcontroller, in bytes (measured firmware).

    Attributes:
        flash: By core (`cortex-m4`): interpreter and int8 kernels of `measured_ops`.
        flash_default: The same where the core was not measured.
        flash_any_type: The same with float and int16 kernels.
        flash_per_kernel: For each kind of op outside `measured_ops`.
        static_bytes: `.data` and `.bss` without the arena.
        stack_bytes: Stack of one inference.
        mve_scratch_bytes: What kernels for Helium take on top of the arena found on a host.
        measured_ops: The ops that the flash figures contain.
    """

    flash: Mapping[str, int]
    flash_default: int
    flash_any_type: int
    flash_per_kernel: int
    static_bytes: int
    stack_bytes: int
    mve_scratch_bytes: int
    measured_ops: tuple[str, ...]


@dataclass(frozen=True)
class OpTable:
    """A runtime of a version and the ops it has.

    Attributes:
        name: `litert`, `tflite-runtime`, `tflite-micro`, ...
        version: As its package counts.
        title: For people.
        package: What a user installs to get it.
        versions: Lowest and highest version of each builtin op; empty if it does not look at them.
        types: Types of an op's data that its kernel takes (`()` is any); empty if not listed.
        custom: Custom ops by name.
        weights: Types that constant weights may have.
        hybrid: Whether integer weights may meet float activations (dynamic range).
        io_types: Types that inputs and outputs may have; empty is any.
        dynamic_shapes: Whether inputs may have dimensions of -1.
        interpreter: Its cost on a microcontroller, where it was measured.
        sources: Where the facts are from, by key.
    """

    name: str
    version: str
    title: str
    package: str
    weights: tuple[str, ...]
    hybrid: bool
    versions: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    types: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    custom: tuple[str, ...] = ()
    io_types: tuple[str, ...] = ()
    dynamic_shapes: bool = True
    interpreter: Interpreter | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def ops(self) -> tuple[str, ...]:
        """Names of the builtin ops it has, sorted."""
        return tuple(sorted({*self.versions, *self.types}))

    @property
    def per_channel_dense(self) -> bool:
        """Whether dynamic-range FULLY_CONNECTED may have a scale for each channel (version 12)."""
        return not self.versions or self.versions.get("FULLY_CONNECTED", (0, 0))[1] >= 12


def _version(value: Any) -> str:
    pair = value if isinstance(value, list) else [1, value]
    good = len(pair) == 2 and not any(map(files.at_least_one, pair)) and pair[0] <= pair[1]
    return "" if good else "the highest version, or [lowest, highest]"


_SCHEMA: Mapping[str, files.Kind] = {
    "title": str,
    "extends": str,
    "name": str,
    "version": str,
    "package": str,
    "weights": [str],
    "hybrid": bool,
    "versions": {"*": _version},
    "types": {"*": [str]},
    "custom": [str],
    "io_types": [str],
    "dynamic_shapes": bool,
    "interpreter": {
        "flash": {"*": files.at_least_one},
        "flash_default": files.at_least_one,
        "flash_any_type": files.at_least_one,
        "flash_per_kernel": files.at_least_one,
        "static_bytes": files.at_least_one,
        "stack_bytes": files.at_least_one,
        "mve_scratch_bytes": files.at_least_one,
        "measured_ops": [str],
    },
    "sources": {"*": str},
}
_REQUIRED = ("name", "version", "title", "package", "weights", "hybrid")


def load_op_table(name: str, beside: Path | None = None) -> OpTable:
    """Read the table `name` (a shipped or own runtime, or the path of a TOML file).

    Raises:
        UsageError: Unknown name, unknown key, wrong type or missing key.
    """
    return _load(files.find(name, "runtimes", beside))


@cache
def _load(path: Path) -> OpTable:
    content = files.read_extended(path, _SCHEMA, _REQUIRED, "runtimes")
    pairs = {op: _pair(value) for op, value in content.pop("versions", {}).items()}
    types = {op: tuple(value) for op, value in content.pop("types", {}).items()}
    cost = content.pop("interpreter", None)
    if cost is not None:
        required = Interpreter.__dataclass_fields__
        files.require(path, cost, required, "interpreter.")
        cost = Interpreter(**_frozen(cost))
    return OpTable(versions=pairs, types=types, interpreter=cost, **_frozen(content))


def _pair(value: int | list[int]) -> tuple[int, int]:
    return (value[0], value[1]) if isinstance(value, list) else (1, value)


def _frozen(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in content.items()}

"""A target's facts: `targets/<name>.toml` -> Profile, with one level of `extends`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from edgekit.problem import Problem
from edgekit.target import files as files
from edgekit.target.op_table import OpTable, load_op_table

Family = Literal["linux", "android", "web", "ios", "mcu"]
FAMILIES = ("linux", "android", "web", "ios", "mcu")
SCHEMES = ("int8", "int4", "int16x8", "float16", "dynamic", "float32")
DTYPES = ("int8", "uint8", "int16", "float32")


@dataclass(frozen=True)
class Processor:
    """The processor that runs the model.

    Attributes:
        core: As compilers name it (`cortex-m4`), or the architecture (`armv8-a`).
        cores: How many; None where targets of this kind differ.
        clock_mhz: Highest clock in MHz; None where targets of this kind differ.
        fpu: `none`, `single` or `double` precision in hardware.
        dsp: Whether a Cortex-M has the DSP extension.
        vector: `none`, `mve`, `neon`, `sse2`, `simd128`, `pie`.
    """

    core: str
    cores: int | None = None
    clock_mhz: int | None = None
    fpu: str = "none"
    dsp: bool = False
    vector: str = "none"


@dataclass(frozen=True)
class Profile:
    """A target: what it is, what it can run, what a build makes for it.

    Attributes:
        name: Of its file, without `.toml`.
        title: For people.
        family: `linux`, `android`, `web`, `ios` or `mcu`.
        processor: Core, clock, FPU.
        flash_bytes: Memory for code and model; None where it is no limit or not known.
        ram_bytes: Working memory, on a microcontroller its largest contiguous part; None likewise.
        pj_per_cycle: Energy of one clock cycle in pJ while it computes; None where no source
            gives it.
        runtime: The runtime on the target and its ops.
        evaluate_with: The runtime here whose numbers are the target's: a name for `open_runtime`.
        input_dtype: Of an int8 build, unless the project says otherwise.
        output_dtype: The same of its output.
        io_types: What inputs and outputs of an integer build may be.
        quantizers: Schemes it can run; the first is the default.
        exporters: What a build writes.
        aliases: Other names that it is found by.
        device: Default way to reach one (`ssh`, `adb`, `serial`, `qemu`, `host`).
        sources: Where each table's facts are from.
    """

    name: str
    title: str
    family: Family
    processor: Processor
    flash_bytes: int | None
    ram_bytes: int | None
    pj_per_cycle: int | None
    runtime: OpTable
    evaluate_with: str
    input_dtype: str
    output_dtype: str
    io_types: tuple[str, ...]
    quantizers: tuple[str, ...]
    exporters: tuple[str, ...]
    aliases: tuple[str, ...]
    device: str | None
    sources: Mapping[str, str]

    def io(self, scheme: str) -> tuple[str, str]:
        """Default dtypes of input and output of a build with quantizer `scheme`."""
        return _io_dtype(scheme, self.input_dtype), _io_dtype(scheme, self.output_dtype)

    def check_io(self, scheme: str, input_dtype: str, output_dtype: str) -> list[Problem]:
        """An error for each of the dtypes that a `scheme` build for this target cannot have."""
        allowed = {_io_dtype(scheme, dtype) for dtype in self.io_types}
        wanted = {"io.input": input_dtype, "io.output": output_dtype}
        return [
            Problem(
                "error",
                where,
                f"{where} = {dtype} is not possible for {scheme} builds for {self.name}",
                f"use {' or '.join(sorted(allowed))}, e.g. --set {where}={min(allowed)}",
            )
            for where, dtype in wanted.items()
            if dtype not in allowed
        ]

    def to_json(self) -> dict[str, Any]:
        """Every fact, with its sources, as `edgekit targets NAME --json` prints it."""
        return asdict(self)


_SCHEMA: Mapping[str, files.Kind] = {
    "title": str,
    "extends": str,
    "aliases": [str],
    "family": FAMILIES,
    "runtime": str,
    "evaluate_with": ("litert", "litert-reference", "tflite-micro"),
    "quantizers": [SCHEMES],
    "exporters": [str],
    "device": str,
    "processor": {
        "core": str,
        "cores": files.at_least_one,
        "clock_mhz": files.at_least_one,
        "fpu": ("none", "single", "double"),
        "dsp": bool,
        "vector": ("none", "mve", "neon", "sse2", "simd128", "pie"),
    },
    "memory": {"flash_bytes": files.at_least_one, "ram_bytes": files.at_least_one},
    "energy": {"pj_per_cycle": files.at_least_one},
    "io": {"input": DTYPES, "output": DTYPES, "allowed": [DTYPES]},
    "sources": {"*": str},
}
_REQUIRED = (
    *("title", "family", "runtime", "evaluate_with", "quantizers", "exporters"),
    *("processor", "io", "sources"),
)


def profile_names() -> list[str]:
    """Names of all targets: those shipped and those in the folders of $EDGEKIT_TARGETS."""
    return files.names()


def load_profile(name: str) -> Profile:
    """The profile of a target by its exact name, or by the path of a TOML file.

    Raises:
        UsageError: Unknown name (the hint has the nearest), unknown key, wrong type, missing key.
    """
    path = files.find(name)
    content = files.read_extended(path, _SCHEMA, _REQUIRED)
    files.require(path, content["processor"], ("core",), "processor.")
    files.require(path, content["io"], ("input", "output", "allowed"), "io.")
    for key in ("quantizers", "exporters"):
        files.require_items(path, content[key], key)
    return _profile(path, content)


def _profile(path: Path, content: Mapping[str, Any]) -> Profile:
    memory = content.get("memory", {})
    return Profile(
        name=path.stem,
        title=content["title"],
        family=content["family"],
        processor=Processor(**content["processor"]),
        flash_bytes=memory.get("flash_bytes"),
        ram_bytes=memory.get("ram_bytes"),
        pj_per_cycle=content.get("energy", {}).get("pj_per_cycle"),
        runtime=load_op_table(content["runtime"], beside=path),
        evaluate_with=content["evaluate_with"],
        input_dtype=content["io"]["input"],
        output_dtype=content["io"]["output"],
        io_types=tuple(content["io"]["allowed"]),
        quantizers=tuple(content["quantizers"]),
        exporters=tuple(content["exporters"]),
        aliases=tuple(content.get("aliases", ())),
        device=content.get("device"),
        sources=content["sources"],
    )


def _io_dtype(scheme: str, dtype: str) -> str:
    """What `dtype` of an int8 build becomes under `scheme`."""
    if scheme in ("int8", "int4") or dtype == "float32":
        return dtype
    return "int16" if scheme == "int16x8" else "float32"

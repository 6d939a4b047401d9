"""A C project on an emulated core: what it computes, what it costs."""

from __future__ import annotations

import sys
import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.devices._cortex_m import estimate, firmware, layers
from edgekit.devices._cortex_m.counts import Counts, Executed
from edgekit.devices._cortex_m.elf import Symbol
from edgekit.devices._cortex_m.emulator import Kit
from edgekit.devices._cortex_m.instructions import Instruction
from edgekit.devices._cortex_m.machines import Core, find_core
from edgekit.devices._cortex_m.measured import LayerCost, Line, Measured
from edgekit.devices._cortex_m.project import Project, read_project
from edgekit.devices._cortex_m.spoken import read_spoken
from edgekit.errors import DeviceError, UsageError


@dataclass(frozen=True)
class Prepared:
    """A project made into firmware for a core."""

    kit: Kit
    project: Project
    core: Core
    firmware: firmware.Firmware


def measure_with(
    kit: Kit,
    build: Path,
    manifest: Mapping[str, Any],
    core: str | None = None,
    vectors: int | None = None,
) -> Measured:
    """Compile the C project of a build, run it on an emulated core and count.

    Args:
        kit: Toolchain and emulator.
        build: Folder of the build, which holds the C project.
        manifest: Of the build, or its table `c_project` alone.
        core: Another core than the project's own, e.g. `cortex-m7`.
        vectors: Run the first so many golden vectors; None: all.

    Raises:
        ModelError: There is no C project.
        UsageError: No emulated machine has that core.
        MissingExtra: Compiler or emulator is not installed.
        DeviceError: The project does not compile, faults, hangs, or fits no machine.
    """
    with tempfile.TemporaryDirectory(prefix="edgekit-") as work:
        return run(prepare(kit, build, manifest, Path(work), core, vectors))


def prepare(
    kit: Kit,
    build: Path,
    manifest: Mapping[str, Any],
    work: Path,
    core: str | None = None,
    vectors: int | None = None,
) -> Prepared:
    """The first half of `measure_with`: firmware in the empty folder `work`."""
    project = read_project(build, manifest)
    chosen = find_core(core) if core else _own_core(project, kit.emulator.cores)
    emulator = kit.emulator
    if chosen.name not in emulator.cores:
        hint = f"--device qemu has it; {emulator.name} has {', '.join(emulator.cores)}"
        raise UsageError(f"{emulator.name} has no {chosen.name}", hint)
    made = firmware.make(kit.toolchain, project, chosen, work, vectors)
    return Prepared(kit, project, chosen, made)


def _own_core(project: Project, known: Iterable[str]) -> Core:
    """The core that the build is for."""
    try:
        return find_core(project.core)
    except UsageError as error:
        raise UsageError(
            f"the build is for {project.core}, which no emulated machine has",
            f"--core NAME runs it on another: {', '.join(known)}",
        ) from error


def run(prepared: Prepared, timeout: float = 600.0) -> Measured:
    """The second half of `measure_with`, in at most `timeout` seconds."""
    project, core, made = prepared.project, prepared.core, prepared.firmware
    markers = layers.markers(project, made.symbols)
    emulator = prepared.kit.emulator
    said, counts = emulator.count(made.path, core, made.machine, markers, timeout)
    spoken = read_spoken(said)
    if not counts.totals:
        raise DeviceError(
            "no inference was counted", "report this with the build folder: where it ends is wrong"
        )
    code = prepared.kit.toolchain.disassemble(made.path)
    whole = _whole(counts)
    shares = layers.share(project, made.symbols, counts)
    return Measured(
        core=core.name,
        machine=made.machine.name,
        totals=counts.totals[: len(spoken.vectors)],
        layers=_costs(project, core, code, shares),
        between=_sum(shares.between),
        cycles=_rounded(core, code, whole),
        flash_bytes=made.sizes.flash,
        ram_bytes=made.sizes.ram,
        stack_bytes=max(vector.stack for vector in spoken.vectors),
        spoken=spoken,
        lines=tuple(_lines(core, code, whole, made.symbols)),
        tools=(prepared.kit.toolchain.version(), emulator.version()),
    )


def _costs(
    project: Project, core: Core, code: Mapping[int, Instruction], shares: layers.Shares
) -> tuple[LayerCost, ...]:
    return tuple(
        LayerCost(layer.name, layer.op, layer.macs, _sum(executed), _rounded(core, code, executed))
        for layer, executed in zip(project.layers, shares.layers, strict=True)
    )


def _lines(
    core: Core,
    code: Mapping[int, Instruction],
    executed: Mapping[int, Executed],
    symbols: Mapping[str, Symbol],
) -> Iterator[Line]:
    starts = sorted((symbol.address, name) for name, symbol in symbols.items())
    for pc, one in sorted(executed.items()):
        function = starts[bisect_right(starts, (pc, chr(sys.maxunicode))) - 1][1]
        text = f"{code[pc].mnemonic} {code[pc].operands}"
        yield Line(function, pc, text, one.count, _rounded(core, code, {pc: one}))


def _rounded(
    core: Core, code: Mapping[int, Instruction], executed: Mapping[int, Executed]
) -> int | None:
    found = estimate.estimate(core.name, code, executed)
    return None if found is None else round(found)


def _sum(executed: Mapping[int, Executed]) -> int:
    return sum(one.count for one in executed.values())


def _whole(counts: Counts) -> dict[int, Executed]:
    whole: dict[int, Executed] = {}
    for found in counts.at.values():
        for pc, one in found.items():
            before = whole.get(pc, Executed(0, 0))
            whole[pc] = Executed(before.count + one.count, before.taken + one.taken)
    return whole

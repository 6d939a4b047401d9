"""Firmware of `c_project/serial/` for an emulated board that has a UART."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgekit.devices._cortex_m.machines import Core, Machine
from edgekit.devices._cortex_m.project import Project
from edgekit.devices._cortex_m.toolchain import HERE, OWN_FLAGS, Toolchain
from edgekit.errors import UsageError

SOURCES = ("mlperf_tiny.c", "th_model.c", "th_printf.c")


@dataclass(frozen=True)
class Peripherals:
    """Addresses of UART and FPGA I/O block, and ticks of its prescaler in a microsecond.

    As `info mtree` and `info qtree` of QEMU 7.2 show them; secure aliases where the core starts
    in the secure state.
    """

    uart: int
    fpgaio: int
    ticks_per_us: int


MPS2 = Peripherals(0x40004000, 0x40028000, 25)
PERIPHERALS: Mapping[str, Peripherals] = {
    "mps2-an385": MPS2,
    "mps2-an386": MPS2,
    "mps2-an500": MPS2,
    "mps2-an505": Peripherals(0x50200000, 0x50302000, 20),
    "mps3-an547": Peripherals(0x59303000, 0x59302000, 20),
}


def make_serial(tools: Toolchain, project: Project, core: Core, work: Path) -> tuple[Path, Machine]:
    """Compile and link in the empty folder `work`.

    Returns:
        The ELF file, and the machine that it is for: the largest of the core's.

    Raises:
        DeviceError: The project does not compile or does not fit.
        UsageError: No emulated board of this core has such a UART.
    """
    machine = core.machines[-1]
    if machine.name not in PERIPHERALS:
        raise UsageError(f"no UART is known of {machine.name}", "choose another core")
    found = PERIPHERALS[machine.name]
    serial = project.folder / "serial"
    defines = {"UART": found.uart, "FPGAIO": found.fpgaio, "TICKS_PER_US": found.ticks_per_us}
    flags = (
        *OWN_FLAGS,
        f"-I{serial}",
        *(f"-D{name}={value:#x}u" for name, value in defines.items()),
    )
    sources = [*(serial / name for name in SOURCES), HERE / "startup.c", HERE / "port_cmsdk.c"]
    objects = [work / "model.o", *((work / source.name).with_suffix(".o") for source in sources)]
    tools.compile_c(project.source, objects[0], core, project.cflags)
    for source, output in zip(sources, objects[1:], strict=True):
        tools.compile_c(source, output, core, flags)
    tools.link(objects, work / "serial.elf", core, machine)
    return work / "serial.elf", machine

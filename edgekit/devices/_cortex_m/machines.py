"""Cortex-M cores: how to compile for one, and the emulated machines that have it.

Memory maps as `info mtree` of QEMU 7.2 shows them. On mps3-an547 code lies in the ITCM and constant
data in the SRAM beside it, so that models above 512 KB fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgekit._discover import did_you_mean
from edgekit.errors import UsageError

KB, MB = 1 << 10, 1 << 20


@dataclass(frozen=True)
class Memory:
    """A stretch of memory: first address and length in bytes."""

    origin: int
    length: int


@dataclass(frozen=True)
class Machine:
    """A machine of qemu-system-arm.

    Attributes:
        name: Of its option `-M`.
        code: Where it starts and code lies.
        ram: Working memory; the stack is at its end.
        tables: Where constant data lie, if not behind the code.
    """

    name: str
    code: Memory
    ram: Memory
    tables: Memory | None = None


@dataclass(frozen=True)
class Core:
    """A core: compiler options, and machines in the order in which they are tried."""

    name: str
    flags: tuple[str, ...]
    machines: tuple[Machine, ...]


MICROBIT = Machine("microbit", Memory(0, 256 * KB), Memory(0x20000000, 16 * KB))
AN385 = Machine("mps2-an385", Memory(0, 4 * MB), Memory(0x20000000, 4 * MB))
AN386 = Machine("mps2-an386", Memory(0, 4 * MB), Memory(0x20000000, 4 * MB))
AN500 = Machine("mps2-an500", Memory(0, 4 * MB), Memory(0x20000000, 4 * MB))
AN505 = Machine("mps2-an505", Memory(0x10000000, 4 * MB), Memory(0x38000000, 4 * MB))
AN547 = Machine(
    "mps3-an547", Memory(0, 512 * KB), Memory(0x21000000, 2 * MB), Memory(0x01000000, 2 * MB)
)


def _core(name: str, flags: str, *machines: Machine) -> Core:
    return Core(name, (f"-mcpu={name}", "-mthumb", *flags.split()), machines)


CORES: Mapping[str, Core] = {
    core.name: core
    for core in (
        _core("cortex-m0", "-mfloat-abi=soft", MICROBIT, AN385),
        _core("cortex-m0plus", "-mfloat-abi=soft", MICROBIT, AN385),
        _core("cortex-m3", "-mfloat-abi=soft", AN385),
        _core("cortex-m4", "-mfloat-abi=hard -mfpu=fpv4-sp-d16", AN386),
        _core("cortex-m7", "-mfloat-abi=hard -mfpu=fpv5-sp-d16", AN500),
        _core("cortex-m33", "-mfloat-abi=hard -mfpu=fpv5-sp-d16", AN505),
        _core("cortex-m55", "-mfloat-abi=hard", AN547),
    )
}


def find_core(name: str) -> Core:
    """The core called `name`, e.g. `cortex-m4`.

    Raises:
        UsageError: No emulated machine has it.
    """
    if name not in CORES:
        raise UsageError(f"no emulated machine has a {name}", did_you_mean(name, CORES))
    return CORES[name]

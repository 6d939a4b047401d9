"""Firmware for an emulated machine: one that measures, and one that is only linked for its size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgekit.devices._cortex_m.elf import Sizes, Symbol, read_elf
from edgekit.devices._cortex_m.machines import Core, Machine
from edgekit.devices._cortex_m.project import Project, bench_header
from edgekit.devices._cortex_m.toolchain import HERE, OWN_FLAGS, TooBigError, Toolchain


@dataclass(frozen=True)
class Firmware:
    """What was linked.

    Attributes:
        path: The ELF file that measures.
        machine: That it was linked for.
        sizes: Of the smallest program around the model, without what measures.
        symbols: Of the file that measures.
    """

    path: Path
    machine: Machine
    sizes: Sizes
    symbols: dict[str, Symbol]


def make(
    tools: Toolchain, project: Project, core: Core, work: Path, vectors: int | None = None
) -> Firmware:
    """Compile and link both firmwares in the empty folder `work`.

    Args:
        tools: The toolchain.
        project: The model.
        core: To compile for.
        work: Where everything is written.
        vectors: Measure on the first so many golden vectors; None: on all.

    Raises:
        DeviceError: The project does not compile or fits none of the core's machines.
        MissingExtra: The compiler is not installed.
    """
    (work / "bench_model.h").write_text(bench_header(project), encoding="utf-8")
    model = work / "model.o"
    tools.compile_c(project.source, model, core, project.cflags)
    start = _own(tools, "startup.c", project, core, work)
    limit = () if vectors is None else (f"-DMODEL_GOLDEN_LIMIT={vectors}",)
    bench = _own(tools, "bench_main.c", project, core, work, "-DMODEL_WITH_GOLDEN", *limit)
    size = _own(tools, "size_main.c", project, core, work)
    tools.link([start, size, model], work / "size.elf", core, core.machines[-1])
    machine = _link_first(tools, [start, bench, model], work / "bench.elf", core)
    return Firmware(
        path=work / "bench.elf",
        machine=machine,
        sizes=read_elf(work / "size.elf").sizes,
        symbols=read_elf(work / "bench.elf").symbols,
    )


def _own(
    tools: Toolchain, name: str, project: Project, core: Core, work: Path, *flags: str
) -> Path:
    output = (work / name).with_suffix(".o")
    include = (f"-I{work}", f"-I{project.folder}")
    flags = (*OWN_FLAGS, *include, *flags)
    tools.compile_c(HERE / name, output, core, flags)
    return output


def _link_first(tools: Toolchain, objects: list[Path], output: Path, core: Core) -> Machine:
    """Link for the first of the core's machines that is large enough."""
    for machine in core.machines[:-1]:
        try:
            tools.link(objects, output, core, machine)
        except TooBigError:
            continue
        return machine
    tools.link(objects, output, core, core.machines[-1])
    return core.machines[-1]

"""The unicorn driver: the counts of QEMU to the last instruction, and no tool but those of pip."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_project import FIRST, write_toy

from edgekit.artifact import Build
from edgekit.devices._cortex_m.classes import M4, cycles
from edgekit.devices._cortex_m.counts import Executed
from edgekit.devices._cortex_m.emulator import Kit
from edgekit.devices._cortex_m.gcc import Gcc
from edgekit.devices._cortex_m.measure import measure_with, prepare, run
from edgekit.devices._cortex_m.measured import Measured
from edgekit.devices._cortex_m.qemu_system import Qemu
from edgekit.devices._cortex_m.unicorn_engine import MODELS, Unicorn
from edgekit.devices._cortex_m.zig import Zig
from edgekit.devices.unicorn import Driver
from edgekit.errors import DeviceError, MissingExtra, UsageError
from edgekit.harness.bench import bench
from edgekit.harness.wanted import Wanted

pytestmark = pytest.mark.skipif(
    bool(Driver.needs.lacking()), reason=f"not installed: {', '.join(Driver.needs.lacking())}"
)
# What tells counters apart: jump tables, divisions, blocks that are skipped, floating point.
MIXED = FIRST.replace(
    "sum >>= 7;",
    """switch (sum & 7) {
        case 0: sum -= 3; break;
        case 1: sum *= 5; break;
        case 2: sum /= (arena[i] | 1); break;
        case 5: sum ^= 9; break;
        case 6: sum--; break;
        }
        sum = (int32_t)((float)sum * 0.0078125f - 0.5f);""",
).replace("for (int i = 0;", "int i; for (i = 0;")


def figures(found: Measured) -> tuple[object, ...]:
    """All but the names of the tools."""
    return (
        found.totals,
        found.layers,
        found.between,
        found.cycles,
        found.stack_bytes,
        found.spoken,
    )


@pytest.mark.usefixtures("qemu")
@pytest.mark.parametrize("core", MODELS)
def test_counts_are_those_of_qemu(tmp_path: Path, core: str) -> None:
    manifest = write_toy(tmp_path, first=MIXED)
    mine = measure_with(Kit(Gcc(), Unicorn()), tmp_path, manifest, core)
    theirs = measure_with(Kit(Gcc(), Qemu()), tmp_path, manifest, core)
    assert figures(mine) == figures(theirs)
    assert mine.instructions > 500


@pytest.mark.usefixtures("qemu")
def test_capstone_reads_the_code_as_objdump_does(tmp_path: Path) -> None:
    kit = Kit(Gcc(), Unicorn())
    (tmp_path / "work").mkdir()
    made = prepare(kit, tmp_path, write_toy(tmp_path, first=MIXED), tmp_path / "work").firmware
    theirs = Gcc().disassemble(made.path)
    mine = Zig().disassemble(made.path)
    assert set(mine) == set(theirs)
    for address, instruction in theirs.items():
        ten = Executed(10, 4)
        assert cycles(mine[address], ten, M4) == cycles(instruction, ten, M4), instruction


def test_all_of_it_by_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_toy(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    report = bench(Build.load(tmp_path), Wanted("unicorn"))
    assert report.golden.ok
    assert report.golden.compared == 12
    emulated = report.emulated
    assert emulated is not None
    assert 300 < emulated["instructions"] < 1500
    assert [name.split()[0] for name in report.environment["tools"]] == [
        "ziglang",
        "unicorn",
    ]


def test_core_that_unicorn_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unicorn has no cortex-m55") as caught:
        measure_with(Kit(Zig(), Unicorn()), tmp_path, write_toy(tmp_path), "cortex-m55")
    assert "--device qemu" in caught.value.hint


FAULTS = {
    "no memory there": "*(volatile int *)0xF0000000 = 1;",
    "undefined instruction": '__asm volatile("udf #3");',
}


@pytest.mark.parametrize("statement", FAULTS.values(), ids=FAULTS.keys())
def test_fault_is_named(tmp_path: Path, statement: str) -> None:
    first = FIRST.replace("{\n", f"{{\n    {statement}\n", 1)
    with pytest.raises(DeviceError, match=r"faulted at 0x0000[0-9a-f]{4} in golden vector 0"):
        measure_with(Kit(Zig(), Unicorn()), tmp_path, write_toy(tmp_path, first=first))


def test_model_that_never_returns_is_stopped(tmp_path: Path) -> None:
    first = FIRST.replace("{\n", "{\n    for (volatile int go = 1; go;) {}\n", 1)
    (tmp_path / "work").mkdir()
    manifest = write_toy(tmp_path, first=first)
    made = prepare(Kit(Zig(), Unicorn()), tmp_path, manifest, tmp_path / "work")
    with pytest.raises(DeviceError, match="took longer than 1 s"):
        run(made, timeout=1)


def test_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgekit.equipment.find_spec", lambda name: name != "unicorn" or None)
    assert Driver.needs.lacking() == ["unicorn"]
    assert Driver.needs.hint() == "pip install 'edgekit-toolkit[emulator]'"
    monkeypatch.setattr("edgekit.devices._cortex_m.zig.importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="capstone is not installed"):
        Zig().disassemble(Path("x"))

"""The qemu driver on real firmware: every core, what goes wrong, what is counted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from toy_project import FIRST, HEADER, RUN, SECOND, VECTORS, golden, reference, write_toy

from edgekit.devices._cortex_m.machines import CORES
from edgekit.devices._cortex_m.measure import prepare, run
from edgekit.devices._cortex_m.qemu_system import plugin_api
from edgekit.devices.base import Golden, Job
from edgekit.devices.qemu import Driver, measure
from edgekit.errors import DeviceError, MissingExtra, ModelError, UsageError

pytestmark = pytest.mark.usefixtures("qemu")

MACHINES = {
    "cortex-m0": "microbit",
    "cortex-m0plus": "microbit",
    "cortex-m3": "mps2-an385",
    "cortex-m4": "mps2-an386",
    "cortex-m7": "mps2-an500",
    "cortex-m33": "mps2-an505",
    "cortex-m55": "mps3-an547",
}


def checked(build: Path, **toy: object) -> Golden:
    """What the driver says about the golden vectors of a toy."""
    manifest = write_toy(build, **toy)  # type: ignore[arg-type]
    with Driver() as driver:
        driver.deploy(Job(build, manifest))
        return driver.check()


def test_every_core_has_a_machine() -> None:
    assert set(MACHINES) == set(CORES)


@pytest.mark.parametrize("core", MACHINES)
def test_every_core_computes_the_golden_vectors(tmp_path: Path, core: str) -> None:
    found = measure(tmp_path, write_toy(tmp_path), core)
    assert (found.core, found.machine) == (core, MACHINES[core])
    assert [vector.compared for vector in found.spoken.vectors] == [4, 4, 4]
    assert (found.mismatched, found.spoken.differs) == (0, None)
    assert not any(vector.overwritten or vector.overflow for vector in found.spoken.vectors)
    assert (
        found.instructions
        == found.totals[0]
        == found.between + sum(layer.instructions for layer in found.layers)
    )
    assert found.layers[0].instructions > 128 > found.layers[1].instructions / 32
    assert (found.cycles is None) == (core == "cortex-m55")
    assert found.ram_bytes == 56  # an arena of 52 bytes, and nothing else
    assert 300 < found.flash_bytes < 1000
    assert 8 <= found.stack_bytes <= 128


def test_counts_are_the_same_every_time(tmp_path: Path) -> None:
    manifest = write_toy(tmp_path)
    assert measure(tmp_path, manifest) == measure(tmp_path, manifest["c_project"])


def test_listing_shows_where_the_instructions_go(tmp_path: Path) -> None:
    found = measure(tmp_path, write_toy(tmp_path))
    layer = [line for line in found.lines if line.function == "toy_layer_00_fully_connected"]
    assert sum(line.count for line in layer) == found.layers[0].instructions
    assert sum(line.count for line in found.lines) == found.instructions
    assert any(line.text.startswith("ldr") and line.count == 128 for line in layer)
    assert found.listing("toy_layer_00").count("\n") == len(layer) - 1


def test_only_so_many_golden_vectors(tmp_path: Path) -> None:
    found = measure(tmp_path, write_toy(tmp_path, wrong=[2]), vectors=2)
    assert (len(found.totals), len(found.spoken.vectors), found.mismatched) == (2, 2, 0)


def test_model_too_large_for_a_microbit_runs_on_a_larger_machine(tmp_path: Path) -> None:
    header = HEADER.replace("ARENA_BYTES 52", "ARENA_BYTES 20000")
    found = measure(tmp_path, write_toy(tmp_path, header=header), "cortex-m0plus")
    assert (found.machine, found.mismatched) == ("mps2-an385", 0)
    assert 20000 <= found.ram_bytes < 20100


def test_model_too_large_for_every_machine_is_refused(tmp_path: Path) -> None:
    header = HEADER.replace("ARENA_BYTES 52", "ARENA_BYTES 5000000")
    with pytest.raises(DeviceError, match="does not fit mps2-an386"):
        measure(tmp_path, write_toy(tmp_path, header=header))


def test_wrong_value_is_counted_and_named(tmp_path: Path) -> None:
    right = reference(VECTORS[1])[3] & 255
    found = checked(tmp_path, wrong=[1])
    assert (found.vectors, found.compared, found.mismatched, found.ok) == (3, 12, 1, False)
    assert found.detail == f"golden vector 1: output byte 3 is {right}, should be {right ^ 1}"


OUTSIDE = {
    "behind the arena": ("arena[48 + o] = ", "arena[52 + o] = arena[48 + o] = ", "4 bytes"),
    "before the arena": ("int32_t sum = 0;", "int32_t sum = 0; arena[-1 - o] = 7;", "4 bytes"),
}


@pytest.mark.parametrize(("old", "new", "bytes_"), OUTSIDE.values(), ids=OUTSIDE.keys())
def test_write_outside_the_arena_is_found(tmp_path: Path, old: str, new: str, bytes_: str) -> None:
    found = checked(tmp_path, second=SECOND.replace(old, new))
    assert (found.mismatched, found.ok) == (0, False)
    assert found.detail == f"golden vector 0: {bytes_} outside the arena written"


def test_run_copy_that_writes_behind_its_output_is_found(tmp_path: Path) -> None:
    found = checked(
        tmp_path, run=RUN.replace("    return status;", "    output[4] = 0;\n    return status;")
    )
    assert found.detail == "run_copy: 0 output bytes differ, 1 bytes outside its buffers written"


def test_run_copy_that_changes_its_input_is_found(tmp_path: Path) -> None:
    changed = RUN.replace(
        "    return status;", "    ((int8_t *)input)[3] ^= 1;\n    return status;"
    )
    assert checked(tmp_path, run=changed).detail.endswith("1 bytes outside its buffers written")


def test_status_of_the_run_function_is_named(tmp_path: Path) -> None:
    found = checked(tmp_path, run=RUN.replace("return TOY_OK;", "return TOY_ERROR_ALIGNMENT;"))
    assert found.detail == "golden vector 0: the run function returned 2"


def test_stack_is_as_deep_as_what_lies_on_it(tmp_path: Path) -> None:
    deep = SECOND.replace(
        "{\n    for",
        "{\n    volatile int8_t local[1000];\n    local[0] = local[999] = 1;\n    for",
        1,
    )
    plain = measure(tmp_path / "plain", write_toy(tmp_path / "plain")).stack_bytes
    found = measure(tmp_path / "deep", write_toy(tmp_path / "deep", second=deep)).stack_bytes
    assert 1000 <= found - plain + 40 <= 1064


def test_fault_is_named_with_its_address(tmp_path: Path) -> None:
    first = FIRST.replace("{\n", "{\n    *(volatile int *)0xF0000000 = 1;\n", 1)
    with pytest.raises(DeviceError, match=r"faulted at 0x0000[0-9a-f]{4} in golden vector 0"):
        measure(tmp_path, write_toy(tmp_path, first=first))


def test_model_that_never_returns_is_stopped(tmp_path: Path) -> None:
    first = FIRST.replace("{\n", "{\n    for (volatile int go = 1; go;) {}\n", 1)
    (tmp_path / "work").mkdir()
    prepared = prepare(Driver.kit(), tmp_path, write_toy(tmp_path, first=first), tmp_path / "work")
    with pytest.raises(DeviceError, match="took longer than 1 s"):
        run(prepared, timeout=1)


def test_project_for_another_core_says_so(tmp_path: Path) -> None:
    first = FIRST.replace("{\n", '{\n    __asm volatile("smlad r0, r0, r0, r0" ::: "r0");\n', 1)
    with pytest.raises(
        DeviceError, match=r"toy.c does not compile for cortex-m3: .*smlad"
    ) as caught:
        measure(tmp_path, write_toy(tmp_path, first=first), "cortex-m3")
    assert "--core" in caught.value.hint


def test_function_that_the_compiler_renamed_is_found(tmp_path: Path) -> None:
    first = FIRST.replace("(int8_t *arena)", "(int8_t *arena, int shift)").replace(
        ">>= 7", ">>= shift"
    )
    body = RUN.replace("connected(arena);", "connected(arena, 7);", 1)
    found = measure(tmp_path, write_toy(tmp_path, first=first, run=body))
    assert found.mismatched == 0
    assert found.layers[0].instructions > 128


def test_layer_that_does_nothing_takes_no_instructions(tmp_path: Path) -> None:
    """The compiler leaves it out, though it may not inline it."""
    kept = "#define EK_LAYER __attribute__((noinline))\nstatic EK_LAYER void"
    first = f"{kept} toy_layer_02_concatenation(int8_t *arena) {{ (void)arena; }}\n{FIRST}"
    body = RUN.replace(
        "connected(arena);", "connected(arena);\n    toy_layer_02_concatenation(arena);", 1
    )
    manifest = write_toy(tmp_path, first=first, run=body)
    nothing = {**manifest["c_project"]["layers"][0], "symbol": "toy_layer_02_concatenation"}
    manifest["c_project"]["layers"].append(nothing)
    found = measure(tmp_path, manifest)
    assert [layer.instructions > 0 for layer in found.layers] == [True, True, False]


def test_layer_without_a_function_is_named(tmp_path: Path) -> None:
    first = FIRST.replace("__attribute__((noinline))", "inline __attribute__((always_inline))")
    with pytest.raises(DeviceError, match="no function toy_layer_00_fully_connected"):
        measure(tmp_path, write_toy(tmp_path, first=first))


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    """The same network with its input and output each in two parts, far from each other."""
    header = HEADER.replace("COUNT 1", "COUNT 2")
    header = header.replace("#define TOY_INPUT_0_BYTES 16", "#define TOY_INPUT_0_BYTES 10")
    header = header.replace("#define TOY_OUTPUT_0_BYTES 4", "#define TOY_OUTPUT_0_BYTES 1")
    more = "\n".join(
        f"#define TOY_{name} {value}"
        for name, value in {
            **{"INPUT_1_OFFSET": 10, "INPUT_1_BYTES": 6},
            **{"OUTPUT_1_OFFSET": 49, "OUTPUT_1_BYTES": 3},
        }.items()
    )
    header = header.replace("typedef enum", f"{more}\ntypedef enum")
    found = measure(tmp_path, write_toy(tmp_path, header=header, wrong=[2]))
    assert [vector.compared for vector in found.spoken.vectors] == [4, 4, 4]
    assert (found.mismatched, found.spoken.differs and found.spoken.differs[:2]) == (1, (2, 3))


def test_golden_vectors_of_no_model_are_not_taken_for_good(tmp_path: Path) -> None:
    manifest = write_toy(tmp_path)
    (tmp_path / "c_project/toy_golden.h").write_text(golden([[0] * 16], [[1, 2, 3, 4]]))
    assert measure(tmp_path, manifest).mismatched >= 3


def test_initial_data_are_counted_twice_and_are_there(tmp_path: Path) -> None:
    """In flash, from where they are copied, and in RAM."""
    first = "static volatile int32_t scale[25] = {7};\n" + FIRST.replace(">>= 7", ">>= scale[0]")
    plain = measure(tmp_path / "plain", write_toy(tmp_path / "plain"))
    found = measure(tmp_path / "data", write_toy(tmp_path / "data", first=first))
    assert found.mismatched == 0
    assert 100 <= found.ram_bytes - plain.ram_bytes < 108
    assert 100 <= found.flash_bytes - plain.flash_bytes < 160


def test_interface_of_the_plugin_by_version() -> None:
    versions = ("qemu-system-arm 7.2.22", "qemu-system-arm 8.2.0", "qemu-system-arm 10.0.3")
    assert [plugin_api(version) for version in versions] == [1, 1, 2]


def test_unknown_core_gets_a_hint(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no emulated machine has a cortex-m85") as caught:
        measure(tmp_path, write_toy(tmp_path), "cortex-m85")
    assert "cortex-m" in caught.value.hint


def test_build_without_a_c_project_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no C project") as caught:
        measure(tmp_path, {"schema": 1, "target": "cortex-m4"})
    assert "c_project" in caught.value.hint


@pytest.mark.parametrize("key", ["folder", "core", "layers"])
def test_damaged_manifest_is_named(tmp_path: Path, key: str) -> None:
    manifest = write_toy(tmp_path)
    del manifest["c_project"][key]
    with pytest.raises(ModelError, match="its manifest is damaged"):
        measure(tmp_path, manifest)


def test_damaged_project_is_named(tmp_path: Path) -> None:
    manifest = write_toy(tmp_path)
    (tmp_path / "c_project/toy_golden.h").unlink()
    with pytest.raises(ModelError, match=r"toy_golden.h is missing"):
        measure(tmp_path, manifest)


@pytest.mark.parametrize("tool", Driver.needs.tools)
def test_missing_tool_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str
) -> None:
    which = shutil.which
    monkeypatch.setattr("shutil.which", lambda name: None if name == tool else which(name))
    with Driver() as driver, pytest.raises(MissingExtra, match=tool) as caught:
        driver.deploy(Job(tmp_path, write_toy(tmp_path)))
    assert caught.value.hint.startswith("sudo apt-get install ")


def test_unknown_option_is_refused(tmp_path: Path) -> None:
    with Driver() as driver, pytest.raises(UsageError, match="qemu takes no option 'threads'"):
        driver.deploy(Job(tmp_path, write_toy(tmp_path), options={"threads": 2}))

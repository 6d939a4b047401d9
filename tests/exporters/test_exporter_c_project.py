"""The folder of C as a compiler sees it: no warning, right answers, nothing out of bounds."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from c_nets import residual_net

from edgekit.c_project.make import make_project
from edgekit.c_project.project import CProject
from edgekit.compiler.cores import Optimize, core_of
from edgekit.exporters.base import ExportInput
from edgekit.exporters.c_project import Exporter
from edgekit.graph.read import read
from edgekit.target.profile import load_profile

WARNINGS = ("-Wall", "-Wextra", "-pedantic", "-Wmissing-prototypes", "-Werror")
SANITIZED = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
needs_gcc = pytest.mark.skipif(not shutil.which("g++"), reason="gcc and g++ are not installed")
needs_arm = pytest.mark.skipif(
    not shutil.which("arm-none-eabi-gcc"), reason="arm-none-eabi-gcc is not installed"
)
needs_cmake = pytest.mark.skipif(not shutil.which("cmake"), reason="cmake is not installed")


def export(
    name: str, data: bytes, folder: Path, target: str = "cortex-m4", optimize: Optimize = "balanced"
) -> Path:
    """The folder `c_project/` in `folder`."""
    folder.mkdir(exist_ok=True)
    given = ExportInput(
        name, data, read(data), load_profile(target), None, project(name, data, target, optimize)
    )
    paths = Exporter().export(given, folder)
    assert set(paths) == {path for path in (folder / "c_project").rglob("*") if path.is_file()}
    return folder / "c_project"


@cache
def project(name: str, data: bytes, target: str, optimize: Optimize) -> CProject:
    core = core_of(load_profile(target).processor.core, optimize)
    made = make_project(name, data, read(data), target, core)
    assert made.problems == ()
    assert made.project is not None
    return made.project


def program(folder: Path) -> list[str | Path]:
    """What the example is compiled from."""
    return ["-I", folder, *sorted(folder.glob("*.c")), folder / "examples/plain/main.c"]


def run(*command: str | Path, code: int = 0) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


COMPILERS = {
    "C99": ("gcc", "-std=c99"),
    "C11": ("gcc", "-std=c11"),
    "C17 -O0": ("gcc", "-std=c17", "-O0"),
    "C99 -Os": ("gcc", "-std=c99", "-Os"),
    "C11 -O3": ("gcc", "-std=c11", "-O3"),
}
TARGETS = ("cortex-m0plus", "cortex-m4", "cortex-m55", "esp32-s3")


@needs_gcc
@pytest.mark.parametrize("compiler", COMPILERS.values(), ids=COMPILERS.keys())
def test_it_compiles_without_a_warning_and_gives_the_golden_outputs(
    compiler: tuple[str, ...], tmp_path: Path
) -> None:
    folder = export("3-d net", residual_net(), tmp_path)
    binary = tmp_path / "run"
    run(*compiler, *WARNINGS, *program(folder), "-o", binary)
    assert run(binary) == ""


@needs_gcc
@pytest.mark.parametrize("target", TARGETS)
def test_no_sanitizer_has_anything_to_say(target: str, tmp_path: Path) -> None:
    folder = export("net", residual_net(), tmp_path, target)
    binary = tmp_path / "run"
    define = "-DEDGEKIT_PRINT"
    run("gcc", "-std=c99", *WARNINGS, *SANITIZED, define, *program(folder), "-o", binary)
    assert run(binary) == "net: every output of 8 golden vectors is as it must be\n"


@needs_gcc
def test_the_self_test_says_where_the_first_wrong_output_is(tmp_path: Path) -> None:
    folder = export("net", residual_net(), tmp_path)
    golden = folder / "net_golden.h"
    head, name, rest = golden.read_text().partition("net_golden_output")
    rows = rest.split("    {\n")
    values = rows[6].split(",", 4)  # of vector 5
    rows[6] = ",".join([*values[:3], str(int(values[3]) ^ 1), values[4]])
    golden.write_text(head + name + "    {\n".join(rows))
    run("gcc", "-std=c99", "-DEDGEKIT_PRINT", *program(folder), "-o", tmp_path / "run")
    said = run(tmp_path / "run", code=1)
    assert said == "net: status 3, vector 5, output 0, element 3\n"


def test_the_self_test_refuses_an_arena_that_is_none(tmp_path: Path) -> None:
    folder = export("net", residual_net(), tmp_path)
    (tmp_path / "main.c").write_text(
        '#include "net_self_test.h"\n#include <stdint.h>\nint main(void) {\n'
        "    static int64_t arena[NET_ARENA_BYTES / 8 + 4];\n"
        "    char *odd = (char *)arena + ((uintptr_t)arena % 2 == 0);\n"
        "    return net_self_test(0, 0) != NET_ERROR_NULL\n"
        "        || net_self_test(odd, 0) != NET_ERROR_ALIGNMENT;\n}\n"
    )
    sources = [*folder.glob("*.c"), tmp_path / "main.c"]
    run("gcc", "-std=c99", *SANITIZED, "-I", folder, *sources, "-o", tmp_path / "run")
    run(tmp_path / "run")


CALLER = r"""
#include "ONE/one.h"
#include "TWO/model_2.h"
#include "ONE/one_golden.h"
#include "TWO/model_2_golden.h"
#include <cstdio>
#include <cstring>
alignas(ONE_ARENA_ALIGN) static unsigned char first[ONE_ARENA_BYTES + 16];
alignas(MODEL_2_ARENA_ALIGN) static unsigned char second[MODEL_2_ARENA_BYTES];
int main() {
  unsigned char once[ONE_OUTPUT_BYTES], again[ONE_OUTPUT_BYTES], other[MODEL_2_OUTPUT_BYTES];
  std::printf("%d %d %d\n", one_run(nullptr), one_run(first + 1), one_run(first));
  std::printf("%d %d %d\n", one_run_copy(nullptr, once, first),
              one_run_copy(one_golden_input[0], nullptr, first),
              one_run_copy(one_golden_input[0], once, first + 4));
  one_run_copy(one_golden_input[1], once, first);
  model_2_run_copy(model_2_golden_input[0], other, second);
  std::memcpy(first + ONE_INPUT_OFFSET, one_golden_input[1], ONE_INPUT_BYTES);
  one_run(first);
  std::memcpy(again, first + ONE_OUTPUT_OFFSET, ONE_OUTPUT_BYTES);
  const int shape[] = ONE_INPUT_0_SHAPE;
  std::printf("%d %d %d\n", std::memcmp(once, again, sizeof once),
              std::memcmp(once, one_golden_output[1], sizeof once),
              std::memcmp(other, model_2_golden_output[0], sizeof other));
  std::printf("%d %g %d\n", shape[3], ONE_INPUT_0_SCALE, ONE_INPUT_0_ZERO_POINT);
}
"""


@needs_gcc
def test_two_models_in_one_program_of_cpp(tmp_path: Path) -> None:
    one = export("one", residual_net(), tmp_path / "a")
    two = export("2", residual_net(1), tmp_path / "b", "cortex-m0plus")
    for folder, name in ((one, "one"), (two, "model_2")):
        source, made = folder / f"{name}.c", tmp_path / f"{name}.o"
        run("gcc", "-std=c99", *WARNINGS, *SANITIZED, "-c", source, "-o", made)
    text = CALLER.replace("ONE/", f"{one}/").replace("TWO/", f"{two}/")
    (tmp_path / "main.cc").write_text(text)
    flags = ("-std=c++11", "-Wall", "-Wextra", "-pedantic", "-Werror", *SANITIZED)
    objects = (tmp_path / "one.o", tmp_path / "model_2.o")
    run("g++", *flags, tmp_path / "main.cc", *objects, "-o", tmp_path / "both")
    said = run(tmp_path / "both").splitlines()
    assert said == ["1 2 0", "1 1 2", "0 0 0", "3 0.05 -3"]


NAMES = {
    **{
        "my-model.v2": "my_model_v2",
        "größe": "grosse",
        "模型": "model_c98e11",
        "*/ int x; /*": "int_x",
    },
    # taken: by the example, by headers of the system, by CMake
    **{"main": "main_model", "features": "features_model", "string": "string_model"},
    **{"Time": "Time_model", "test": "test_model"},
}


@needs_gcc
@pytest.mark.parametrize(("name", "prefix"), NAMES.items(), ids=[*map(ascii, NAMES)])
def test_any_name(name: str, prefix: str, tmp_path: Path) -> None:
    folder = export(name, residual_net(), tmp_path)
    assert (folder / f"{prefix}.c").is_file()
    run("gcc", "-std=c99", *WARNINGS, *program(folder), "-o", tmp_path / "run")
    run(tmp_path / "run")


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = (export("net", residual_net(), tmp_path / name) for name in ("a", "b"))
    assert [path.name for path in sorted(one.iterdir())] == [
        *("CMakeLists.txt", "Makefile", "README.md", "edgekit.net.pdsc", "examples"),
        *("idf_component.yml", "library.json", "library.properties", "net.c", "net.h"),
        *("net_golden.h", "net_interface.c", "net_interface.h", "net_kernels.h"),
        *("net_self_test.c", "net_self_test.h", "net_weights.h", "serial", "zephyr"),
    ]
    for path in (path for path in one.rglob("*") if path.is_file()):
        assert path.read_bytes() == (two / path.relative_to(one)).read_bytes()
        assert str(tmp_path) not in path.read_text()


@needs_arm
@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m55"])
@pytest.mark.parametrize("optimize", ["size", "speed"])
def test_on_the_target_nothing_of_the_c_library_is_called(
    core: str, optimize: Optimize, tmp_path: Path
) -> None:
    folder = export("net", residual_net(), tmp_path, core, optimize)
    made = tmp_path / "net.o"
    level = "-Os" if optimize == "size" else "-O2"
    flags = (f"-mcpu={core}", "-mthumb", "-std=c99", level, *WARNINGS)
    run("arm-none-eabi-gcc", *flags, "-c", folder / "net.c", "-o", made)
    outside = {line.split()[-1] for line in run("arm-none-eabi-nm", "-u", made).splitlines()}
    assert {name for name in outside if not name.startswith("__aeabi_l")} == set()
    owned = run("arm-none-eabi-nm", "--defined-only", "-g", made).split()[2::3]
    assert sorted(owned) == ["net_run", "net_run_copy"]


@needs_cmake
@needs_gcc
def test_cmake_builds_library_and_example(tmp_path: Path) -> None:
    folder = export("net", residual_net(), tmp_path)
    assert "-Os" in (export("net", residual_net(), tmp_path / "small", optimize="size") /
                     "CMakeLists.txt").read_text()  # fmt: skip
    run("cmake", "-S", folder, "-B", tmp_path / "build")
    run("cmake", "--build", tmp_path / "build")
    assert "as it must be" in run(tmp_path / "build" / "net_example")


USER = """\
cmake_minimum_required(VERSION 3.13)
project(user C)
add_subdirectory(one/c_project one)
add_subdirectory(two/c_project two)
add_executable(user user.c)
target_link_libraries(user PRIVATE one two)
"""


@needs_cmake
@needs_arm
def test_cmake_for_a_board_and_two_models_in_a_project_of_the_users(tmp_path: Path) -> None:
    for name in ("one", "two"):
        export(name, residual_net(), tmp_path / name)
    (tmp_path / "CMakeLists.txt").write_text(USER)
    (tmp_path / "user.c").write_text(
        '#include "one.h"\n#include "two.h"\n'
        "int main(void) { return one_run(0) != ONE_ERROR_NULL || two_run(0) != TWO_ERROR_NULL; }\n"
    )
    (tmp_path / "arm.cmake").write_text(
        "set(CMAKE_SYSTEM_NAME Generic)\nset(CMAKE_C_COMPILER arm-none-eabi-gcc)\n"
        'set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-m4 -mthumb --specs=nosys.specs")\n'
    )
    toolchain = f"-DCMAKE_TOOLCHAIN_FILE={tmp_path / 'arm.cmake'}"
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", toolchain)
    run("cmake", "--build", tmp_path / "build")
    assert (tmp_path / "build" / "one" / "libone.a").is_file()
    assert not list((tmp_path / "build").rglob("*_example*"))


def test_the_read_me_says_what_a_user_needs(tmp_path: Path) -> None:
    text = (export("net", residual_net(), tmp_path) / "README.md").read_text()
    assert "| 1 | second | CONV_2D + ADD | 1x8x8x4, 1x8x8x4 -> 1x8x8x4 | 9,216 |" in text
    assert "-O2 -mcpu=cortex-m4 -mthumb" in text
    assert "edgekit bench BUILD --device qemu" in text
    assert "estimated" in text


def test_without_a_project_nothing_is_written(tmp_path: Path) -> None:
    data = residual_net()
    given = ExportInput("net", data, read(data), load_profile("cortex-m4"))
    assert Exporter().export(given, tmp_path) == []
    assert not list(tmp_path.iterdir())

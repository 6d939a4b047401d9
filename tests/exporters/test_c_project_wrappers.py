"""The C project in each build system, for a Cortex-M4, its self test run on an emulated one.

The real builders are CMake and make. Arduino's, PlatformIO's, ESP-IDF's and Zephyr's, with their
cores and SDKs, are not on these machines: what they read is read here as their specifications say,
and only the entry points of their own that the files call are stubs.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from c_nets import residual_net
from firmware import compiled, link_and_run
from test_exporter_c_project import export, run

from edgekit.devices._cortex_m.machines import find_core

CORE = "cortex-m4"
NAMES = ('größe "x" 1', "int")
"""Two models in one firmware: text that is no identifier, and a word of C."""
PREFIXES = ("grosse_x_1", "int")

needs_gcc = pytest.mark.skipif(not shutil.which("g++"), reason="gcc and g++ are not installed")
needs_cmake = pytest.mark.skipif(not shutil.which("cmake"), reason="cmake is not installed")
needs_arm = pytest.mark.skipif(
    not (shutil.which("arm-none-eabi-g++") and shutil.which("qemu-system-arm")),
    reason="arm-none-eabi-gcc or qemu-system-arm is not installed",
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """`c_project/` of each model by its prefix."""
    made = {}
    for seed, (name, prefix) in enumerate(zip(NAMES, PREFIXES, strict=True)):
        made[prefix] = export(name, residual_net(seed), tmp_path_factory.mktemp(prefix))
    return made


MAIN = """\
#include <grosse_x_1_self_test.h>
#include <int_self_test.h>
static int8_t one[GROSSE_X_1_ARENA_BYTES] __attribute__((aligned(GROSSE_X_1_ARENA_ALIGN)));
static int8_t two[INT_ARENA_BYTES] __attribute__((aligned(INT_ARENA_ALIGN)));
int user_main(void);
int user_main(void) {
    return 10 * grosse_x_1_self_test(one, 0) + int_self_test(two, 0);
}
"""


def firmware_of(libraries: list[Path], folders: dict[str, Path], work: Path) -> tuple[int, str]:
    """A program that runs both self tests, linked with what a build system made."""
    source = work / "user.c"
    source.write_text(MAIN)
    includes = [f"-I{folder}" for folder in folders.values()]
    main = compiled(source, CORE, work / "user.o", "-std=c99", *includes)
    return link_and_run([main, *libraries], CORE, work)


def objects_of(sources: list[Path], work: Path, *flags: str) -> list[Path]:
    return [
        compiled(path, CORE, work / f"{place}_{path.stem}.o", *flags)
        for place, path in enumerate(sources)
    ]


@needs_arm
def test_make_builds_the_library_for_a_cortex_m4(folders: dict[str, Path], tmp_path: Path) -> None:
    libraries = []
    for prefix, folder in folders.items():
        place = tmp_path / prefix
        words = [f"BUILD={place}", "CC=arm-none-eabi-gcc", "AR=arm-none-eabi-ar"]
        run("make", "-C", folder, *words, f"CPU={' '.join(find_core(CORE).flags)}")
        libraries.append(place / f"lib{prefix}.a")
    assert firmware_of(libraries, folders, tmp_path) == (0, "")


@needs_gcc
@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_runs_the_self_test_on_this_machine(folders: dict[str, Path], tmp_path: Path) -> None:
    said = run("make", "-C", folders["int"], "test", f"BUILD={tmp_path / 'b'}")
    assert "int: every output of 8 golden vectors is as it must be" in said


USER = """\
cmake_minimum_required(VERSION 3.13)
project(user C)
find_package(int 1.0 REQUIRED)
find_package(grosse_x_1 REQUIRED)
add_executable(user user.c)
target_link_libraries(user PRIVATE int::int grosse_x_1::grosse_x_1)
"""


@needs_cmake
@needs_gcc
def test_a_cmake_package_is_installed_found_and_run_under_sanitizers(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    flags = "-DCMAKE_C_FLAGS=-g -fsanitize=address,undefined -fno-sanitize-recover=all"
    for prefix, folder in folders.items():
        build = tmp_path / prefix
        run("cmake", "-S", folder, "-B", build, flags, f"-DCMAKE_INSTALL_PREFIX={tmp_path}/usr")
        run("cmake", "--build", build)
        assert "100% tests passed" in run("ctest", "--test-dir", build)
        run("cmake", "--install", build)
    headers = sorted(path.name for path in (tmp_path / "usr/include/int").iterdir())
    assert headers == ["int.h", "int_interface.h", "int_self_test.h"]
    user = tmp_path / "user"
    user.mkdir()
    (user / "CMakeLists.txt").write_text(USER)
    (user / "user.c").write_text(f"{MAIN}\nint main(void) {{ return user_main(); }}\n")
    run("cmake", "-S", user, "-B", user / "b", flags, f"-DCMAKE_PREFIX_PATH={tmp_path}/usr")
    run("cmake", "--build", user / "b")
    run(user / "b" / "user")


SERIAL = """\
extern "C" void say(const char *text);
struct Stub {
  void begin(long) {}
  operator bool() { return true; }
  void print(const char *text) { say(text); }
  void println(const char *text) { say(text); say("\\n"); }
  void println(int number) { say(number ? "not 0\\n" : "0\\n"); }
  void println(unsigned long number) { println((int)number); }
};
static Stub Serial;
void setup();
void loop();
"""


@needs_arm
def test_arduino_layout_and_sketch_with_stubs_of_serial_and_of_the_builder(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """A flat library: sources in its root and in `utility`, no deeper; sketches are C++."""
    sources, includes = [], []
    for prefix, folder in folders.items():
        facts = dict(
            line.partition("=")[::2]
            for line in (folder / "library.properties").read_text().splitlines()
        )
        assert facts["name"] == prefix
        assert re.fullmatch(r"\d+\.\d+\.\d+\+sha[0-9a-f]{12}", facts["version"])
        assert (folder / facts["includes"]).is_file()
        wanted = ("author", "maintainer", "sentence", "paragraph", "category", "architectures")
        assert all(facts[key] for key in wanted)
        assert not (folder / "src").exists()
        found = [path for path in folder.iterdir() if path.suffix in (".c", ".cpp", ".S")]
        sources += sorted(found)
        includes.append(f"-I{folder}")
    objects = objects_of(sources, tmp_path, "-std=gnu17", "-Os", "-w", *includes)
    (tmp_path / "Arduino.h").write_text(SERIAL)
    for prefix, folder in folders.items():
        (sketch,) = (folder / "examples").rglob("*.ino")
        assert sketch.stem == sketch.parent.name
        assert not list(sketch.parent.glob("*.c*"))
        place = tmp_path / prefix
        place.mkdir()
        program = place / "sketch.cpp"
        start = 'extern "C" int user_main() { setup(); loop(); return 0; }'
        program.write_text(f"#include <Arduino.h>\n{sketch.read_text()}\n{start}\n")
        flags = ("-std=gnu++17", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Werror")
        made = compiled(program, CORE, place / "s.o", *flags, f"-I{tmp_path}", *includes)
        code, said = link_and_run([made, *objects], CORE, place)
        assert (code, said) == (0, f"{prefix}: every output is as it must be\n")


@needs_arm
def test_platformio_manifest_with_a_stub_of_its_builder(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """`srcFilter` takes away and adds files of `srcDir`, in order."""
    objects = []
    for prefix, folder in folders.items():
        facts = json.loads((folder / "library.json").read_text())
        assert facts["name"] == prefix
        build = facts["build"]
        first, *added = build["srcFilter"]
        assert (first, build["srcDir"], build["flags"]) == ("-<*>", ".", ["-O2"])
        sources = [folder / re.fullmatch(r"\+<(.+)>", each)[1] for each in added]  # type: ignore[index]
        place = tmp_path / prefix
        place.mkdir()
        objects += objects_of(sources, place, "-Os", *build["flags"], f"-I{folder}")
    assert firmware_of(objects, folders, tmp_path) == (0, "")


IDF = """\
cmake_minimum_required(VERSION 3.16)
project(app C)
set(ESP_PLATFORM 1)
# idf_component_register adds a library of the folder's name; COMPONENT_LIB names it afterwards
macro(idf_component_register)
  cmake_parse_arguments(_ "" "" "SRCS;INCLUDE_DIRS" ${ARGN})
  get_filename_component(COMPONENT_LIB ${CMAKE_CURRENT_LIST_DIR} NAME)
  add_library(${COMPONENT_LIB} STATIC ${__SRCS})
  target_include_directories(${COMPONENT_LIB} PUBLIC ${__INCLUDE_DIRS})
endmacro()
add_subdirectory(components/int)
add_subdirectory(components/grosse_x_1)
"""
ZEPHYR = """\
cmake_minimum_required(VERSION 3.20)
project(app C)
set(CONFIG_EDGEKIT_INT y)
set(CONFIG_EDGEKIT_GROSSE_X_1 y)
add_library(zephyr_interface INTERFACE)
macro(zephyr_library_named name)
  set(ZEPHYR_CURRENT_LIBRARY ${name})
  add_library(${name} STATIC "")
  target_link_libraries(${name} PUBLIC zephyr_interface)
endmacro()
function(zephyr_library_sources source)
  target_sources(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${source} ${ARGN})
endfunction()
function(zephyr_library_compile_options)
  target_compile_options(${ZEPHYR_CURRENT_LIBRARY} PRIVATE ${ARGV})
endfunction()
function(zephyr_include_directories)
  target_include_directories(zephyr_interface INTERFACE ${ARGV})
endfunction()
add_subdirectory(components/int/zephyr int)
add_subdirectory(components/grosse_x_1/zephyr grosse_x_1)
"""


def built_by_cmake(text: str, folders: dict[str, Path], work: Path) -> list[Path]:
    """Libraries of a project in which the models lie below `components`, under their names."""
    (work / "components").mkdir()
    for prefix, folder in folders.items():
        (work / "components" / prefix).symlink_to(folder)
    (work / "CMakeLists.txt").write_text(text)
    (work / "arm.cmake").write_text(
        "set(CMAKE_SYSTEM_NAME Generic)\nset(CMAKE_C_COMPILER arm-none-eabi-gcc)\n"
        "set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)\n"
        f'set(CMAKE_C_FLAGS_INIT "{" ".join(find_core(CORE).flags)}")\n'
    )
    build = work / "build"
    run("cmake", "-S", work, "-B", build, f"-DCMAKE_TOOLCHAIN_FILE={work / 'arm.cmake'}")
    run("cmake", "--build", build)
    return sorted(build.rglob("*.a"))


@needs_arm
@needs_cmake
def test_esp_idf_component_with_a_stub_of_idf_component_register(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    libraries = built_by_cmake(IDF, folders, tmp_path)
    assert [path.name for path in libraries] == ["libgrosse_x_1.a", "libint.a"]
    assert firmware_of(libraries, folders, tmp_path) == (0, "")
    for folder in folders.values():
        assert re.match(r'version: "1\.0\.0\+sha', (folder / "idf_component.yml").read_text())


@needs_arm
@needs_cmake
def test_zephyr_module_with_stubs_of_its_cmake_functions(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    libraries = built_by_cmake(ZEPHYR, folders, tmp_path)
    assert [path.name for path in libraries] == ["libedgekit_grosse_x_1.a", "libedgekit_int.a"]
    assert firmware_of(libraries, folders, tmp_path) == (0, "")
    for prefix, folder in folders.items():
        module = (folder / "zephyr/module.yml").read_text()
        found = dict(re.findall(r"(\w+): (\S+)", module))
        assert found["name"] == f"edgekit_{prefix}"
        assert (folder / found["cmake"] / "CMakeLists.txt").is_file()
        kconfig = (folder / found["kconfig"]).read_text()
        assert f"\nconfig EDGEKIT_{prefix.upper()}\n\tbool " in kconfig


@needs_arm
def test_cmsis_pack_description_with_a_stub_of_the_pack_tool(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """Elements in the order of PACK.xsd, its files there and enough for a program."""
    objects = []
    for prefix, folder in folders.items():
        (path,) = folder.glob("*.pdsc")
        root = ElementTree.parse(path).getroot()
        order = ["vendor", "name", "description", "url", "releases", "components"]
        assert [child.tag for child in root] == order
        assert path.stem == f"{root.findtext('vendor')}.{root.findtext('name')}"
        (component,) = root.iter("component")
        assert re.fullmatch(r"\d+\.\d+\.\d+", component.attrib["Cversion"])
        listed = {each.attrib["name"]: each.attrib["category"] for each in root.iter("file")}
        assert set(listed) == {
            each.name for each in folder.iterdir() if each.suffix in (".c", ".h")
        }
        sources = [folder / name for name, kind in listed.items() if kind == "sourceC"]
        place = tmp_path / prefix
        place.mkdir()
        objects += objects_of(sources, place, "-O2", f"-I{folder}")
    assert firmware_of(objects, folders, tmp_path) == (0, "")


@needs_arm
def test_golden_vectors_take_flash_only_where_the_self_test_is_called(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    folder = folders["int"]
    objects = objects_of(sorted(folder.glob("*.c")), tmp_path, "-O2", f"-I{folder}")
    subprocess.run(["arm-none-eabi-ar", "rcs", tmp_path / "lib.a", *objects], check=True)
    sizes = {}
    for name, call in {"without": "int_run(arena)", "with": "int_self_test(arena, 0)"}.items():
        place = tmp_path / name
        place.mkdir()
        source = place / "user.c"
        source.write_text(
            "#include <int_self_test.h>\nint user_main(void);\n"
            "static int8_t arena[INT_ARENA_BYTES] __attribute__((aligned(16)));\n"
            f"int user_main(void) {{ return {call}; }}\n"
        )
        main = compiled(source, CORE, place / "user.o", f"-I{folder}")
        assert link_and_run([main, tmp_path / "lib.a"], CORE, place)[0] == 0
        sizes[name] = int(run("arm-none-eabi-size", place / "main.elf").split()[6])
    assert sizes["with"] - sizes["without"] > 8 * (192 + 5)

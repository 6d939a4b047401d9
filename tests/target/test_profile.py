"""Profiles: every shipped file, strict reading of a user's own, one level of extends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import edgekit
from edgekit.errors import UsageError
from edgekit.target import files as files
from edgekit.target.op_table import load_op_table
from edgekit.target.profile import SCHEMES, load_profile, profile_names

PROMISED = [
    *("android", "ios", "web"),
    *("linux-arm64", "linux-armhf", "linux-x86_64", "rpi-zero2", "rpi3", "rpi4", "rpi5"),
    *("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"),
    *("nucleo-l4r5zi", "nucleo-h7a3zi-q", "nucleo-u575zi-q", "nrf52840-dk", "nrf5340-dk"),
    "apollo4p-evb",
    *("rp2040-pico", "rp2350-pico2", "arduino-nano33-ble", "esp32-s3", "ek-ra8d1"),
]
OWN = """
title = "My board"
extends = "cortex-m4"

[processor]
clock_mhz = 80

[memory]
flash_bytes = 1_048_576
ram_bytes = 131_072
"""


def written(folder: Path, content: str, name: str = "mine.toml") -> str:
    (folder / name).write_text(content, encoding="utf-8")
    return str(folder / name)


def test_shipped_targets_are_those_promised() -> None:
    assert profile_names() == sorted(PROMISED)


@pytest.mark.parametrize("name", PROMISED)
def test_shipped_target_is_sound(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert profile.title
    assert profile.quantizers[0] == "int8"
    assert set(profile.quantizers) <= set(SCHEMES)
    compiled = ("c_project",) if profile.family == "mcu" else ()
    golden = () if profile.family == "mcu" else ("golden",)
    app = {"android": "aar", "web": "npm", "ios": "swift", "linux": "python_package"}
    apps = [app[profile.family]] if profile.family in app else []
    assert profile.exporters == ("tflite", "c_array", *compiled, *golden, *apps)
    assert (profile.evaluate_with == "tflite-micro") == (profile.family == "mcu")
    for scheme in profile.quantizers:
        assert profile.check_io(scheme, *profile.io(scheme)) == []


@pytest.mark.parametrize("name", PROMISED)
def test_every_fact_of_a_shipped_target_has_a_source(name: str) -> None:
    profile = load_profile(name)
    needed = {"processor", "runtime", "io"}
    if profile.flash_bytes or profile.ram_bytes:
        needed.add("memory")
    if profile.pj_per_cycle:
        needed.add("energy")
    assert needed <= set(profile.sources)
    assert all(len(text) > 20 for text in profile.sources.values())


@pytest.mark.parametrize(
    ("name", "runtime"),
    [
        ("rpi4", "litert 2.3"),
        ("android", "litert 2.3"),
        ("linux-armhf", "tflite-runtime 2.14"),
        ("web", "litert-js 2.5"),
        ("ios", "tflite-swift 2.17"),
        ("nucleo-l4r5zi", "tflite-micro 2026.10"),
    ],
)
def test_runtime_of_a_target(name: str, runtime: str) -> None:
    table = load_profile(name).runtime
    assert f"{table.name} {table.version}" == runtime


def test_generic_cores_have_no_memory_limit_and_boards_have() -> None:
    assert load_profile("cortex-m4").flash_bytes is None
    board = load_profile("nucleo-l4r5zi")
    assert (board.flash_bytes, board.ram_bytes) == (2 * 1024 * 1024, 640 * 1024)
    assert board.processor.core == "cortex-m4"


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("nrf52840dk", "nrf52840-dk"),
        ("nrf5340dk", "nrf5340-dk"),
        ("rp2040", "rp2040-pico"),
        ("rp2350", "rp2350-pico2"),
    ],
)
def test_other_names_of_boards(alias: str, name: str) -> None:
    assert load_profile(alias) == load_profile(name)


def test_who_extends_a_board_does_not_take_its_other_names(tmp_path: Path) -> None:
    base = f'aliases = ["m4"]\n{files.find("cortex-m4").read_text()}'
    written(tmp_path, base, "base.toml")
    own = 'title = "mine"\nextends = "base.toml"\n'
    assert load_profile(str(tmp_path / "base.toml")).aliases == ("m4",)
    assert load_profile(written(tmp_path, own)).aliases == ()
    named = f'{own}aliases = ["my-m4"]\n'
    assert load_profile(written(tmp_path, named)).aliases == ("my-m4",)


def test_energy_of_a_cycle_is_known_of_some_boards() -> None:
    known = {name: load_profile(name).pj_per_cycle for name in PROMISED}
    assert {name: energy for name, energy in known.items() if energy} == {
        "nucleo-l4r5zi": 350,
        "nucleo-u575zi-q": 144,
        "nucleo-h7a3zi-q": 445,
    }


@pytest.mark.parametrize(
    ("name", "scheme", "expected"),
    [
        ("cortex-m4", "int8", ("int8", "int8")),
        ("cortex-m4", "int16x8", ("int16", "int16")),
        ("rpi4", "float16", ("float32", "float32")),
        ("rpi4", "dynamic", ("float32", "float32")),
        ("web", "int8", ("float32", "float32")),
        ("ios", "int8", ("float32", "float32")),
    ],
)
def test_io_types_by_scheme(name: str, scheme: str, expected: tuple[str, str]) -> None:
    assert load_profile(name).io(scheme) == expected


@pytest.mark.parametrize(
    ("name", "scheme", "dtype", "possible"),
    [
        ("rpi4", "int8", "uint8", True),
        ("rpi4", "int8", "float32", True),
        ("web", "int8", "int8", False),
        ("ios", "int8", "int8", False),
        ("cortex-m4", "int16x8", "int16", True),
        ("cortex-m4", "int16x8", "int8", False),
        ("rpi4", "float16", "int8", False),
    ],
)
def test_io_types_that_a_build_may_ask_for(
    name: str, scheme: str, dtype: str, possible: bool
) -> None:
    problems = load_profile(name).check_io(scheme, dtype, dtype)
    assert [item.where for item in problems] == ([] if possible else ["io.input", "io.output"])
    assert all(name in item.message and "--set io." in item.hint for item in problems)


def test_only_runtimes_that_know_version_12_take_per_channel_dynamic_dense_layers() -> None:
    assert not load_op_table("tflite-runtime-2.14").per_channel_dense
    assert load_op_table("tflite-swift-2.17").per_channel_dense
    assert load_op_table("litert-2.3").per_channel_dense


def test_own_target_by_path_merges_with_what_it_extends(tmp_path: Path) -> None:
    profile = load_profile(written(tmp_path, OWN))
    base = load_profile("cortex-m4")
    assert (profile.name, profile.title) == ("mine", "My board")
    assert (profile.flash_bytes, profile.ram_bytes) == (1_048_576, 131_072)
    assert (profile.processor.core, profile.processor.clock_mhz) == ("cortex-m4", 80)
    assert profile.quantizers == base.quantizers
    assert profile.sources == base.sources


def test_own_targets_in_the_folders_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    written(tmp_path / "one", OWN, "board-a.toml")
    written(tmp_path / "two", OWN, "board-b.toml")
    folders = os.pathsep.join(str(tmp_path / name) for name in ("one", "two"))
    monkeypatch.setenv("EDGEKIT_TARGETS", folders)
    assert {"board-a", "board-b", "rpi4"} <= set(profile_names())
    assert load_profile("board-b").title == "My board"


def test_own_runtime_beside_own_target(tmp_path: Path) -> None:
    written(tmp_path, 'extends = "litert-2.3"\nversion = "9"\n[versions]\nADD = 99\n', "r.toml")
    content = 'title = "x"\nextends = "linux-arm64"\nruntime = "r.toml"\n'
    runtime = load_profile(written(tmp_path, content)).runtime
    assert runtime.versions["ADD"] == (1, 99)
    assert runtime.versions["BROADCAST_TO"] == (2, 4)


def test_same_name_twice_is_refused_not_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, OWN, "rpi4.toml")
    monkeypatch.setenv("EDGEKIT_TARGETS", str(tmp_path))
    with pytest.raises(UsageError, match="rpi4 is there twice") as caught:
        load_profile("rpi4")
    assert "rename" in caught.value.hint


def test_missing_folder_of_the_environment_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEKIT_TARGETS", str(tmp_path / "gone"))
    with pytest.raises(UsageError, match="gone is no folder"):
        profile_names()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("l4r5", "did you mean nucleo-l4r5zi?", id="unique part of a name"),
        pytest.param("RPI4", "did you mean rpi4?", id="upper case"),
        pytest.param("cortexm4", "cortex-m4", id="a dash forgotten"),
        pytest.param("qqqqq", "edgekit targets lists them", id="nothing near"),
        pytest.param("", "edgekit targets lists them", id="empty"),
    ],
)
def test_unknown_name_is_refused_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match="unknown target") as caught:
        load_profile(name)
    assert hint in caught.value.hint


def test_unknown_runtime_is_called_a_runtime(tmp_path: Path) -> None:
    path = written(tmp_path, 'title = "x"\nextends = "rpi4-base"\n')
    with pytest.raises(UsageError, match="unknown target: rpi4-base"):
        load_profile(path)
    path = written(tmp_path, 'extends = "linux-arm64"\nruntime = "litert-2"\n')
    with pytest.raises(UsageError, match="unknown runtime: litert-2") as caught:
        load_profile(path)
    assert "litert-2.3" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        pytest.param(
            OWN + "ram_byte = 1\n", "unknown key memory.ram_byte", "ram_bytes", id="key in a table"
        ),
        pytest.param('famly = "mcu"\n' + OWN, "unknown key famly", "family", id="key at the top"),
        pytest.param(
            OWN.replace("80", '"80"'), "clock_mhz = '80'", "an integer above zero", id="text"
        ),
        pytest.param(
            OWN.replace("131_072", "0"), "ram_bytes = 0", "an integer above zero", id="no memory"
        ),
        pytest.param(
            OWN.replace("131_072", "true"), "ram_bytes = True", "an integer", id="a truth value"
        ),
        pytest.param(
            'quantizers = ["int3"]\n' + OWN, "quantizers = 'int3' is no choice", "int8", id="scheme"
        ),
        pytest.param('quantizers = "int8"\n' + OWN, "quantizers = 'int8'", "a list", id="no list"),
        pytest.param("quantizers = []\n" + OWN, "quantizers is empty", "at least", id="empty list"),
        pytest.param("memory = 3\n", "memory = 3", "a table", id="no table"),
        pytest.param('title = "x"\n', "family is missing", "extends", id="nearly empty"),
        pytest.param("title = \n", "not TOML", "toml.io", id="no TOML"),
        pytest.param(OWN + "[processor]\n", "not TOML", "toml.io", id="the same table twice"),
    ],
)
def test_bad_file_is_refused_naming_file_and_key(
    tmp_path: Path, content: str, message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load_profile(written(tmp_path, content))
    assert "mine.toml" in caught.value.message
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        load_profile(str(tmp_path / "mine.toml"))


def test_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        load_profile(str(tmp_path / "none.toml"))


def test_extends_of_extends_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="itself extends cortex-m4") as caught:
        load_profile(written(tmp_path, OWN.replace('"cortex-m4"', '"nucleo-l4r5zi"')))
    assert 'extends = "cortex-m4"' in caught.value.hint


@pytest.mark.parametrize(
    "places",
    [
        pytest.param(("site/edgekit", "site/edgekit_targets"), id="installed"),
        pytest.param(("work/edgekit", "work/targets"), id="plain checkout"),
        pytest.param(("one/edgekit", "two/edgekit_targets"), id="two places on the path"),
    ],
)
def test_shipped_targets_are_found_where_an_install_puts_them(
    tmp_path: Path, places: tuple[str, str]
) -> None:
    root, targets = Path(edgekit.__file__).parent, files.find("rpi4").parent
    ignored = shutil.ignore_patterns("__pycache__")
    for source, place in zip((root, targets), places, strict=True):
        shutil.copytree(source, tmp_path / place, ignore=ignored)
    code = "from edgekit.target.files import find; print(find('rpi4'))"
    path = os.pathsep.join(str((tmp_path / place).parent) for place in places)
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == (tmp_path / places[1] / "rpi4.toml").resolve()


def test_a_wrong_base_is_named_with_the_file_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_text('title = "Desk"\nextends = "cortex-m44"\n', encoding="utf-8")
    with pytest.raises(UsageError, match=r"desk\.toml: extends: unknown target: cortex-m44"):
        load_profile(str(path))

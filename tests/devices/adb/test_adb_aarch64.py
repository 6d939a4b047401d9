"""A 64-bit Arm phone: Arm's adbd, worker and LiteRT, run by qemu-user as on a Cortex-A72."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from arm_board import AARCH64, why_not
from conftest import Desk
from phone import CACHE, Phone

from edgekit.artifact import Build
from edgekit.devices._adb.compile import compile_worker
from edgekit.devices.adb import Driver
from edgekit.devices.base import Request
from edgekit.errors import MissingExtra

pytestmark = pytest.mark.slow
COMPILER = "aarch64-linux-gnu-gcc"
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")


def arm_library() -> Path:
    """LiteRT's library out of the wheel for 64-bit Arm, of the version that is installed here."""
    from importlib.metadata import version

    wanted = f"ai-edge-litert=={version('ai-edge-litert')}"
    folder = CACHE / "wheels-aarch64"
    words = [word for each in PLATFORMS for word in ("--platform", each)]
    words += ["--only-binary=:all:", "--no-deps", "--python-version", "3.11", "-d", str(folder)]
    pip = ["python3", "-m", "pip", "download", "-q", "--disable-pip-version-check"]
    try:
        subprocess.run([*pip, *words, wanted], check=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no wheel for 64-bit Arm: {error.stderr.decode()[-200:]}")
    (wheel,) = folder.glob(f"ai_edge_litert-{version('ai-edge-litert')}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extract("ai_edge_litert/libLiteRt.so", folder)
    return folder / "ai_edge_litert" / "libLiteRt.so"


@pytest.fixture(scope="module")
def arm_desk(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[Desk]:
    if shutil.which(COMPILER) is None:
        pytest.skip(f"no {COMPILER}")
    if reason := why_not(AARCH64):
        pytest.skip(reason)
    worker = compile_worker([COMPILER], tmp_path_factory.mktemp("arm"))
    with Phone(tmp_path_factory.mktemp("arm_phone"), architecture="arm64") as phone:
        options = {"adb": phone.adb, "serial": phone.serial}
        options |= {"worker": worker, "runtime": arm_library()}
        words = {key: str(value) for key, value in options.items()}
        yield Desk(phone, Build.load(built / "digits-android"), words)
        assert phone.quiet(10), phone.processes()


def test_build_runs_on_an_arm_phone(arm_desk: Desk) -> None:
    with Driver() as driver:
        driver.deploy(arm_desk.job())
        golden = driver.check()
        assert golden.ok, golden.detail
        assert golden.compared >= 20
        window = driver.run(Request(seconds=0.5, warmup_seconds=0.1, inferences=5))
        told = driver.environment()
    assert (told["machine"], told["worker"]) == ("aarch64", "native")
    assert len(window.latency_ms) == window.inferences >= 5
    assert window.codes == ()


def test_cable_out_of_an_arm_phone(arm_desk: Desk) -> None:
    def unplug(_: object) -> None:
        if not driver.reconnected:
            arm_desk.phone.unplug()
            arm_desk.phone.plug_in()

    with Driver() as driver:
        driver.deploy(arm_desk.job())
        driver.run(replace(Request(seconds=0.5), samples=unplug))
        assert driver.reconnected == 1
    assert arm_desk.phone.quiet(10)


def test_library_for_another_machine(arm_desk: Desk, library: Path) -> None:
    with Driver() as driver:
        driver.deploy(arm_desk.job(runtime=str(library)))
        with pytest.raises(MissingExtra, match="the runtime cannot be loaded"):
            driver.check()

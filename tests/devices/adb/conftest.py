"""A phone with adbd, and what runs on it, compiled for this machine."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ai_edge_litert
import pytest
from phone import Phone

from edgekit.artifact import Build
from edgekit.devices._adb.compile import compile_worker
from edgekit.devices.adb import Driver
from edgekit.devices.base import Job

LIBRARY = Path(ai_edge_litert.__path__[0]) / "libLiteRt.so"


@dataclass(frozen=True)
class Desk:
    """A phone, a build for it, and the options that bring them together."""

    phone: Phone
    build: Build
    options: dict[str, Any]

    def driver(self) -> Driver:
        """A driver whose job is assigned."""
        driver = Driver()
        driver.assign(self.job())
        return driver

    def job(self, **more: Any) -> Job:
        """To measure the build on the phone."""
        return Job(self.build.folder, self.build.manifest, None, {**self.options, **more})


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The worker as the machine's own compiler makes it."""
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    return compile_worker(["gcc", "-Wall", "-Wextra", "-Werror"], tmp_path_factory.mktemp("native"))


@pytest.fixture(scope="session")
def library() -> Path:
    """LiteRT's library for this machine, out of its wheel."""
    if not LIBRARY.is_file():
        pytest.skip(f"the wheel for this machine has no {LIBRARY.name}")
    return LIBRARY


@pytest.fixture(scope="session")
def phone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phone]:
    """A phone of this machine's own architecture."""
    if platform.machine() != "x86_64":
        pytest.skip("the phone is an x86_64 one")
    with Phone(tmp_path_factory.mktemp("phone")) as found:
        yield found


@pytest.fixture
def desk(phone: Phone, native: Path, library: Path, built: Path) -> Iterator[Desk]:
    """The digit reader on the phone; afterwards nothing may run there."""
    options = {"adb": phone.adb, "serial": phone.serial, "worker": native, "runtime": library}
    words = {key: str(value) for key, value in options.items()}
    yield Desk(phone, Build.load(built / "digits-android"), words)
    assert phone.quiet(), phone.processes()

"""The contract of a device driver: what it is told, what it returns, and how to write the next one.

A driver is a file of this folder with a class `Driver(Device)`, or an entry point of the group
`edgekit.devices` of another package; its name is the file's name. It declares as data what it can
do (`title`, `capabilities`) and writes four methods, which the base calls in this order after it
has checked what it can: `_deploy` brings the build onto the device, `_check` runs the golden
vectors there, `_run` measures, `_close` leaves the device as it was found. A driver knows of a
build what its folder and manifest say and nothing else; it imports no module that builds.

Errors: `MissingExtra` where a tool or package is missing, `ModelError` or `TargetError` where this
build cannot run on such a device, `DeviceError` where the device fails or does not answer.
"""

from __future__ import annotations

import abc
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

from edgekit._discover import load, names
from edgekit.errors import DISTRIBUTION, MissingExtra, UsageError

PACKAGE = "devices"


@dataclass(frozen=True)
class Capabilities:
    """What a driver can do.

    Attributes:
        figures: What it finds out: `latency`, `energy`, `emulated`.
        options: Keys of `Job.options` that it takes, each with its help.
        tools: Programs on PATH that it calls, by their names in `edgekit.doctor`.
        modules: Python modules outside the default install that it needs.
        extra: The extra of this distribution that brings them.
    """

    figures: frozenset[str]
    options: Mapping[str, str] = field(default_factory=dict)
    tools: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    extra: str = ""


@dataclass(frozen=True)
class Board:
    """Facts of the target that a build is for; None where no source gives them.

    Attributes:
        name: Of the target.
        core: Of its processor, e.g. `cortex-m4`.
        clock_mhz: Highest clock in MHz.
        flash_bytes: Memory for code and model.
        ram_bytes: Working memory.
        pj_per_cycle: Energy of one clock cycle in pJ.
        energy_source: Where that figure is from, or why there is none.
    """

    name: str
    core: str
    clock_mhz: int | None
    flash_bytes: int | None
    ram_bytes: int | None
    pj_per_cycle: int | None
    energy_source: str


@dataclass(frozen=True)
class Job:
    """What is to be measured.

    Attributes:
        folder: Of the build.
        manifest: Of the build.
        board: The target; None where this machine does not know it.
        options: The driver's own, see `Capabilities.options`.
    """

    folder: Path
    manifest: Mapping[str, Any]
    board: Board | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Golden:
    """Golden vectors of the build on the device.

    Attributes:
        vectors: How many were run.
        compared: Bytes of output compared; of an int8 model, values.
        mismatched: Of them, other than they should be.
        detail: What is wrong first, for people; empty where nothing is.
    """

    vectors: int
    compared: int
    mismatched: int
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether the device computes what it should, and nothing else went wrong."""
        return self.compared > 0 and not self.mismatched and not self.detail


@dataclass(frozen=True)
class Figures:
    """What a device measured.

    Attributes:
        latency_ms: Samples, one for each inference.
        emulated: Counts and estimates of an emulator, as JSON.
        environment: Tools, versions, states that may have had a say.
    """

    latency_ms: tuple[float, ...] = ()
    emulated: Mapping[str, Any] | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)


class Device(abc.ABC):
    """A way to run a build; a context manager.

    Attributes:
        title: For people, in one line.
        capabilities: What it can do.
    """

    title: ClassVar[str]
    capabilities: ClassVar[Capabilities]

    def deploy(self, job: Job) -> None:
        """Bring the build onto the device.

        Raises:
            UsageError: An option that the driver does not take.
            MissingExtra: A tool that it needs is not on PATH; the hint installs it.
            EdgekitError: As the driver says.
        """
        for option in job.options:
            if option not in self.capabilities.options:
                raise UsageError(
                    f"--device {_name(self)} takes no --{option}", "edgekit devices lists what does"
                )
        lacking = self.lacking()
        if lacking:
            raise MissingExtra(f"not installed: {', '.join(lacking)}", self.install_hint())
        self._deploy(job)

    def check(self) -> Golden:
        """Run the golden vectors on the device and compare; after `deploy`."""
        return self._check()

    def run(self) -> Figures:
        """Measure; after `check`."""
        return self._run()

    def close(self) -> None:
        """Leave the device as it was found; may be called at any time, and twice."""
        self._close()

    @classmethod
    def lacking(cls) -> list[str]:
        """Tools and Python modules that the driver needs and that are not here."""
        tools = [tool for tool in cls.capabilities.tools if shutil.which(tool) is None]
        modules = [name for name in cls.capabilities.modules if find_spec(name) is None]
        return tools + modules

    @classmethod
    def install_hint(cls) -> str:
        """The command that installs what is lacking; empty where nothing is."""
        from edgekit.doctor import TOOLS

        lacking = cls.lacking()
        packages = [tool.apt for tool in TOOLS if tool.name in lacking]
        commands = [f"sudo apt-get install {' '.join(packages)}"] if packages else []
        if any(name in lacking for name in cls.capabilities.modules):
            commands.append(f"pip install '{DISTRIBUTION}[{cls.capabilities.extra}]'")
        return " && ".join(commands)

    @abc.abstractmethod
    def _deploy(self, job: Job) -> None: ...

    @abc.abstractmethod
    def _check(self) -> Golden: ...

    @abc.abstractmethod
    def _run(self) -> Figures: ...

    @abc.abstractmethod
    def _close(self) -> None: ...

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def driver_names() -> list[str]:
    """Names of all drivers, sorted."""
    return names(PACKAGE)


def find_driver(name: str) -> type[Device]:
    """The driver called `name`.

    Raises:
        UsageError: There is none; the hint has the nearest name.
    """
    driver: type[Device] = load(PACKAGE, name)
    return driver


def _name(device: Device) -> str:
    return type(device).__module__.rpartition(".")[2]

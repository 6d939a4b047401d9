"""The contract of a device driver: what it is told, what it returns, and how to write the next one.

A driver is a file of this folder with a class `Driver(Device)`, or an entry point of the group
`edgekit.devices` of another package; its name is the file's name. It declares as data what it can
do (`title`, `figures`, `options`, `needs`) and writes the methods that begin with `_`, which the
base calls in this order: `_deploy` brings the build onto the device, `_check` runs the golden
vectors there, `_run` times one window of inferences (`_emulated` counts, on an emulator), `_close`
leaves the device as it was found. A driver knows of a build what its folder and manifest say and
nothing else; it imports no module that builds.

The base checks and repeats: `_deploy` and what follows it are tried again after `ConnectionLost`,
so `_deploy` may be called twice and should then find its files in place.

Errors: `MissingExtra` where a tool or package is missing, `ModelError` or `TargetError` where this
build cannot run on such a device, `ConnectionLost` where trying again may help, `DeviceError` where
it will not.
"""

from __future__ import annotations

import abc
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar

from edgekit._discover import load, names
from edgekit.equipment import Equipment, equipment_name
from edgekit.errors import ConnectionLost, DeviceError

PACKAGE = "devices"
ATTEMPTS, PAUSE_S = 3, 1.0
"""How often a step is tried on a connection that breaks, and the pause before the next time."""

NO_GOLDEN = "no_golden"

Figure = Literal["latency", "emulated"]
T = TypeVar("T")


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
        options: The driver's own, of the kinds that `Device.options` declares.
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
        compared: Values of output compared.
        mismatched: Of them, other than they should be.
        detail: What is wrong first, for people; empty where nothing is.
        tolerance: What a value may be off, in steps of an integer output and relative to the
            largest value of a float one; 0 where every bit must be equal.
        codes: `no_golden` where the build has no vectors to compare with.
    """

    vectors: int
    compared: int
    mismatched: int
    detail: str = ""
    tolerance: float = 0.0
    codes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the device computes what it should, as far as the build can tell."""
        something = self.compared > 0 or NO_GOLDEN in self.codes
        return something and not self.mismatched and not self.detail


def _ignore(_: Sequence[float]) -> None:
    """Keep no samples."""


@dataclass(frozen=True)
class Request:
    """One window to be timed, in a process of its own where the device has processes.

    Attributes:
        seconds: Least time of the timed inferences.
        warmup_seconds: Least time of those before, which are not timed.
        inferences: Least number of timed ones.
        most_seconds: When to stop for good; a driver gives up some time after.
        keep_s: How long the process is kept for windows that follow without a pause; 0: the next
            one gets a process of its own.
        samples: Told latencies in ms as they come, so that they are kept whatever happens next.
    """

    seconds: float = 1.0
    warmup_seconds: float = 0.3
    inferences: int = 10
    most_seconds: float = 120.0
    keep_s: float = 0.0
    samples: Callable[[Sequence[float]], None] = _ignore


@dataclass(frozen=True)
class State:
    """What may change how fast a device is; None where the device does not tell.

    Attributes:
        load: Of one minute, in processes.
        others: Share of all processors that other programs took since the state before.
        processors: That the device has.
        frequencies_mhz: Of each core now.
        governors: Of each core.
        temperatures_c: By sensor.
        throttled: Names of what holds the device back now; empty where nothing does.
        charging: Whether a battery is being charged.
    """

    load: float | None = None
    others: float | None = None
    processors: int | None = None
    frequencies_mhz: tuple[float, ...] | None = None
    governors: tuple[str, ...] | None = None
    temperatures_c: Mapping[str, float] | None = None
    throttled: tuple[str, ...] | None = None
    charging: bool | None = None


@dataclass(frozen=True)
class Window:
    """One stretch of inferences that a device timed.

    Attributes:
        latency_ms: One an inference, in order; a single one, the mean, where the device times
            whole windows only.
        inferences: That were timed.
        start_s: When the first of them began, on `time.monotonic` of this machine.
        end_s: When the last of them ended.
        clock_error_s: How far both may be off together.
        init_ms: Loading the model, where it was timed.
        first_ms: The first inference of the process, where it was timed.
        before: State of the device before.
        after: State of the device after.
        codes: What the driver saw go wrong (`samples_lost`, `clock_jump`), see
            `edgekit.measure.verdict`.
    """

    latency_ms: tuple[float, ...]
    inferences: int
    start_s: float
    end_s: float
    clock_error_s: float = 0.0
    init_ms: float | None = None
    first_ms: float | None = None
    before: State = State()
    after: State = State()
    codes: tuple[str, ...] = ()


class Device(Equipment):
    """A way to run a build; a context manager.

    Attributes:
        figures: What it finds out.
        kind: What runs may be compared with: `host`, `linux`, `android`, `mcu`, `emulator`.
    """

    figures: ClassVar[frozenset[Figure]]
    kind: ClassVar[str]

    def __init__(self) -> None:
        self._job: Job | None = None
        self.reconnected = 0

    @property
    def job(self) -> Job:
        """What was deployed.

        Raises:
            DeviceError: Nothing was.
        """
        if self._job is None:
            raise DeviceError("nothing is on the device", "deploy a build first")
        return self._job

    def assign(self, job: Job) -> None:
        """Take a job, its options converted; nothing is touched yet.

        Raises:
            UsageError: An option that the driver does not take.
            MissingExtra: A tool that it needs is not on PATH; the hint installs it.
        """
        self._job = replace(job, options=self.accept(job.options))

    def deploy(self, job: Job) -> None:
        """Bring the build onto the device.

        Raises:
            UsageError: An option that the driver does not take.
            MissingExtra: A tool that it needs is not on PATH; the hint installs it.
            EdgekitError: As the driver says.
        """
        self.assign(job)
        self._again(lambda: self._deploy(self.job), again=False)

    def check(self) -> Golden:
        """Run the golden vectors on the device and compare; after `deploy`."""
        return self._again(self._check)

    def run(self, request: Request) -> Window:
        """Time one window; after `check`.

        Raises:
            DeviceError: As the driver says, the connection broke too often, or what it timed is
                nothing or no number.
        """
        window = self._again(lambda: self._run(request))
        if not window.latency_ms or not all(0 <= ms < math.inf for ms in window.latency_ms):
            raise DeviceError(
                f"{equipment_name(type(self))} timed no inference, or gave no number for it",
                "see what the device itself says; if it seems well, report it",
            )
        return window

    def emulated(self) -> Mapping[str, Any] | None:
        """Counts and estimates of an emulator, as JSON; None of a device that measures."""
        return self._emulated()

    def environment(self) -> Mapping[str, Any]:
        """Names and versions of what may have had a say, as JSON; after `check`."""
        return self._environment()

    def reach(self, options: Mapping[str, Any]) -> None:
        """Connect and hang up, for `edgekit doctor`.

        Raises:
            EdgekitError: As `deploy`.
        """
        self.assign(Job(Path(), {}, None, options))
        self._reach()

    def identity(self) -> str:
        """Name of what no other bench may use at the same time, of a job that was assigned.

        Empty where many may.
        """
        return ""

    def _again(self, step: Callable[[], T], again: bool = True) -> T:
        """The step, repeated where a connection breaks, after the build was deployed again."""
        for attempt in range(ATTEMPTS):
            try:
                if attempt and again:
                    self._deploy(self.job)
                return step()
            except ConnectionLost:
                if attempt + 1 == ATTEMPTS:
                    raise
                self.reconnected += 1
                time.sleep(PAUSE_S * (attempt + 1))
        raise AssertionError("the loop returns or raises")

    @abc.abstractmethod
    def _deploy(self, job: Job) -> None: ...

    @abc.abstractmethod
    def _check(self) -> Golden: ...

    def _run(self, request: Request) -> Window:
        raise DeviceError(
            f"{equipment_name(type(self))} measures no latency", "edgekit devices lists what does"
        )

    def _emulated(self) -> Mapping[str, Any] | None:
        return None

    def _environment(self) -> Mapping[str, Any]:
        return {}

    def _reach(self) -> None:
        """Nothing to do where nothing is connected to."""

    def _close(self) -> None:
        """Nothing to do where nothing is held."""


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

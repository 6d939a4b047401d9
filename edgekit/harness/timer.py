"""Timings for whoever chooses between builds: a bench of each, without meter and samples."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from edgekit.artifact import Build
from edgekit.devices._cortex_m.machines import CORES
from edgekit.errors import ConnectionLost, DeviceError, EdgekitError, ModelError, TargetError
from edgekit.harness.bench import bench
from edgekit.harness.lab import Lab, load_lab
from edgekit.harness.report import Report
from edgekit.harness.wanted import Wanted
from edgekit.progress import Progress
from edgekit.target.profile import Profile
from edgekit.timing import Timing

if TYPE_CHECKING:
    from edgekit.measure.latency import Latency

HERE = {"linux-x86_64": "x86_64", "linux-arm64": "aarch64"}
"""Targets that a machine of this architecture is itself."""
_COUNTED = {"latency_ms": "latency_ms_estimated", "cycles": "cycles_estimated"}
"""Names of our figures in the reports of emulators, where they differ."""


class BenchTimer:
    """`edgekit bench` of each build, on the device that is named or the target's own.

    Args:
        device: Of the lab, or a driver; empty: `default_device`.
        progress: Told each step.
        lab: Names of devices; None: as `edgekit bench` finds them.
    """

    def __init__(
        self, device: str = "", progress: Progress | None = None, lab: Lab | None = None
    ) -> None:
        self.device = device
        self._progress = progress
        self._lab = lab
        self._lost: dict[str, str] = {}

    def __call__(self, build: Build, profile: Profile) -> Timing:
        """As `edgekit.timing.Timer`; a default device that is not reached is not tried again."""
        lab = self._lab = self._lab or load_lab()
        device = self.device or default_device(profile, lab)
        if not device:
            return Timing("", reason=f"nothing here runs builds for {profile.name}")
        if device in self._lost:
            return Timing(device, reason=self._lost[device])
        try:
            return timing(bench(build, Wanted(device), lab, self._progress))
        except EdgekitError as error:
            why = error.message.removeprefix(f"{build.folder}: ")
            if not _of_this_build(error):
                if self.device:
                    raise
                self._lost[device] = why
            return Timing(device, reason=why)


def default_device(profile: Profile, lab: Lab) -> str:
    """What a target's builds are timed on unless the user says so; empty: nothing.

    A core that an emulator has is emulated: firmware of a board is not replaced by itself. Else
    the only device of the lab with the target's driver, else that driver without options.
    """
    if profile.processor.core in CORES:
        return "qemu"
    if platform.machine() == HERE.get(profile.name):
        return "host"
    driver = profile.device or ""
    if driver == "host" and profile.name in HERE:
        return ""
    named = [name for name, entry in lab.devices.items() if entry.driver == driver]
    return named[0] if len(named) == 1 else driver


def timing(report: Report) -> Timing:
    """What a bench found, as far as builds are ranked by it."""
    if not report.golden.ok:
        why = report.golden.detail or f"{report.golden.mismatched:,} values of output are wrong"
        return Timing(report.device, reason=why, codes=report.codes, wrong=True)
    if report.latency is not None:
        return _measured(report, report.latency)
    return _counted(report, report.emulated or {})


def _measured(report: Report, latency: Latency) -> Timing:
    low, high = latency.low_ms, latency.high_ms
    interval = None if low is None or high is None else (low, high)
    source = f"measured: median of {latency.samples:,} inferences on {report.device}"
    figures = {"latency_ms": latency.median_ms}
    return Timing(report.device, figures, {"latency_ms": source}, interval, report.codes)


def _counted(report: Report, emulated: Any) -> Timing:
    figures, sources = {}, {}
    for name in ("latency_ms", "cycles", "instructions"):
        key = _COUNTED.get(name, name)
        if emulated.get(key) is not None:
            figures[name] = float(emulated[key])
            told = emulated["labels"][key]
            sources[name] = f"{told['label']}: {told['source']}"
    reason = "" if figures else f"{report.device} gives no figure of time"
    return Timing(report.device, figures, sources, codes=report.codes, reason=reason)


def _of_this_build(error: EdgekitError) -> bool:
    """Whether another build may do better on the same device."""
    if isinstance(error, ModelError | TargetError):
        return True
    return isinstance(error, DeviceError) and not isinstance(error, ConnectionLost)

"""Microcontrollers on a serial line, by the protocol of MLPerf Tiny: compatible, no MLPerf result.

The firmware of `c_project/serial/` answers with every bit of the outputs; firmware of others that
speaks the protocol is compared as far as it prints. By the rules a window lasts 10 s at least;
`quick` takes what is asked for.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from edgekit.devices._serial.ports import find_port, port_names
from edgekit.devices.base import Device, Golden, Job, Request, Window
from edgekit.equipment import Needs, Option
from edgekit.errors import ConnectionLost, DeviceError, UsageError

if TYPE_CHECKING:
    from edgekit.devices._serial.check import Checked
    from edgekit.devices._serial.line import Line
    from edgekit.devices._serial.session import Session
    from edgekit.devices._serial.timing import Timed

BAUD = 115200
PATIENCE_S = 30.0
TOLERANCE = 2.0

COMMON: Mapping[str, Option] = {
    "quick": Option("take windows as short as asked for, not the 10 s of the rules", "switch"),
    "vectors": Option("golden vectors to run, if not all of the build's", "whole"),
    "patience": Option(f"seconds that one inference may take, {PATIENCE_S:g}", "number"),
    "runner_log": Option("folder for results as MLPerf Tiny's runner writes them"),
}


class Driver(Device):
    """The port is held while the driver is open: a second bench on it is refused."""

    title = "microcontrollers on a serial line, by MLPerf Tiny's protocol"
    figures = frozenset({"latency"})
    kind = "mcu"
    options: ClassVar[Mapping[str, Option]] = {
        "port": Option("device, URL or serial number; the only port if there is one"),
        "baud": Option(f"baud rate of the firmware, {BAUD}", "whole"),
        **COMMON,
        "model": Option("what firmware of others calls the model, e.g. kws01"),
        "tolerance": Option(f"steps that outputs of others may be off, {TOLERANCE:g}", "number"),
    }
    needs = Needs(modules=("serial",), extra="serial")
    real_time: ClassVar[bool] = True
    """Whether the device's clock and this machine's run alike."""

    def __init__(self) -> None:
        super().__init__()
        self._session: Session | None = None
        self._checked: Checked | None = None
        self._windows: list[Timed] = []

    @classmethod
    def plugged_in(cls) -> list[str]:
        """Serial ports."""
        return port_names()

    def identity(self) -> str:
        """The port; of a job that was taken."""
        port = find_port(self.job.options.get("port"))
        return f"serial {port if '://' in port else os.path.realpath(port)}"

    def _open(self, job: Job) -> Line:
        """The line to the device."""
        from edgekit.devices._serial.line import Line

        return Line(find_port(job.options.get("port")), job.options.get("baud", BAUD))

    def _deploy(self, job: Job) -> None:
        from edgekit.devices._serial.session import Session
        from edgekit.devices._serial.subject import read_subject

        again = self._session is not None
        _require_positive(job.options)
        self._hang_up()
        subject = read_subject(job.folder, job.manifest)
        try:
            line = self._open(job)
        except ConnectionLost as error:
            if again:
                raise
            raise DeviceError(error.message, error.hint) from None
        self._session = Session(line, subject)
        self._session.handshake(job.options.get("model") or subject.version)

    def _check(self) -> Golden:
        from edgekit.devices._serial.check import check

        options = self.job.options
        self._checked = check(
            self._live().monitor,
            self._live().subject,
            options.get("vectors"),
            options.get("tolerance", TOLERANCE),
            self._patience_s,
        )
        return self._checked.golden

    def _run(self, request: Request) -> Window:
        from edgekit.devices._serial.timing import RULES_S, time_window

        session = self._live()
        session.prepare(self._patience_s)
        seconds = request.seconds if self.job.options.get("quick") else RULES_S
        asked = replace(request, seconds=max(seconds, request.seconds))
        timed = time_window(session, asked, self._patience_s, self.real_time)
        self._windows.append(timed)
        request.samples([1e3 * timed.latency_s])
        self._log()
        return self._window(timed, session.round_trip_s / 2)

    def _window(self, timed: Timed, late_s: float) -> Window:
        """Both ends arrive late by something between nothing and a round trip."""
        return Window(
            latency_ms=(1e3 * timed.latency_s,),
            inferences=timed.ran.inferences,
            start_s=timed.ran.began_s - late_s,
            end_s=timed.ran.ended_s - late_s,
            clock_error_s=late_s,
            codes=timed.codes,
        )

    def _environment(self) -> Mapping[str, Any]:
        session = self._live()
        exact = self._checked is None or self._checked.exact
        return {
            "protocol": "compatible with MLPerf Tiny's; not an MLPerf result",
            "port": session.line.name,
            **session.said,
            "golden": "every bit" if exact else "as printed, with three decimals",
            "clock": session.clock,
            "round_trip_ms": round(1e3 * session.round_trip_s, 3),
            "garbled_replies": session.monitor.garbled,
        }

    def _reach(self) -> None:
        from edgekit.devices._serial.monitor import Monitor

        line = self._open(self.job)
        try:
            Monitor(line).wake()
        finally:
            line.close()

    def _close(self) -> None:
        self._hang_up()
        self._session = None

    @property
    def _patience_s(self) -> float:
        return float(self.job.options.get("patience", PATIENCE_S))

    def _live(self) -> Session:
        if self._session is None:
            raise DeviceError("nothing is on the device", "deploy a build first")
        return self._session

    def _log(self) -> None:
        if folder := self.job.options.get("runner_log"):
            from edgekit.devices._serial.runner import write_runner_log

            name = f"{self._live().subject.version}_golden_0.bin"
            write_runner_log(Path(folder), name, self._windows, time.time())

    def _hang_up(self) -> None:
        if self._session is not None:
            self._session.line.close()


def _require_positive(options: Mapping[str, Any]) -> None:
    for name in ("vectors", "patience", "baud"):
        if options.get(name, 1) <= 0:
            raise UsageError(f"{name} = {options[name]} is not above 0", "leave it out")

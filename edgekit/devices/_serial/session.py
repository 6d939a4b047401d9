"""A conversation with one device: who it is, and what is known of its pace."""

from __future__ import annotations

from math import ceil

from edgekit.devices._serial.line import Line
from edgekit.devices._serial.monitor import Inferred, Monitor
from edgekit.devices._serial.subject import Subject
from edgekit.errors import DeviceError

ENOUGH_S, MOST = 0.1, 10**7
"""A run this long, or of so many inferences, tells how long one takes."""


class Session:
    """From opening the line to closing it.

    Attributes:
        line: To the device.
        monitor: The device.
        subject: What should be on it.
        said: What it calls itself, its firmware and its model.
        pace_s: Seconds of one inference, about; after `prepare`.
        round_trip_s: Of a command; after `prepare`.
        printed: What it prints for the input of the windows; after `prepare`.
        clock: Whose clock tells how long a window lasts; after `prepare`.
    """

    def __init__(self, line: Line, subject: Subject) -> None:
        self.line, self.subject = line, subject
        self.monitor = Monitor(line)
        self.said: dict[str, str] = {}
        self.pace_s = self.round_trip_s = 0.0
        self.printed = self.clock = ""

    def handshake(self, model: str) -> None:
        """Wake the device and compare its model.

        Raises:
            DeviceError: It does not answer, or is another model or another build of it.
        """
        name = self.monitor.wake()
        firmware, found = self.monitor.profile()
        self.said = {"name": name, "firmware": firmware, "model": found}
        if found != model:
            raise DeviceError(
                f"{self.line.name} runs the model '{found}', the build is '{model}'",
                "flash c_project/ of this build; of others' firmware say model = its name",
            )

    def prepare(self, quiet_s: float) -> None:
        """Load an input and find out how long an inference takes; once."""
        if self.printed:
            return
        self.round_trip_s = self.monitor.round_trip_s()
        self.monitor.load(self.subject.vectors[0][0])
        ran = self.monitor.infer(1, 0, quiet_s)
        self.pace_s = self._pace_s(ran, quiet_s)
        self.clock = "host" if ran.us is None else "device"
        self.printed = repr(ran.results)

    def _pace_s(self, ran: Inferred, quiet_s: float) -> float:
        """From runs that grow until they can be timed."""
        while True:
            seconds = max(_seconds(ran), 1e-9)
            if seconds >= ENOUGH_S or ran.inferences >= MOST:
                return seconds / ran.inferences
            count = min(ran.inferences * 10, ceil(1.5 * ran.inferences * ENOUGH_S / seconds))
            ran = self.monitor.infer(min(MOST, max(count, ran.inferences + 1)), 0, quiet_s)


def _seconds(ran: Inferred) -> float:
    """Of the device, where it has a clock that ran."""
    if ran.us is None or ran.us[1] < ran.us[0]:
        return ran.ended_s - ran.began_s
    return (ran.us[1] - ran.us[0]) / 1e6

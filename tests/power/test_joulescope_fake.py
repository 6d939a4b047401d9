"""Meter joulescope against a fake driver: no Joulescope and no emulator of one can be here.

The fake has the calls of the package's v1 API that the meter uses, and streams in a thread.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edgekit.equipment import Needs
from edgekit.errors import DeviceError, UsageError
from edgekit.measure.energy import combine, edges, window_energy
from edgekit.power import _usb
from edgekit.power.base import Trace
from edgekit.power.joulescope import Meter

RATE = 100_000
NAMES = ["current", "voltage", "current_lsb", "voltage_lsb"]


class FakeBuffer:
    """The samples of the last 0.3 s; 5 V, and 2 or 20 mA while input 0 is high, 50 ms each."""

    def __init__(self) -> None:
        self.end = 700
        self.missing: set[int] = set()

    @property
    def sample_id_range(self) -> tuple[int, int]:
        return max(700, self.end - 30_000), self.end

    def samples_get(self, start: int, end: int, fields: list[str]) -> dict[str, Any]:
        assert fields == NAMES
        counts = np.arange(start, end)
        high = counts // 5000 % 2
        current = np.where(high, 0.02, 0.002).astype(np.float32)
        current[np.isin(counts, sorted(self.missing))] = np.nan
        rows = [current, np.full(counts.size, 5, np.float32), high.astype("u1"), 0 * high]
        return {"signals": {n: {"value": r} for n, r in zip(NAMES, rows, strict=True)}}


class FakeDevice:
    """Streams when told to, to whom is registered."""

    model, serial_number, sampling_frequency = "js220", "001122", RATE

    def __init__(self) -> None:
        self.buffer = FakeBuffer()
        self.parameters: dict[str, str] = {}
        self.is_open = self.unplugged = False
        self.listener: Any = None
        self.pause_at = 0
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        if self.unplugged:
            raise RuntimeError("jsdrv_open failed")
        self.is_open = True

    def close(self) -> None:
        self.stop()
        self.is_open = False

    def parameter_set(self, name: str, value: str) -> None:
        self.parameters[name] = value

    def stream_process_register(self, listener: Any) -> None:
        self.listener = listener

    def stream_process_unregister(self, listener: Any) -> None:
        assert listener is self.listener
        listener.driver_active = False

    def start(self) -> None:
        self._end.clear()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._end.wait(0.005):
            if self.unplugged:
                return
            if self.pause_at and self.buffer.end > self.pause_at:
                self.pause_at = 0
                time.sleep(0.4)
            self.buffer.end = 700 + int((time.monotonic() - began) * RATE)
            self.listener.stream_notify(self.buffer)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDevice]:
    fake, module = FakeDevice(), ModuleType("joulescope")
    module.scan_require_one = lambda: fake  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "joulescope", module)
    monkeypatch.setattr(Meter, "needs", Needs())
    yield fake
    assert not fake.is_open


def record(seconds: float, given: dict[str, object] | None = None) -> Trace:
    with Meter(given) as meter:
        meter.open()
        meter.start()
        time.sleep(seconds)
        return meter.stop()


def test_energy_by_an_input_of_a_fake(device: FakeDevice) -> None:
    before = time.monotonic()
    trace = record(0.5, {"gain_percent": "0.3"})
    assert before < trace.time_s[0] < trace.time_s[-1] < time.monotonic()
    assert np.allclose(np.diff(trace.time_s), 1e-4)
    windows = [window_energy(trace, span, 5) for span in edges(trace, "gpi0")]
    energy = combine(windows, trace.info, trace.codes)
    assert energy.median_uj == pytest.approx(0.1 * 0.05 / 5 * 1e6, rel=1e-3)
    assert energy.codes == ()
    assert (energy.info.name, energy.info.gain_uncertainty) == ("Joulescope JS220 001122", 0.003)
    assert device.parameters["current_lsb"] == "gpi0"


def test_samples_that_the_fake_drops_are_gaps(device: FakeDevice) -> None:
    device.buffer.missing = {8_003, 8_004}
    trace = record(0.3)
    (gap,) = trace.gaps
    assert gap[1] - gap[0] == pytest.approx(1e-4)
    windows = [window_energy(trace, span) for span in edges(trace, "gpi0")]
    assert [window.gross_j is None for window in windows][:2] == [True, False]


def test_buffer_of_the_fake_that_overran_is_a_gap(device: FakeDevice) -> None:
    device.pause_at = 5_000
    trace = record(0.8)
    (gap,) = trace.gaps
    assert 0.05 < gap[1] - gap[0] < 0.3


def test_fake_that_is_unplugged(device: FakeDevice) -> None:
    with Meter({}) as meter:
        meter.open()
        meter.start()
        time.sleep(0.05)
        device.unplugged = True
        time.sleep(1.1)
        with pytest.raises(DeviceError, match="has sent nothing for 1"):
            meter.stop()
    with pytest.raises(DeviceError, match="jsdrv_open failed") as caught:
        record(0)
    assert caught.value.hint


def test_what_cannot_be(device: FakeDevice) -> None:
    with pytest.raises(UsageError, match="above zero"):
        Meter({"rate_hz": 0})
    with pytest.raises(DeviceError, match="not connected"):
        Meter({}).start()
    with pytest.raises(DeviceError, match="nothing was recorded"):
        Meter({}).stop()


def test_plugged_in_by_the_kernels_list(
    device: FakeDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, vendor, product in (("1-1", "16d0", "10ba"), ("1-2", "1915", "c00a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "idVendor").write_text(f"{vendor}\n")
        (tmp_path / name / "idProduct").write_text(f"{product}\n")
    (tmp_path / "1-1" / "product").write_text("JS220\n")
    (tmp_path / "1-1" / "serial").write_text("001122\n")
    monkeypatch.setattr(_usb.usb_devices, "__defaults__", (tmp_path,))
    assert Meter.plugged_in() == ["JS220 001122"]

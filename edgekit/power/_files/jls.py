"""JLS version 2, the files of Joulescope: signals `current`, `voltage`, `power`, and inputs.

Signals of one bit are digital channels by their names (`0`, `T`, or `in0`). Where rates differ, all
are read at the slowest, means of power for it, and the level at its start for a channel. Needs the
extra `jls`.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DataError, MissingExtra
from edgekit.power._files.recording import Recording
from edgekit.power.base import MeterInfo, Trace

MAGIC = b"jlsfmt"
Array = NDArray[np.float64]


def read(path: Path) -> Recording:
    """The trace of a file.

    Raises:
        DataError: It is damaged, or of version 1, or has no power.
        MissingExtra: pyjls is not installed.
    """
    if find_spec("pyjls") is None:
        raise MissingExtra.of("pyjls", "jls")
    from pyjls import Reader

    try:
        with Reader(str(path)) as reader:
            return Recording(_trace(reader, path))
    except (RuntimeError, ValueError) as error:
        hint = "save it again as JLS version 2"
        raise DataError(f"{path} cannot be read as JLS: {error}", hint) from None


def _trace(reader: Any, path: Path) -> Trace:
    sampled = {s.name.lower(): s for s in reader.signals.values() if s.sample_rate and s.length}
    analog = {n: s for n, s in sampled.items() if n in ("current", "voltage", "power")}
    if not analog:
        raise DataError(f"{path} has no signal of power", "record current and voltage")
    rate = min(s.sample_rate for s in analog.values())
    count = min(s.length * rate // s.sample_rate for s in analog.values())
    read = {name: _means(reader, signal, rate, count) for name, signal in analog.items()}
    lines = [s for name, s in sampled.items() if name not in analog and _bits(s) == 1]
    source = reader.sources[next(iter(analog.values())).source_id]
    return Trace(
        np.arange(count) / rate,
        power_w=read.get("power"),
        current_a=read.get("current"),
        voltage_v=read.get("voltage"),
        digital={signal.name: _levels(reader, signal, rate, count) for signal in lines},
        clock="meter",
        info=MeterInfo(_name(source), "board", sample_rate_hz=float(rate)),
        sample="mean",
    )


def _means(reader: Any, signal: Any, rate: int, count: int) -> Array:
    step = signal.sample_rate // rate
    values = reader.fsr(signal.signal_id, 0, count * step).astype(np.float64)
    return np.asarray(values.reshape(count, step).mean(axis=1))


def _levels(reader: Any, signal: Any, rate: int, count: int) -> NDArray[np.uint8]:
    packed = reader.fsr(signal.signal_id, 0, signal.length)
    bits = np.unpackbits(packed, bitorder="little")[: signal.length]
    at = np.arange(count) * signal.sample_rate // rate
    return np.asarray(bits[np.minimum(at, bits.size - 1)], np.uint8)


def _bits(signal: Any) -> int:
    return int(signal.data_type >> 8) & 0xFF


def _name(source: Any) -> str:
    return " ".join(part for part in (source.vendor, source.model, source.serial_number) if part)

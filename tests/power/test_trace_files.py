"""Files of traces: real recordings give the published figures, others what was put into them."""

from __future__ import annotations

import json
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgekit.errors import DataError, EdgekitError, UsageError
from edgekit.measure import recorded
from edgekit.measure.energy import Energy, Span, combine, edges, window_energy
from edgekit.power._files.marks import read_marks
from edgekit.power._files.names import quantity
from edgekit.power._files.read import read_recording, read_trace
from edgekit.power._files.recording import Recording
from edgekit.power._files.write import write_trace
from edgekit.power.base import MeterInfo, Trace


def energy_of(recording: Recording) -> Energy:
    counts = recording.inferences * (len(recording.spans) // len(recording.inferences))
    pairs = zip(recording.spans, counts, strict=True)
    windows = [window_energy(recording.trace, span, count) for span, count in pairs]
    return combine(windows, recording.trace.info)


def joules(trace: Trace, start: float, end: float) -> float:
    found = window_energy(trace, Span(start, end)).gross_j
    assert found is not None
    return found


def test_js220_session_gives_the_published_energies(real_models: Path) -> None:
    recording = read_recording(real_models / "device_anchors/mlperf-tiny-js220-ic01.npz")
    energy = energy_of(recording)
    published = [0.134394, 0.134434, 0.134577, 0.134357, 0.134388]
    assert [w.gross_j for w in energy.windows] == pytest.approx(published, abs=1e-6)
    assert recording.inferences == (10,) * 5
    assert energy.median_uj == pytest.approx(13_439.4, abs=0.1)
    assert edges(recording.trace, "gpi0") == list(recording.spans)
    assert (energy.codes, len(recording.trace.gaps)) == ((), 4)


@pytest.mark.parametrize(
    ("model", "count", "median"), [("kws", 300, 1820.454), ("ad", 2000, 203.368)]
)
def test_lpm01a_gives_the_runners_own_figures(
    real_models: Path, model: str, count: int, median: float
) -> None:
    folder = real_models / f"device_anchors/energy_nucleo_l4r5zi_{model}"
    recording = read_recording(folder)
    assert recording.inferences == (count,) * 5
    energy = energy_of(recording)
    assert energy.median_uj == pytest.approx(median, abs=1e-3)
    text = (folder / "results.txt").read_text()
    lines = [line for line in text.splitlines() if "Energy       :" in line]
    told = [float(line.split()[-2]) for line in lines]
    assert [1e6 * (w.gross_j or 0) for w in energy.windows] == pytest.approx(told, abs=0.02)
    assert energy.terms.gain == pytest.approx(median * 0.02 / 3**0.5, rel=1e-3)


def lpm01a(path: Path, rate: float, milliwatts: list[float]) -> Path:
    path.write_bytes(b"\xf1" + struct.pack(f"<{len(milliwatts) + 1}f", rate, *milliwatts))
    return path


def test_lpm01a_file_alone_has_no_windows(tmp_path: Path) -> None:
    recording = read_recording(lpm01a(tmp_path / "x-energy.bin", 100.0, [10.0] * 50 + [30.0] * 50))
    assert (recording.spans, recording.inferences) == ((), ())
    assert joules(recording.trace, 0.25, 0.75) == pytest.approx(0.25 * 0.01 + 0.25 * 0.03)
    (tmp_path / "x-timestamps.json").write_text("[0.0, 0.25, 0.5, 0.6, 0.8]")
    (tmp_path / "results.txt").write_text("# Inferences : 7\n")
    told = read_recording(tmp_path)
    assert told.spans == (Span(0.25, 0.5), Span(0.6, 0.8))
    assert told.inferences == (), "one number for two windows tells nothing"


@pytest.mark.parametrize(
    "content", [b"\xf1", b"\xf1abc", b"\xf1" + struct.pack("<3f", -1, 2, 3), b"\xf1\0\0\xc8\x42\0"]
)
def test_damaged_lpm01a_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged LPM01A"):
        read_recording(path)


LOG = "ack volt 3300m\nack freq 100\nack output {}\nack format ascii_dec\nack start\n"


def lpm01a_log(output: str, lost: bool = False) -> str:
    """3 s at 100 Hz: 0.2 mJ a sample (or 2 mA), five times that between the events."""
    lines = [LOG.format(output), "event 00 ris"]
    for index in range(300):
        if index % 100 == 0:
            lines.append(f"TimeStamp: {index // 100:03}s 000ms, buff 00%")
        if index in (110, 190):
            lines.append(f"event {index // 100:02} ris")
        exponent = "-05" if output == "current" else "-06"
        if not (lost and index == 150):
            lines.append(f"{'1000' if 110 <= index < 190 else '0200'}{exponent}")
    return "\n".join([*lines, "TimeStamp: 003s 000ms, buff 00%", "Acquisition completed"])


def test_lpm01a_log_by_the_boards_own_help(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text(lpm01a_log("energy"))
    recording = read_recording(path)
    assert recording.spans == (Span(1.1, 1.9, seen=True),)
    assert joules(recording.trace, 1.1, 1.9) == pytest.approx(80 * 1e-3)
    path.write_text(lpm01a_log("current"))
    assert joules(read_trace(path), 1.2, 1.8) == pytest.approx(0.6 * 0.01 * 3.3)
    path.write_text(lpm01a_log("energy", lost=True))
    assert read_trace(path).gaps == ((1.0, 1.99),)
    path.write_text(lpm01a_log("energy").replace("ack output energy", ""))
    with pytest.raises(DataError, match="does not say what its samples are"):
        read_trace(path)


def full_trace() -> Trace:
    time = np.arange(100) * 0.01 + 5
    return Trace(
        time,
        power_w=np.linspace(0, 1, 100),
        current_a=np.linspace(1, 2, 100),
        voltage_v=np.full(100, 3.3),
        energy_j=np.cumsum(np.linspace(0, 1, 100)),
        digital={"D0": (time > 5.5).astype(np.uint8)},
        gaps=((5.1, 5.2),),
        clock_error_s=0.001,
        info=MeterInfo("m", "rail", 0.01, 100.0),
        codes=("charging",),
        sample="mean",
    )


def test_written_trace_is_read_back_and_the_same_bytes(tmp_path: Path) -> None:
    trace, spans = full_trace(), [Span(5.3, 5.4, 0.001), Span(5.5, 5.6, seen=True)]
    write_trace(tmp_path / "a.npz", trace, spans, [3, 4])
    write_trace(tmp_path / "b.npz", trace, spans, [3, 4])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    back = read_recording(tmp_path / "a.npz")
    assert (back.spans, back.inferences) == (tuple(spans), (3, 4))
    for name in ("time_s", "power_w", "current_a", "voltage_v", "energy_j"):
        assert np.array_equal(getattr(back.trace, name), getattr(trace, name))
    assert np.array_equal(back.trace.digital["D0"], trace.digital["D0"])
    for name in ("gaps", "clock", "clock_error_s", "info", "codes", "sample"):
        assert getattr(back.trace, name) == getattr(trace, name)
    write_trace(tmp_path / "c.npz", replace(trace, energy_j=None, power_w=None, digital={}))
    assert read_trace(tmp_path / "c.npz").energy_j is None


def capture(begin: float, watts: float) -> Trace:
    pin = (np.arange(1000) >= 200) & (np.arange(1000) < 700)
    time = begin + np.arange(1000) / 1000
    power = np.where(pin, watts, 0.01)
    info = MeterInfo("m", "board", watts / 10)
    return Trace(time, power_w=power, digital={"D0": pin.astype("u1")}, info=info, sample="mean")


def test_captures_of_a_run_are_joined(tmp_path: Path) -> None:
    for number in range(11):
        begin = 100.0 + 2 * number
        spans = [Span(begin + 0.2, begin + 0.7, 0.001)]
        trace = capture(begin, 0.05 + number / 1000)
        write_trace(tmp_path / f"window-{number}.npz", trace, spans, [number + 1])
    (tmp_path / "report.json").write_text("{}")
    run = read_recording(tmp_path)
    assert run.inferences == tuple(range(1, 12))
    energy = energy_of(run)
    expected = [(0.05 + n / 1000) * 0.5 for n in range(11)]
    assert [w.gross_j for w in energy.windows] == pytest.approx(expected)
    assert energy.codes == ()
    assert len(edges(run.trace, "D0")) == 11
    assert run.trace.info.gain_uncertainty == pytest.approx(0.006)
    assert window_energy(run.trace, Span(100.5, 102.5)).codes == ("samples_lost",)
    write_trace(tmp_path / "window-11.npz", replace(capture(200, 1), info=MeterInfo("n", "board")))
    with pytest.raises(UsageError, match=r"several traces: window-0\.npz, window-1\.npz"):
        read_recording(tmp_path)
    write_trace(tmp_path / "window-11.npz", capture(50, 1))
    with pytest.raises(UsageError, match="several traces"):
        read_recording(tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("time_s", ("time", 1.0, "")),
        ("Timestamp(ms)", ("time", 1e-3, "")),
        ("t", ("time", 1.0, "")),
        ("elapsed_min", ("time", 60.0, "")),
        ("Current(uA)", ("current", 1e-6, "")),
        ("Main current (µA)", ("current", 1e-6, "")),
        ("current", ("current", 1.0, "")),
        ("i_ma", ("current", 1e-3, "")),
        ("bus_voltage_mv", ("voltage", 1e-3, "")),
        ("power [mW]", ("power", 1e-3, "")),
        ("power_kw", ("power", 1e3, "")),
        ("energy_uj", ("energy", 1e-6, "")),
        ("energy_mwh", ("energy", 3.6, "")),
        ("energy_J_per_ms", ("energy", 1.0, "ms")),
        ("D0", None),
        ("trigger", None),
    ],
)
def test_names_of_columns(name: str, expected: tuple[str, float, str] | None) -> None:
    found = quantity(name)
    assert found == (expected and (expected[0], pytest.approx(expected[1]), expected[2]))


CSV = {
    "current and voltage": "time_ms,current_ma,voltage_v\n0,10,3\n500,10,3\n1000,10,3\n",
    "supply as a note": "# voltage_mv: 3000\ntime_s;current_ua\n0;10000,0\n0,5;10000\n1;10000\n",
    "power, tabs": "t\tpower_mw\n0\t30\n0.5\t30\n1\t30\n",
    "spaces, a remark": "# made by hand\ntime_s   p_w\n0 0.03\n0.5 0.03  # steady\n1 0.03\n",
    "rate instead of time": "# sample_rate_hz: 2\npower_w\n0.03\n0.03\n0.03\n",
    "counter": "time_s,energy_mj\n0,7\n0.3,16\n1,37\n",
    "counter that begins again": (
        "# energy_range_uj: 100000\ntime_s,energy_uj\n0,75000\n0.5,90000\n1,5000\n"
    ),
    "counter that tells its range in a column": (
        "t,energy_j,max_energy_range_j\n0,0.075,0.1\n0.5,0.09,0.1\n1,0.005,0.1\n"
    ),
    "energy a sample": "time_s,energy_uj_per_sample\n0,15000\n0.5,15000\n1,15000\n",
    "microvolt byte order mark": "\ufefftime_us,power_uw\n0,30000\n500000,30000\n1000000,30000\n",
}


@pytest.mark.parametrize("case", CSV)
def test_csv(tmp_path: Path, case: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(CSV[case], encoding="utf-8")
    assert joules(read_trace(path), 0, 1) == pytest.approx(0.03)


def test_nrf_connect_export_has_eight_channels_in_a_column(tmp_path: Path) -> None:
    rows = [(i * 0.01, 1000 if 20 <= i < 60 else 100, "01000000") for i in range(100)]
    rows = [(t, c, "11000000" if c == 1000 else bits) for t, c, bits in rows]
    text = "Timestamp(ms),Current(uA),D0-D7\n" + "".join(f"{t:.2f},{c},{b}\n" for t, c, b in rows)
    path = tmp_path / "ppk2.csv"
    path.write_text(text)
    trace = read_trace(path)
    assert sorted(trace.digital) == [f"D{i}" for i in range(8)]
    assert [trace.digital[f"D{i}"].max() for i in range(3)] == [1, 1, 0]
    (span,) = edges(trace, "D0")
    assert (span.start_s, span.end_s) == pytest.approx((0.0002, 0.0006))
    volts = replace(trace, voltage_v=np.full(100, 3.0))
    assert window_energy(volts, span).gross_j == pytest.approx(0.0004 * 0.003)
    assert (trace.sample, trace.info.name) == ("mean", "PPK2 (nRF Connect)")


def test_notes_of_a_csv_say_what_the_trace_is(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(
        "# meter: bench supply\n# scope: rail\n# gain_uncertainty: 0.005\n# sample: mean\n"
        "# inferences: 12\n# gaps: 7:8 9:9.5\ntime_s,power_w,busy,celsius\n"
        "0,1,0,21\n1,2,1,22\n2,4,0,23\n"
    )
    recording = read_recording(path)
    assert recording.trace.info == MeterInfo("bench supply", "rail", 0.005)
    assert (recording.trace.sample, recording.inferences) == ("mean", (12,))
    assert recording.trace.gaps == ((7.0, 8.0), (9.0, 9.5))
    assert list(recording.trace.digital) == ["busy"], "a temperature is no channel"
    assert joules(recording.trace, 0, 3) == pytest.approx(7)


def test_row_that_is_missing_is_a_gap_and_irregular_sampling_is_not(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    regular = [i / 100 for i in range(100)]
    rows = "".join(f"{t},0.05\n" for t in regular if not 0.3 < t < 0.35)
    path.write_text(f"time_s,power_w\n{rows}")
    assert read_trace(path).gaps == (pytest.approx((0.3, 0.35)),)
    assert window_energy(read_trace(path), Span(0.2, 0.5)).codes == ("samples_lost",)
    rng = np.random.default_rng(3)
    rows = "".join(f"{t},0.05\n" for t in np.cumsum(rng.exponential(0.01, 100)))
    path.write_text(f"time_s,power_w\n{rows}")
    assert read_trace(path).gaps == ()
    rows = "".join(f"{t},{t}\n" for t in regular if not 0.3 < t < 0.35)
    path.write_text(f"time_s,energy_j\n{rows}")
    assert joules(read_trace(path), 0.2, 0.5) == pytest.approx(0.3), "a counter counts on"


BAD = {
    "no names": ("0,1\n1,2\n", "no names of columns in line 1"),
    "empty": ("", "is empty"),
    "only a head": ("time_s,power_w\n", "names and no rows"),
    "no time": ("power_w\n1\n2\n", "no column of time"),
    "no power": ("time_s,celsius\n0,20\n1,21\n", "no column of power"),
    "twice": ("time_s,time_ms,power_w\n0,0,1\n1,1000,1\n", "two columns of time"),
    "one row": ("time_s,power_w\n0,1\n", "1 samples"),
    "words": ("time_s,power_w\n0,one\n1,2\n", "could not convert"),
    "ragged": ("time_s,power_w\n0,1\n1\n", "number of columns changed"),
    "more columns than names": ("time_s,power_w\n0,1,2\n1,2,3\n", "2 names and 3 columns"),
    "sample": ("# sample: maximum\ntime_s,power_w\n0,1\n1,2\n", "no 'maximum'"),
    "rate": ("# sample_rate_hz: fast\npower_w\n0\n1\n", "sample_rate_hz is 'fast'"),
    "gaps": ("# gaps: many\ntime_s,power_w\n0,1\n1,2\n", "gaps are 'many'"),
    "inferences": ("# inferences: many\ntime_s,power_w\n0,1\n1,2\n", "inferences is 'many'"),
}


@pytest.mark.parametrize("case", BAD)
def test_csv_that_is_no_trace_is_refused(tmp_path: Path, case: str) -> None:
    text, message = BAD[case]
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_recording(path)
    assert caught.value.hint


def test_npz_of_named_arrays(tmp_path: Path) -> None:
    time = np.linspace(0, 1, 101)
    path = tmp_path / "trace.npz"
    arrays = {"time_s": time, "current_ma": np.full(101, 10.0), "D1": (time > 0.5).astype(int)}
    np.savez(path, **arrays, voltage_v=3.0, inferences=5, note="by hand")  # type: ignore[arg-type]
    recording = read_recording(path)
    assert joules(recording.trace, 0, 1) == pytest.approx(0.03)
    assert recording.inferences == (5,)
    np.savez(path, t=time, power=np.full(101, 0.03), gaps=[[0.2, 0.3]], spans=[[0.4, 0.9]])
    told = read_recording(path)
    assert (told.trace.gaps, told.spans) == (((0.2, 0.3),), (Span(0.4, 0.9),))
    np.savez(path, time_s=time, power_w=time[:-1])
    with pytest.raises(DataError, match="differ in length"):
        read_recording(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match="cannot be read"):
        read_recording(path)


def test_jls_of_joulescope(tmp_path: Path) -> None:
    pyjls = pytest.importorskip("pyjls")
    path, rate = tmp_path / "trace.jls", 100_000
    busy = (np.arange(rate * 2) // (rate // 2)) % 2
    with pyjls.Writer(str(path)) as out:
        out.source_def(1, "js", "Jetperch", "JS220", "", "001234")
        signal = {"source_id": 1, "sample_rate": rate}
        out.signal_def(3, data_type=pyjls.DataType.F32, name="current", units="A", **signal)
        out.signal_def(4, data_type=pyjls.DataType.F32, name="voltage", units="V", **signal)
        out.signal_def(5, data_type=pyjls.DataType.U1, name="gpi[0]", units="", **signal)
        out.fsr(3, 0, np.where(busy, 0.05, 0.01).astype(np.float32))
        out.fsr(4, 0, np.full(rate * 2, 2.0, np.float32))
        out.fsr(5, 0, np.packbits(busy.astype(np.uint8), bitorder="little"))
    trace = read_trace(path)
    assert trace.info.name == "Jetperch JS220 001234"
    assert trace.info.sample_rate_hz == rate
    (span,) = edges(trace, "gpi[0]")
    assert joules(trace, span.start_s, span.end_s) == pytest.approx(0.05 * 2 * 0.5, rel=1e-6)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="JLS"):
        read_trace(path)


@pytest.mark.parametrize(
    "text",
    [
        "[[1, 2], [3, 4.5]]",
        "[0.1, 1, 2, 3, 4.5]",
        '{"windows": [{"start_s": 1, "end_s": 2}, {"start_s": 3, "end_s": 4.5}]}',
        "start,end\n1,2\n3,4.5\n",
        "# seconds\n1;2\n3;4.5\n",
        "1 2\n3 4.5",
        "time_s\n0.1\n1\n2\n3\n4.5\n",
    ],
)
def test_marks(tmp_path: Path, text: str) -> None:
    path = tmp_path / "marks.txt"
    path.write_text(text)
    assert read_marks(path) == [Span(1, 2), Span(3, 4.5)]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "7", "a,b\nc,d\n", "[[1]]", '["x"]', "[[3, 4], [1, 2]]", "1,2\n3\n"]
)
def test_marks_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "marks.txt"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_marks(path)
    assert caught.value.hint


def test_path_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no trace"):
        read_recording(tmp_path / "nothing.csv")
    with pytest.raises(UsageError, match="has no trace"):
        read_recording(tmp_path)
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text(CSV["counter"])
    with pytest.raises(UsageError, match=r"several traces: a\.csv, b\.csv"):
        read_recording(tmp_path)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(DataError, match="is no recorded trace"):
        read_recording(tmp_path / "picture.png")
    with pytest.raises(DataError, match=r"marks .* cannot be read"):
        read_marks(tmp_path / "nothing.json")


TIMES = np.linspace(0, 1, 11)
BROKEN = {
    "gaps of an odd number": {"time_s": TIMES, "power_w": TIMES, "gaps": np.arange(3.0)},
    "inferences in words": {"time_s": TIMES, "power_w": TIMES, "inferences": np.array(["a"])},
    "own without JSON": {"edgekit_trace": np.array("x"), "time_s": TIMES},
    "own without fields": {"edgekit_trace": np.array('{"version": 1}'), "time_s": TIMES},
    "session without events": {"energy_J_per_ms_0": TIMES},
}


@pytest.mark.parametrize("case", BROKEN)
def test_npz_that_is_no_trace_is_refused(tmp_path: Path, case: str) -> None:
    np.savez(tmp_path / "x.npz", **BROKEN[case])
    with pytest.raises(DataError, match=r"x\.npz is no trace"):
        read_recording(tmp_path / "x.npz")


def test_other_zip_file_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("a.txt", "hello")
    with pytest.raises(DataError, match=r"x\.npz is no trace"):
        read_recording(tmp_path / "x.npz")


def test_window_of_less_than_one_inference_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", time_s=TIMES, power_w=TIMES, inferences=np.array([-10]))
    recording = read_recording(tmp_path / "x.npz")
    with pytest.raises(DataError, match="no inference"):
        recorded.energy_of(recording, [Span(0, 1)])
    assert recorded.energy_of(recording, [Span(0, 1)], 10).median_uj == pytest.approx(5e4)


def test_trace_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trace.npz"
    np.savez(path, edgekit_trace=json.dumps({"version": 99}), time_s=np.zeros(2))
    with pytest.raises(EdgekitError, match="version 99"):
        read_recording(path)

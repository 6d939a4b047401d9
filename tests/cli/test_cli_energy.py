"""edgekit energy: figures of recorded traces, what is printed, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgekit.cli import main

Capture = pytest.CaptureFixture[str]


def write_csv(path: Path, head: str = "time_s,power_w,D0", lost: float = -1.0) -> Path:
    """3 s at 1 kHz: 20 mW for 1 s, 50 mW while D0 is high, 20 mW again."""
    rows = [head]
    for index in range(3000):
        busy = 1000 <= index < 2000
        if not lost < index / 1000 < lost + 0.05:
            rows.append(f"{index / 1000},{0.05 if busy else 0.02},{int(busy)}")
    path.write_text("\n".join(rows) + "\n")
    return path


def energy(capsys: Capture, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
    assert main(["energy", *map(str, arguments), "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_published_traces(real_models: Path, capsys: Capture) -> None:
    anchors = real_models / "device_anchors"
    js220 = energy(capsys, anchors / "mlperf-tiny-js220-ic01.npz")
    published = [0.134394, 0.134434, 0.134577, 0.134357, 0.134388]
    assert [w["gross_j"] for w in js220["windows"]] == pytest.approx(published, abs=1e-6)
    assert js220["windows"][0]["per_inference_uj"] == pytest.approx(13_439.4, abs=0.1)
    assert (js220["codes"], js220["net_median_uj"]) == ([], None)
    kws = anchors / "energy_nucleo_l4r5zi_kws"
    for given in (
        (kws,),
        (kws / "trace1-energy.bin", "--marks", kws / "trace1-timestamps.json", "-n", "300"),
    ):
        found = energy(capsys, *given)
        assert found["median_uj"] == pytest.approx(1820.454, abs=1e-3)
        assert found["uncertainty_uj"] == pytest.approx(42, abs=1)


def test_uncertainty_of_windows_without_inferences_is_no_matter_of_their_number(
    tmp_path: Path, capsys: Capture
) -> None:
    path = write_csv(tmp_path / "trace.csv")
    (tmp_path / "marks").write_text("[[0.2, 0.4], [1.2, 1.4]]")
    assert main(["energy", str(path), "--marks", str(tmp_path / "marks")]) == 0
    said = capsys.readouterr().out
    assert "one window" not in said
    assert "uncertainty unknown, as the energy of an inference is" in said


@pytest.mark.parametrize("volts", ["0", "-3"])
def test_supply_that_none_has_is_refused(tmp_path: Path, volts: str, capsys: Capture) -> None:
    path = write_csv(tmp_path / "trace.csv")
    assert main(["energy", str(path), "--voltage", volts]) == 2
    assert "invalid value for '--voltage'" in capsys.readouterr().err


def test_windows_by_the_only_channel_by_marks_and_of_all(tmp_path: Path, capsys: Capture) -> None:
    path = write_csv(tmp_path / "trace.csv")
    found = energy(capsys, path, "--inferences", "100")
    assert found["windows_by"] == "channel D0"
    assert found["median_uj"] == pytest.approx(500, rel=1e-3)
    marks = tmp_path / "marks.csv"
    marks.write_text("0.2,0.4\n1.2,1.4\n2.2,2.4\n")
    found = energy(capsys, path, "--marks", marks, "-n", "4")
    assert [w["gross_j"] for w in found["windows"]] == pytest.approx([0.004, 0.01, 0.004])
    assert found["median_uj"] == pytest.approx(1000)
    path = write_csv(tmp_path / "plain.csv", "time_s,power_w,celsius_")
    path.write_text(path.read_text().replace(",1\n", ",21\n"))
    found = energy(capsys, path)
    assert found["windows_by"] == "the whole trace"
    assert found["windows"][0]["gross_j"] == pytest.approx(0.09, rel=1e-3)
    assert found["windows"][0]["per_inference_uj"] is None
    assert (found["median_uj"], found["uncertainty_uj"]) == (None, None)


def test_net_needs_an_idle_stretch(tmp_path: Path, capsys: Capture) -> None:
    path = write_csv(tmp_path / "trace.csv")
    found = energy(capsys, path, "-n", "100", "--idle", "0.1:0.9")
    assert found["net_median_uj"] == pytest.approx(300, rel=1e-3)
    assert found["idle"]["source"] == "0.1 to 0.9 s of the trace"
    assert main(["energy", str(path), "--idle", "early"]) == 2
    assert "hint: give seconds" in capsys.readouterr().err


def test_supply_of_a_trace_of_current(tmp_path: Path, capsys: Capture) -> None:
    path = write_csv(tmp_path / "trace.csv", "time_s,current_a,D0")
    assert main(["energy", str(path)]) == 1
    assert "no voltage\nhint: give the supply's volts (--voltage)" in capsys.readouterr().err
    found = energy(capsys, path, "-n", "100", "--voltage", "3")
    assert found["median_uj"] == pytest.approx(1500, rel=1e-3)
    assert main(["energy", str(write_csv(path)), "--voltage", "3"]) == 2


def test_gap_refuses_a_window_and_no_other(tmp_path: Path, capsys: Capture) -> None:
    path = write_csv(tmp_path / "trace.csv", lost=1.5)
    found = energy(capsys, path, "-n", "100", code=1)
    assert (found["median_uj"], found["codes"]) == (None, ["samples_lost"])
    assert found["windows"][0]["gross_j"] is None
    assert found["error"] == "samples were lost in every window"
    assert main(["energy", str(path), "-n", "100"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("no figure\n")
    assert "codes       samples_lost" in said.out
    assert said.err.startswith("error: samples were lost in every window\nhint: ")
    marks = tmp_path / "marks.json"
    marks.write_text("[[0.1, 0.9], [1.1, 1.9]]")
    found = energy(capsys, path, "--marks", marks, "-n", "100")
    assert [w["codes"] for w in found["windows"]] == [[], ["samples_lost"]]
    assert found["median_uj"] == pytest.approx(160)


def test_report_for_people(tmp_path: Path, capsys: Capture) -> None:
    path = write_csv(tmp_path / "trace.csv")
    assert main(["energy", str(path), "-n", "100", "--idle", "0.1:0.9"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[0] == "500.0 ± 1.0 uJ an inference, one window, k = 2"
    assert lines[1].startswith("net         300.0 ± 1.0 uJ an inference, less 20.000 mW")
    assert lines[2] == f"{'▁' * 24}{'█' * 24}{'▁' * 24}  20 to 50 mW"
    assert lines[3] == f"{' ' * 24}{'━' * 24}"
    assert lines[4].split()[:2] == ["window", "start"]
    assert lines[5].split() == ["1", "1.000", "1.000", "50.0000", "50.000", "100", "500.000"]
    assert "gain not stated" in lines[6]
    assert lines[7] == "meter       unknown, board; windows by channel D0"


def test_inferences_unknown_is_said_and_not_guessed(tmp_path: Path, capsys: Capture) -> None:
    assert main(["energy", str(write_csv(tmp_path / "trace.csv"))]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == "50.0000 mJ a window, inferences unknown: --inferences"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing.csv"], 2, "no trace nothing.csv"),
        (["trace.csv", "--channel", "D3"], 2, "no digital channel 'D3'"),
        (["trace.csv", "--channel", "D0=up"], 2, "channel D0 cannot be 'up'"),
        (["trace.csv", "--channel", "D0", "--marks", "m.json"], 2, "both --marks and --channel"),
        (["trace.csv", "--marks", "m.json"], 1, "window from 2 to 9 s is not in the trace"),
        (["trace.csv", "--marks", "none.json"], 1, "marks none.json cannot be read"),
        (["trace.csv", "-n", "0"], 2, "0 is not in the range"),
        (["two.csv"], 2, "several channels change: D0, D1"),
        (["upside_down.csv"], 1, "power is below zero"),
        (["unsorted.csv"], 1, "do not ascend"),
        (["counter.csv"], 1, "the energy counter falls"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line_and_a_hint(
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_csv(Path("trace.csv"))
    Path("m.json").write_text("[2, 9]")
    Path("two.csv").write_text("time_s,power_w,D0,D1\n0,1,0,1\n1,1,1,0\n2,1,0,1\n")
    Path("upside_down.csv").write_text("time_s,power_w\n0,-1\n1,-1\n2,-1\n")
    Path("unsorted.csv").write_text("time_s,power_w\n0,1\n2,1\n1,1\n")
    Path("counter.csv").write_text("time_s,energy_uj\n0,5\n1,9\n2,1\n")
    assert main(["energy", *arguments]) == code
    error, hint = capsys.readouterr().err.splitlines()
    assert message in error
    assert hint.startswith("hint: ")

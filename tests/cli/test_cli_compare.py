"""edgekit bench on a device that does not exist, and edgekit compare on what it left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from toy_project import write_toy

from edgekit.cli import main

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy").mkdir()
    write_toy(tmp_path / "toy")


def run(*options: str) -> int:
    return main(["bench", "toy", "--device", "fake", "-q", *options])


def test_report_for_people(capsys: Capture) -> None:
    assert run("-o", "latency_ms=4", "-o", "throttled=under-voltage") == 0
    said = capsys.readouterr().out
    assert "4 ms (95 %: " in said
    assert "verdict     degraded" in said
    assert "throttled: the device held itself back: cool it" in said
    assert "run         runs/toy-fake-001" in said


def test_sustained_run_for_people(capsys: Capture) -> None:
    assert run("--sustained", "30s", "-o", "drift=0.01") == 0
    said = capsys.readouterr().out
    assert "ms cold" in said
    assert "it slowed down for good after" in said


def test_same_device_is_no_regression(capsys: Capture) -> None:
    assert run() == run("-o", "seed=1") == 0
    assert main(["compare", "runs/toy-fake-001", "runs/toy-fake-002"]) == 0
    assert "no regression of more than 3 %" in capsys.readouterr().out


def test_slower_one_is_a_regression(capsys: Capture) -> None:
    assert run() == run("-o", "latency_ms=5.5") == 0
    capsys.readouterr()
    assert main(["compare", "runs/toy-fake-001", "runs/toy-fake-002", "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert found["regressions"] == ["latency_ms"]
    assert found["changes"][0]["ratio"] == pytest.approx(1.1, rel=0.01)
    assert (
        main(["compare", "runs/toy-fake-001", "runs/toy-fake-002", "--max-regression", "20%"]) == 0
    )


def test_what_json_printed_can_be_compared(tmp_path: Path, capsys: Capture) -> None:
    for name, latency in (("a", "5"), ("b", "6")):
        assert run("--json", "-o", f"latency_ms={latency}") == 0
        (tmp_path / name).write_text(capsys.readouterr().out)
    assert main(["compare", "a", "b"]) == 3
    assert "1.200  1.19" in capsys.readouterr().out


def test_comparison_says_what_is_to_be_doubted(capsys: Capture) -> None:
    assert run() == run("-o", "load=9") == 0
    assert main(["compare", "runs/toy-fake-001", "runs/toy-fake-002"]) == 0
    said = capsys.readouterr().out
    assert "B is degraded: loaded_host" in said
    assert "A is" not in said


FAKE = ["bench", "toy", "--device", "fake"]
WRONG = {
    "no run": (["compare", "toy", "toy"], 1, "no run of edgekit bench here"),
    "no file": (["compare", "x", "y"], 1, "no run of edgekit bench here"),
    "share": (["compare", "a", "b", "--max-regression", "much"], 2, "write 3% or 0.03"),
    "time": (["bench", "toy", "--device", "fake", "--seconds", "soon"], 2, "write 500ms"),
    "no time": (["bench", "toy", "--device", "fake", "--seconds", "0"], 2, "write 500ms"),
    "option": (["bench", "toy", "--device", "fake", "-o", "x"], 2, "no KEY=VALUE"),
    "unknown option": (["bench", "toy", "--device", "fake", "-o", "x=1"], 2, "takes no option 'x'"),
    "value": (["bench", "toy", "--device", "fake", "-o", "seed=x"], 2, "not a whole number"),
    "meter": (["bench", "toy", "--device", "fake", "--power", "x"], 2, "no meter 'x'"),
    "idle without a meter": ([*FAKE, "--idle", "1s"], 2, "--idle is for a power meter"),
    "channel without a meter": ([*FAKE, "--channel", "D0"], 2, "--channel is for a power meter"),
    "option without a meter": ([*FAKE, "--meter-option", "a=b"], 2, "--meter-option is for a"),
    "no meter, by name": ([*FAKE, "--power", "none", "--idle", "1s"], 2, "--idle is for a power"),
    "no latency": ([*FAKE, "-o", "latency_ms=0"], 2, "latency_ms is not above zero"),
    "emulator over time": (
        ["bench", "toy", "--device", "unicorn", "--sustained", "5s"],
        2,
        "unicorn counts and times nothing: --sustained means nothing there",
    ),
    "emulator with a meter": (
        ["bench", "toy", "--device", "unicorn", "--power", "estimate"],
        2,
        "--power means nothing there",
    ),
    "lab": (["bench", "toy", "--device", "fake", "--lab", "x"], 2, "x cannot be read"),
    "device": (
        ["bench", "toy", "--device", "fake", "-o", "die=yes", "-q"],
        4,
        "the fake device died",
    ),
}


@pytest.mark.parametrize(("arguments", "code", "message"), WRONG.values(), ids=WRONG.keys())
def test_mistakes(arguments: list[str], code: int, message: str, capsys: Capture) -> None:
    assert main(arguments) == code
    said = capsys.readouterr().err
    assert message in said
    assert "hint: " in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "report",
    [
        '{"validity": "valid", "latency": null, "model_sha256": "x"}',
        '{"validity": "valid", "latency": 5, "model_sha256": "x", "codes": [], "kind": "",'
        ' "settings": {}, "energy": null, "emulated": null}',
        "[]",
    ],
)
def test_report_of_something_else_is_named(tmp_path: Path, report: str, capsys: Capture) -> None:
    (tmp_path / "x.json").write_text(report)
    assert main(["compare", "x.json", "x.json"]) == 1
    assert "x.json: no run of edgekit bench here" in capsys.readouterr().err


def test_damaged_samples_are_named(tmp_path: Path, capsys: Capture) -> None:
    assert run() == 0
    with (tmp_path / "runs/toy-fake-001/samples.jsonl").open("a") as file:
        file.write('{"window": 0, "ms": [1')
    assert main(["compare", "runs/toy-fake-001", "runs/toy-fake-001"]) == 1
    assert "samples.jsonl is damaged" in capsys.readouterr().err


def test_wrong_values_give_no_figures(capsys: Capture) -> None:
    assert run("-o", "mismatched=2", "--json") == 4
    found = json.loads(capsys.readouterr().out)
    assert found["latency"] is None
    assert (found["validity"], found["codes"], found["exit_code"]) == (
        "invalid",
        ["golden_mismatch"],
        4,
    )
    assert main(["compare", "runs/toy-fake-001", "runs/toy-fake-001"]) == 2

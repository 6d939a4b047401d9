"""Which number format stays, from plans, figures and refusals; nothing is built here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgekit.artifact import Build
from edgekit.devices.base import Golden
from edgekit.errors import BudgetError, ConnectionLost, DeviceError, ModelError, TargetError
from edgekit.harness.lab import Entry, Lab
from edgekit.harness.report import Report
from edgekit.harness.timer import BenchTimer, default_device, timing
from edgekit.plan import Plan, make_plan
from edgekit.progress import Progress
from edgekit.project import Project, from_mapping
from edgekit.schemes import Tried, choose, try_schemes
from edgekit.target.profile import load_profile
from edgekit.timing import Timing

RPI4 = load_profile("rpi4")


def project(**tables: Any) -> Project:
    content = {"model": {"path": "m.keras"}, "quantize": {"scheme": "auto"}, **tables}
    return from_mapping(content, "test")


def plan_of(**tables: Any) -> Plan:
    return make_plan(project(**tables), RPI4, "keras")


CALIBRATED = {"calibration": ("c.npz",)}


def test_each_format_but_int4_is_a_plan_of_its_own() -> None:
    plan = plan_of(data=CALIBRATED)
    formats = [scheme for scheme in RPI4.quantizers if scheme != "int4"]
    assert len(formats) == len(RPI4.quantizers) - 1
    assert [each.scheme for each in plan.alternatives] == formats
    assert plan.quantize.options == {"schemes": formats}
    for each in plan.alternatives:
        alone = make_plan(project(data=CALIBRATED, quantize={"scheme": each.scheme}), RPI4, "keras")
        assert each == alone


def test_what_needs_calibration_data_is_left_out_without_them() -> None:
    plan = plan_of()
    assert plan.possible
    assert plan.quantize.options == {"schemes": ["float16", "dynamic", "float32"]}
    assert [p.message for p in plan.problems if p.severity == "note"] == [
        "int8 is left out: int8 needs calibration data, and none is given",
        "int16x8 is left out: int16x8 needs calibration data, and none is given",
    ]


def test_passes_that_train_for_int8_leave_int8_alone() -> None:
    plan = plan_of(data=CALIBRATED, compress=[{"pass": "quantize_aware"}])
    assert plan.quantize.options == {"schemes": ["int8"]}


def test_what_stands_against_all_of_them_stops_the_build() -> None:
    plan = plan_of(data=CALIBRATED, budget={"accuracy_drop": 1.0})
    assert not plan.possible
    assert "budget for the accuracy drop needs labelled data" in plan.problems[0].message


def test_a_quantized_file_has_no_formats_to_choose_from() -> None:
    plan = make_plan(project(data=CALIBRATED), RPI4, "tflite", quantized=True)
    assert plan.alternatives == ()
    assert "--quantize auto cannot apply" in plan.problems[0].message


def tried(scheme: str, size: int, ms: float | None = None, **more: Any) -> Tried:
    interval = more.pop("interval", None)
    figures = {} if ms is None else {"latency_ms": ms}
    told = Timing("desk", figures, {}, interval, reason="" if figures else "no", **more)
    return Tried(scheme, {"bytes": size}, timing=told)


def test_the_fastest_stays_whatever_its_size() -> None:
    found = choose([tried("int8", 10, 2.0), tried("float32", 40, 1.0)])
    assert (found.best.scheme, found.ranked_by) == ("float32", "latency_ms")
    assert found.why == "float32 is the fastest of those that were timed"


def test_where_no_difference_was_measured_the_smaller_stays() -> None:
    fast = tried("float32", 40, 1.0, interval=(0.9, 1.1))
    close = tried("int8", 10, 1.15, interval=(1.05, 1.25))
    slow = tried("dynamic", 5, 1.3, interval=(1.2, 1.4))
    found = choose([close, fast, slow])
    assert found.best is close
    assert found.why.startswith("int8 and float32 are as fast as far as was measured; int8")
    apart = replace(close, timing=Timing("desk", {"latency_ms": 1.2}, {}, (1.11, 1.3)))
    assert choose([apart, fast, slow]).best is fast


def test_what_could_not_be_timed_stays_behind_what_was() -> None:
    found = choose([tried("int8", 40, 9.0), tried("int16x8", 10)])
    assert found.best.scheme == "int8"
    assert found.why == "int8 is the only one that could be timed"


def test_without_figures_the_smallest_stays_and_it_is_said() -> None:
    found = choose([tried("int8", 40), tried("dynamic", 10)])
    assert (found.best.scheme, found.ranked_by) == ("dynamic", "bytes")
    assert found.why.endswith("ranked by bytes, for nothing was timed: no")
    assert choose([Tried("int8", {"bytes": 1})]).why.endswith("no device was asked")


def test_figures_that_only_some_have_rank_nothing() -> None:
    both = {"latency_ms": 1.0, "instructions": 900.0}
    counted = Tried("int8", {"bytes": 1}, timing=Timing("d", {"instructions": 800.0}))
    found = choose([Tried("float32", {"bytes": 4}, timing=Timing("d", both)), counted])
    assert (found.best.scheme, found.ranked_by) == ("int8", "instructions")


def test_a_format_that_computes_something_else_is_not_chosen() -> None:
    found = choose([tried("int8", 40, 1.0), tried("float16", 10, 0.5, wrong=True)])
    assert found.best.scheme == "int8"


def manifest(size: int) -> dict[str, Any]:
    memory = {"need": size, "have": None}
    return {
        "ledger": [{"bytes": size}],
        "fit": {"flash": memory, "ram": memory},
        **dict.fromkeys(("accuracy", "fidelity", "budget")),
    }


class Desk:
    """Says a latency by the size of the file, and counts how often it was asked."""

    def __init__(self, device: str = "", reason: str = "") -> None:
        self.device, self.reason, self.asked = device, reason, 0

    def __call__(self, build: Build, profile: object) -> Timing:
        self.asked += 1
        size = float(build.manifest["ledger"][-1]["bytes"])
        return Timing("desk", {} if self.reason else {"latency_ms": size}, reason=self.reason)


def built(plan: Plan) -> Build:
    sizes = {"int8": 30, "int16x8": 20, "float16": 50, "dynamic": 25, "float32": 90}
    if plan.scheme == "int16x8":
        raise BudgetError("the budget is broken: by much", "allow more")
    return Build(Path(plan.scheme), manifest(sizes[plan.scheme]))


def test_refused_formats_are_told_and_the_others_timed() -> None:
    desk = Desk()
    found = try_schemes(plan_of(data=CALIBRATED), RPI4, built, desk, Progress())
    assert (found.best.scheme, desk.asked) == ("dynamic", 4)
    told = {each["scheme"]: each for each in found.to_json()["tried"]}
    assert told["int16x8"] == {"scheme": "int16x8", "refused": "the budget is broken: by much"}
    assert told["dynamic"]["bytes"] == 25
    assert "latency" not in str(found.to_json())
    assert found.timings()["schemes"]["float32"]["figures"] == {"latency_ms": 90}


def test_a_choice_that_was_made_is_not_made_again() -> None:
    desk, plan = Desk(), plan_of(data=CALIBRATED)
    found = try_schemes(plan, RPI4, built, desk, Progress(), settled="float16")
    assert (found.best.scheme, desk.asked) == ("float16", 0)
    with pytest.raises(TargetError, match="int16x8 was chosen before, and cannot be built"):
        try_schemes(plan, RPI4, built, desk, Progress(), settled="int16x8")


@pytest.mark.parametrize("kind", [BudgetError, TargetError, ModelError])
def test_where_nothing_can_be_kept_each_reason_is_given(kind: type[Exception]) -> None:
    def never(plan: Plan) -> Build:
        raise kind(f"no {plan.scheme}", "hint")  # type: ignore[call-arg]

    with pytest.raises(TargetError, match="dynamic: no dynamic; float32: no float32") as caught:
        try_schemes(plan_of(), RPI4, never, None, Progress())
    assert (caught.type is BudgetError) == (kind is BudgetError)
    assert caught.value.exit_code == 3


def test_a_device_that_was_named_and_times_nothing_is_an_error() -> None:
    with pytest.raises(DeviceError, match="pi times none of the number formats: asleep"):
        try_schemes(plan_of(), RPI4, built, Desk("pi", "asleep"), Progress())
    assert try_schemes(plan_of(), RPI4, built, Desk("", "asleep"), Progress()).ranked_by == "bytes"


@pytest.mark.parametrize(
    ("target", "machine", "device"),
    [
        ("cortex-m4", "x86_64", "qemu"),
        ("nucleo-l4r5zi", "x86_64", "qemu"),
        ("linux-x86_64", "x86_64", "host"),
        ("linux-x86_64", "aarch64", ""),
        ("linux-arm64", "aarch64", "host"),
        ("rpi4", "aarch64", "ssh"),
        ("android", "x86_64", "adb"),
        ("web", "x86_64", ""),
    ],
)
def test_the_device_of_a_target(
    target: str, machine: str, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert default_device(load_profile(target), Lab()) == device


def test_the_only_device_of_the_lab_with_the_targets_driver() -> None:
    pi, other = Entry("ssh", {"host": "pi"}), Entry("ssh", {"host": "b"})
    assert default_device(RPI4, Lab({"pi": pi, "fake": Entry("fake")})) == "pi"
    assert default_device(RPI4, Lab({"pi": pi, "other": other})) == "ssh"


def bench_build() -> Build:
    return Build(Path("build/x"), {"target": "rpi4", "artifacts": []})


def test_a_bench_with_the_fake_device_gives_figures_with_their_source() -> None:
    found = BenchTimer("fake")(bench_build(), RPI4)
    assert found.figures["latency_ms"] == pytest.approx(5, rel=0.01)
    assert found.sources["latency_ms"].startswith("measured: median of ")
    assert found.interval is not None
    low, high = found.interval
    assert low <= found.figures["latency_ms"] <= high


def test_a_default_device_that_is_not_reached_is_asked_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def unplugged(*_: object) -> None:
        asked.append(1)
        raise ConnectionLost("nobody answers", "plug it in")

    monkeypatch.setattr("edgekit.harness.timer.bench", unplugged)
    timer = BenchTimer(lab=Lab())
    assert [timer(bench_build(), RPI4).reason for _ in range(3)] == ["nobody answers"] * 3
    assert len(asked) == 1
    with pytest.raises(ConnectionLost):
        BenchTimer("ssh", lab=Lab())(bench_build(), RPI4)


def test_a_build_that_the_device_cannot_run_says_nothing_of_the_next() -> None:
    lab = Lab({"desk": Entry("fake", {"die": True})})
    timer = BenchTimer("desk", lab=lab)
    assert "the fake device died" in timer(bench_build(), RPI4).reason
    assert "the fake device died" in timer(bench_build(), RPI4).reason


def test_wrong_values_are_no_figures() -> None:
    report = Report("d", "fake", "host", "rpi4", "0", Golden(2, 20, 3))
    found = timing(report)
    assert (found.wrong, found.figures, found.reason) == (True, {}, "3 values of output are wrong")


def test_an_emulator_tells_what_it_counted_and_what_it_estimates() -> None:
    labels = {
        "cycles_estimated": {"label": "estimated", "source": "a model"},
        "instructions": {"label": "emulated", "source": "QEMU"},
    }
    emulated = {"instructions": 10, "cycles_estimated": 12.5, "labels": labels}
    report = Report("q", "qemu", "emulator", "cortex-m4", "0", Golden(1, 4, 0), emulated=emulated)
    found = timing(report)
    assert found.figures == {"cycles": 12.5, "instructions": 10.0}
    assert found.sources["cycles"] == "estimated: a model"

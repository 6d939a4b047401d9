"""The figures that a search makes better or keeps within limits, and how each is got."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from edgekit._discover import did_you_mean
from edgekit.errors import UsageError

if TYPE_CHECKING:
    from edgekit.artifact import Build
    from edgekit.harness.report import Report
    from edgekit.search.table import SearchTable

Better = Literal["lower", "higher"]
Stage = Literal["size", "accuracy", "device"]
KIB = 1024
REWARD = "reward"
_WEIGHT = -0.07
"""Exponent of a reward: twice as slow is as bad as 5 % less accuracy (arXiv:1807.11626, 3.1)."""
_PERCENT = ("top1", "auc")
_SIZES = {"": 1, "B": 1, "K": KIB, "KB": KIB, "KIB": KIB, "M": KIB**2, "MB": KIB**2, "MIB": KIB**2}
_TIMES = {"us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3}
_ENERGIES = {"nj": 1e-6, "uj": 1e-3, "µj": 1e-3, "mj": 1.0, "j": 1e3}
_NUMBER = re.compile(r"([0-9][0-9_,]*(?:\.\d+)?|\.\d+)\s*([A-Za-zµ%]*)")


@dataclass(frozen=True)
class Objective:
    """One figure of a build.

    Attributes:
        name: As `--objective` takes it.
        unit: Of its values.
        better: Which way.
        stage: The first one after which it is known.
        text: What it is.
    """

    name: str
    unit: str
    better: Better
    stage: Stage
    text: str


_ALL = (
    Objective("drop", "points", "lower", "accuracy", "accuracy lost, on rows held out"),
    Objective("accuracy", "%", "higher", "accuracy", "top1 or auc, on rows held out"),
    Objective("agreement", "%", "higher", "accuracy", "decisions like the float model's"),
    Objective("netscore", "", "higher", "accuracy", "NetScore (arXiv:1806.05512)"),
    Objective("flash", "B", "lower", "size", "of model and code"),
    Objective("ram", "B", "lower", "size", "of the target"),
    Objective("bytes", "B", "lower", "size", "of the .tflite"),
    Objective("gzip", "B", "lower", "size", "of the .tflite after gzip -9"),
    Objective("macs", "MAC", "lower", "size", "multiply-accumulates; expected ones of early exits"),
    Objective("parameters", "", "lower", "size", "weights and biases; zeros count"),
    Objective("latency", "ms", "lower", "device", "of an inference"),
    Objective("instructions", "", "lower", "device", "of an inference, on an emulator"),
    Objective("energy", "mJ", "lower", "device", "of an inference"),
    Objective(REWARD, "", "higher", "device", "accuracy x (latency / its limit)^-0.07"),
)
OBJECTIVES: Mapping[str, Objective] = {each.name: each for each in _ALL}


@dataclass(frozen=True)
class Limit:
    """What a figure may be at most, or at least.

    Attributes:
        name: Of the objective.
        value: In its unit.
        text: As it was written.
    """

    name: str
    value: float
    text: str

    def violation(self, figures: Mapping[str, float]) -> float:
        """By what share of the limit it is broken; 0 or less where it is kept or not known."""
        found = figures.get(self.name)
        if found is None:
            return 0.0
        over = found - self.value if OBJECTIVES[self.name].better == "lower" else self.value - found
        return over / max(abs(self.value), 1.0)

    def broken(self, figures: Mapping[str, float]) -> str:
        """How it is broken, in one line."""
        each = OBJECTIVES[self.name]
        side = "above" if each.better == "lower" else "below"
        return f"{self.name} {shown(self.name, figures[self.name])} is {side} {self.text}"


def shown(name: str, value: float | None) -> str:
    """A figure for people."""
    if value is None:
        return "-"
    unit = OBJECTIVES[name].unit
    whole = unit in ("B", "MAC", "") and OBJECTIVES[name].better == "lower"
    text = f"{value:,.0f}" if whole else f"{value:.4g}"
    return f"{text} {unit}".rstrip()


def objective(name: str) -> Objective:
    """The objective of this name; UsageError where there is none."""
    if name not in OBJECTIVES:
        raise UsageError(f"no objective '{name}'", did_you_mean(name, OBJECTIVES))
    return OBJECTIVES[name]


def limits_of(table: SearchTable) -> tuple[Limit, ...]:
    """The limits of `[search]`; K is 1,024 bytes everywhere.

    Raises:
        UsageError: A text that is no amount of its unit.
    """
    return tuple(_limit(key, text) for key, text in table.limits.items())


def of_build(build: Build) -> tuple[dict[str, float], dict[str, str]]:
    """What a manifest says, and how each figure was got."""
    manifest = build.manifest
    last, verdict = manifest["ledger"][-1], manifest["fit"]
    memories = verdict.get("c_project") or verdict
    accuracy, fidelity = manifest["accuracy"], manifest["fidelity"]
    expected = _expected(manifest)
    rates = manifest["criteria"].get("netscore", {})
    found: dict[str, float | None] = {
        **{key: last[key] for key in ("parameters", "macs", "bytes", "gzip")},
        **({} if expected is None else {"macs": expected}),
        **{key: memories[key]["need"] for key in ("flash", "ram")},
        "drop": accuracy["drop"] if accuracy else None,
        "accuracy": accuracy["built"] if accuracy and accuracy["metric"] in _PERCENT else None,
        "agreement": fidelity["top1_agreement"] if fidelity else None,
        "netscore": rates.get("built"),
    }
    how = {key: memories[key]["state"] for key in ("flash", "ram")}
    how |= {} if expected is None else {"macs": "estimated"}
    figures = {key: float(value) for key, value in found.items() if value is not None}
    return figures, {key: how.get(key, "measured") for key in figures}


def _expected(manifest: Mapping[str, Any]) -> float | None:
    """Multiply-accumulates of a row on average, of a network that may do less than all of them."""
    for key in ("exits", "gates"):
        found = (manifest.get(key) or {}).get("measured")
        if found:
            return float(found["expected_macs"])
    return None


def target_of(limits: Iterable[Limit]) -> float:
    """The latency that a reward weighs against, in ms.

    Raises:
        UsageError: No limit says it.
    """
    found = next((each.value for each in limits if each.name == "latency"), 0.0)
    if found <= 0:
        raise UsageError(
            f"{REWARD} weighs accuracy against a limit of latency, and none above 0 is given",
            "--max-latency 80ms",
        )
    return found


def reward(
    figures: Mapping[str, float], how: Mapping[str, str], limits: Iterable[Limit]
) -> tuple[dict[str, float], dict[str, str]]:
    """What figures come to together, and how the latency among them was got; {} if one is missing.

    Tan et al. 2019 (MnasNet), arXiv:1807.11626, equation 2 with the weight of its soft limit.
    """
    if not {"accuracy", "latency"} <= figures.keys():
        return {}, {}
    weight = (figures["latency"] / target_of(limits)) ** _WEIGHT
    return {REWARD: figures["accuracy"] * weight}, {REWARD: how.get("latency", "measured")}


def of_report(report: Report) -> tuple[dict[str, float], dict[str, str]]:
    """What a bench found, and how."""
    told, counted = report.criteria, report.emulated or {}
    found: dict[str, float | None] = {
        "latency": told["latency_ms"],
        "energy": told["energy_mj"],
        "instructions": counted.get("instructions"),
    }
    figures = {key: float(value) for key, value in found.items() if value is not None}
    how = dict.fromkeys(figures, "measured")
    if report.latency is None:
        how |= {key: "estimated" for key in ("latency", "energy") if key in figures}
    if report.energy is not None and report.energy.info.estimated:
        how["energy"] = "estimated"
    return figures, how | {key: "emulated" for key in ("instructions",) if key in figures}


def _limit(key: str, text: str) -> Limit:
    name = key.partition("_")[2]
    unit = OBJECTIVES[name].unit
    found = _NUMBER.fullmatch(text.strip())
    factor = _factor(unit, found[2]) if found else None
    if found is None or factor is None:
        example = {"B": "64K", "ms": "80ms", "mJ": "2mJ", "%": "98%", "points": "1%"}
        raise UsageError(
            f"{key.replace('_', '-')} {text!r} is no amount of {unit or 'it'}",
            f"write for example {example.get(unit, '5000000')}",
        )
    return Limit(name, float(re.sub("[_,]", "", found[1])) * factor, text)


def _factor(unit: str, written: str) -> float | None:
    if unit == "B":
        return _SIZES.get(written.upper())
    if unit in ("points", "%"):
        return 1.0 if written in ("", "%") else None
    if unit == "ms":
        return _TIMES.get(written or "ms")
    if unit == "mJ":
        return _ENERGIES.get(written.lower() or "mj")
    return {"": 1.0, "K": 1e3, "M": 1e6}.get(written.upper())


def to_json() -> list[dict[str, Any]]:
    """All objectives, for documentation."""
    return [vars(each) for each in _ALL]

"""What a bench found, in one schema for every device; what was not measured is None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from edgekit.devices.base import Board, Golden
from edgekit.measure import verdict

if TYPE_CHECKING:
    from edgekit.measure.energy import Energy
    from edgekit.measure.latency import Latency
    from edgekit.measure.sustained import Sustained

SCHEMA = 1


@dataclass(frozen=True)
class Report:
    """What a bench found.

    Attributes:
        device: As it was named.
        driver: Name of its driver.
        kind: What runs it may be compared with.
        target: That the build is for.
        model_sha256: Of what ran.
        golden: Golden vectors on the device.
        latency: Of an inference.
        energy: Of an inference.
        meter: As it was named.
        emulated: What an emulator counted.
        sustained: The curve over time, where it was asked for.
        codes: Reasons to doubt it, by name.
        settings: What two runs must have in common to be compared: threads, delegate, core.
        environment: Names, versions and states that may have had a say.
        board: What is known of the target.
        folder: Where samples and traces lie.
        model: Criteria of the model by name (`edgekit.criteria`), from the manifest.
    """

    device: str
    driver: str
    kind: str
    target: str
    model_sha256: str
    golden: Golden
    latency: Latency | None = None
    energy: Energy | None = None
    meter: str = ""
    emulated: Mapping[str, Any] | None = None
    sustained: Sustained | None = None
    codes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    board: Board | None = None
    folder: str = ""
    model: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def validity(self) -> verdict.Validity:
        """`valid`, `degraded` or `invalid`."""
        return verdict.validity(self.codes)

    @property
    def criteria(self) -> dict[str, float | None]:
        """Those of the model, latency and energy; see `edgekit.criteria`."""
        counted = self.emulated or {}
        latency = counted.get("latency_ms_estimated")
        energy = counted.get("energy_mj_estimated")
        if self.latency is not None:
            latency = self.latency.median_ms
        if self.energy is not None:
            energy = _mj(self.energy.median_uj)
        return {**self.model, "latency_ms": latency, "energy_mj": energy}

    def to_json(self) -> dict[str, Any]:
        """As `edgekit bench --json` prints it."""
        return {
            "schema": SCHEMA,
            "device": self.device,
            "driver": self.driver,
            "kind": self.kind,
            "target": self.target,
            "model_sha256": self.model_sha256,
            "golden": {**asdict(self.golden), "ok": self.golden.ok},
            "latency": self.latency.to_json() if self.latency else None,
            "energy": _energy(self.energy, self.meter) if self.energy else None,
            "emulated": dict(self.emulated) if self.emulated else None,
            "sustained": self.sustained.to_json() if self.sustained else None,
            "criteria": self.criteria,
            "validity": self.validity,
            "codes": list(self.codes),
            "advice": verdict.advice(self.codes),
            "settings": dict(self.settings),
            "environment": dict(self.environment),
            "folder": self.folder or None,
        }


def _energy(energy: Energy, meter: str) -> dict[str, Any] | None:
    """Of an inference, in mJ, gross first; None where a gap or an unknown clock refuses it."""
    if energy.median_uj is None:
        return None
    return {
        "gross_mj": _mj(energy.median_uj),
        "net_mj": _mj(energy.net_median_uj),
        "uncertainty_mj": _mj(energy.uncertainty_uj),
        "meter": meter,
        "scope": energy.info.scope,
        "estimated": energy.info.estimated,
        "details": energy.to_json(),
    }


def _mj(uj: float | None) -> float | None:
    return None if uj is None else uj / 1e3

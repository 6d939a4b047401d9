"""The bench loop: deploy a build, prove that the device computes what it should, measure.

The manifest is all that comes over from the build: nothing here imports what builds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from edgekit.artifact import Build
from edgekit.devices.base import Board, Golden, Job, find_driver
from edgekit.errors import ModelError, UsageError
from edgekit.progress import Progress
from edgekit.target.profile import Profile, load_profile

GOLDEN_MISMATCH = "golden_mismatch"


@dataclass(frozen=True)
class Report:
    """What a bench found.

    Attributes:
        device: Name of the driver.
        target: That the build is for.
        golden: Golden vectors on the device.
        emulated: What an emulator counted; None where the golden vectors do not match.
        environment: Names and versions of what may have had a say.
        board: What is known of the target.
        codes: What is wrong with it, by name.
    """

    device: str
    target: str
    golden: Golden
    emulated: Mapping[str, Any] | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)
    board: Board | None = None
    codes: tuple[str, ...] = ()

    @property
    def validity(self) -> str:
        """`valid` or `invalid`."""
        return "invalid" if self.codes else "valid"

    def to_json(self) -> dict[str, Any]:
        """As `edgekit bench --json` prints it; what was not measured is None."""
        return {
            "device": self.device,
            "target": self.target,
            "golden": asdict(self.golden),
            "latency": None,
            "energy": None,
            "emulated": self.emulated,
            "validity": self.validity,
            "codes": list(self.codes),
            "environment": dict(self.environment),
        }


def bench(
    build: Build,
    device: str,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Measure `build` on `device`.

    Args:
        build: A finished build.
        device: Name of a driver (`edgekit devices`).
        options: The driver's own, e.g. `{"core": "cortex-m7"}`.
        progress: Told each step.

    Raises:
        UsageError: No such driver, or an option that it does not take.
        ModelError: A file is not what the manifest says: the figures would be of something else.
        EdgekitError: As the driver says.
    """
    progress = progress or Progress()
    target = build.manifest["target"]
    board = board_of(target)
    found = find_driver(device)
    if damaged := build.damaged():
        hint = "build it again with --force: figures are for what the manifest describes"
        raise ModelError(f"{build.folder}: {'; '.join(damaged)}", hint)
    with found() as driver:
        progress.step(f"deploy to {device}")
        driver.deploy(Job(build.folder, build.manifest, board, options or {}))
        progress.step("run the golden vectors")
        golden = driver.check()
        if not golden.ok:
            return Report(device, target, golden, board=board, codes=(GOLDEN_MISMATCH,))
        progress.step("measure")
        return Report(device, target, golden, driver.emulated(), driver.environment(), board)


def board_of(target: str) -> Board | None:
    """What is known of a target; None where its file is not on this machine."""
    try:
        profile = load_profile(target)
    except UsageError:
        return None
    return Board(
        name=profile.name,
        core=profile.processor.core,
        clock_mhz=profile.processor.clock_mhz,
        flash_bytes=profile.flash_bytes,
        ram_bytes=profile.ram_bytes,
        pj_per_cycle=profile.pj_per_cycle,
        energy_source=_energy_source(profile),
    )


def _energy_source(profile: Profile) -> str:
    if "energy" in profile.sources:
        return profile.sources["energy"]
    return f"no published measurement gives the energy of a cycle of {profile.name}"

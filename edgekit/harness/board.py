"""What is known of the board that a build is for."""

from __future__ import annotations

from edgekit.devices.base import Board
from edgekit.errors import UsageError
from edgekit.target.profile import Profile, load_profile


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

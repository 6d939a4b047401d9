"""What the drivers of emulated Cortex-M cores have in common."""

from __future__ import annotations

import abc
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.devices.base import Device, Golden, Job
from edgekit.errors import DeviceError

if TYPE_CHECKING:
    from edgekit.devices._cortex_m.emulator import Kit
    from edgekit.devices._cortex_m.measure import Prepared
    from edgekit.devices._cortex_m.measured import Measured
    from edgekit.devices._cortex_m.spoken import Spoken


class EmulatedCortexM(Device):
    """Firmware of our own around the C project of a build, on an emulated machine."""

    figures = frozenset({"emulated"})
    kind = "emulator"

    def __init__(self) -> None:
        super().__init__()
        self._work = tempfile.TemporaryDirectory(prefix="edgekit-")
        self._prepared: Prepared | None = None
        self._found: Measured | None = None

    @classmethod
    @abc.abstractmethod
    def kit(cls) -> Kit:
        """Toolchain and emulator."""

    def _deploy(self, job: Job) -> None:
        from edgekit.devices._cortex_m.measure import prepare

        core, vectors = job.options.get("core"), job.options.get("inferences")
        work = Path(self._work.name)
        self._prepared = prepare(self.kit(), job.folder, job.manifest, work, core, vectors)

    def _check(self) -> Golden:
        from edgekit.devices._cortex_m.measure import run

        if self._prepared is None:
            raise DeviceError("nothing is on the device", "deploy a build first")
        self._found = run(self._prepared)
        spoken = self._found.spoken
        return Golden(
            vectors=len(spoken.vectors),
            compared=sum(vector.compared for vector in spoken.vectors),
            mismatched=sum(vector.mismatched for vector in spoken.vectors),
            detail=_detail(spoken),
        )

    def _emulated(self) -> Mapping[str, Any]:
        from edgekit.devices._cortex_m.figures import emulated

        return emulated(self._measured(), self.job.board)

    def _environment(self) -> Mapping[str, Any]:
        found = self._measured()
        return {"tools": list(found.tools), "machine": found.machine, "core": found.core}

    def _measured(self) -> Measured:
        if self._found is None:
            raise DeviceError("nothing ran on the device", "check the golden vectors first")
        return self._found

    def _close(self) -> None:
        self._work.cleanup()


def _detail(spoken: Spoken) -> str:
    """The first thing that is wrong, if any."""
    for number, vector in enumerate(spoken.vectors):
        if vector.status:
            return f"golden vector {number}: the run function returned {vector.status}"
        if vector.overflow:
            return f"golden vector {number}: the stack overflowed"
        if vector.overwritten:
            return f"golden vector {number}: {vector.overwritten} bytes outside the arena written"
    if spoken.copy_mismatched or spoken.copy_overwritten:
        return (
            f"run_copy: {spoken.copy_mismatched} output bytes differ, "
            f"{spoken.copy_overwritten} bytes outside its buffers written"
        )
    if spoken.differs:
        vector_number, index, got, wanted = spoken.differs
        return f"golden vector {vector_number}: output byte {index} is {got}, should be {wanted}"
    return ""

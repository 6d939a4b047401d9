"""A bench from a trial on a Ray cluster: by an actor where the device is, one bench after another.

The device is a custom resource of the machine that reaches it, and its actor holds it. A trial
sends it a build and waits for the report; meanwhile other trials build on.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.errors import DeviceError, EdgekitError
from edgekit.search.refusal import Refusal

if TYPE_CHECKING:
    from edgekit.artifact import Build
    from edgekit.harness.report import Report

RETRIES = 3
"""How often a bench is begun again whose machine was lost."""
WAIT_S = 3600.0
"""How long a trial waits for its report, those before it in the queue included."""


class Bencher:
    """Runs benches in a process of its own."""

    def bench(self, root: str, folder: str, device: str, wanted: dict[str, Any]) -> Any:
        """The report, or what was wrong."""
        from edgekit.harness.api import bench_one

        try:
            os.chdir(root)
            return bench_one(Path(folder), device, **wanted)
        except EdgekitError as error:
            return Refusal.of(error)
        except OSError as error:
            return Refusal.of(DeviceError(f"{root}: {error.strerror}", "share it at this path"))


@dataclass(frozen=True)
class BenchOnRay:
    """Takes the place of `bench_one` in trials on a cluster.

    Attributes:
        actors: A `Bencher` for each of the devices of one name.
    """

    actors: tuple[Any, ...]

    def __call__(self, build: Build, device: str, **wanted: Any) -> Report:
        """The report of a bench that ran on the machine with the device; see `bench_one`.

        Raises:
            DeviceError: The machine with the device is lost, and no other has one.
            EdgekitError: As `bench_one`.
        """
        import ray

        wanted.pop("progress", None)
        folder = str(build.folder)
        actor = self.actors[zlib.crc32(folder.encode()) % len(self.actors)]
        try:
            found = ray.get(actor.bench.remote(os.getcwd(), folder, device, wanted), timeout=WAIT_S)
        except (ray.exceptions.RayActorError, ray.exceptions.GetTimeoutError) as error:
            raise DeviceError(
                f"the machine with {device} is lost ({type(error).__name__})",
                "start it again, then go on with --resume",
            ) from error
        if isinstance(found, Refusal):
            raise found.error()
        return found  # type: ignore[no-any-return]


def benchers(ray: Any, resource: str, count: int) -> BenchOnRay:
    """Actors for all devices that have the custom resource, `count` of them."""
    actor = ray.remote(Bencher).options(
        num_cpus=0, resources={resource: 1}, max_restarts=-1, max_task_retries=RETRIES
    )
    return BenchOnRay(tuple(actor.remote() for _ in range(count)))


def resource_of(device: str) -> str:
    """Name of the custom resource; "" for an emulator, of which there are as many as one likes."""
    from edgekit.harness.lab import load_lab

    if not device or load_lab().device(device)[0].kind == "emulator":
        return ""
    return f"device_{device}"

"""A bench from a trial on a Ray cluster: as a task of its own, where the device is.

The device is a custom resource of the machine that reaches it, of which there is one: a second
bench waits. Only the bench holds it: builds go on meanwhile.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.errors import EdgekitError
from edgekit.search.on_ray import Refusal

if TYPE_CHECKING:
    from edgekit.artifact import Build
    from edgekit.harness.report import Report

RETRIES = 3
"""How often a bench is begun again whose machine was lost."""


@dataclass(frozen=True)
class BenchOnRay:
    """Takes the place of `bench_one` in trials on a cluster.

    Attributes:
        resource: Of the device.
    """

    resource: str

    def __call__(self, build: Build, device: str, **wanted: Any) -> Report:
        """The report of a bench that ran on the machine with the device; see `bench_one`."""
        import ray

        wanted.pop("progress", None)
        task: Any = ray.remote(_bench).options(
            num_cpus=0, resources={self.resource: 1}, max_retries=RETRIES, name="edgekit bench"
        )
        found = ray.get(task.remote(os.getcwd(), str(build.folder), device, wanted))
        if isinstance(found, Refusal):
            raise found.error()
        return found  # type: ignore[no-any-return]


def resource_of(device: str) -> str:
    """Name of the custom resource; "" for an emulator, of which there are as many as one likes."""
    from edgekit.harness.lab import load_lab

    if not device or load_lab().device(device)[0].kind == "emulator":
        return ""
    return f"device_{device}"


def _bench(root: str, folder: str, device: str, wanted: dict[str, Any]) -> Report | Refusal:
    from edgekit.harness.api import bench_one

    try:
        os.chdir(root)
        return bench_one(Path(folder), device, **wanted)
    except EdgekitError as error:
        return Refusal.of(error)

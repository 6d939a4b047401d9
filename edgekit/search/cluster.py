"""A Ray cluster: connected to, or started on this machine for the time of a search."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from typing import Any

from edgekit.errors import UsageError

LOCAL = "local"
_STORE_BYTES = 80 << 20  # recipes and outcomes are small, and Ray would take a third of the memory
_QUIET = {
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",  # the first error is told by us
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # Ray warns of its next release without it
}


def alive(ray: Any) -> list[dict[str, float]]:
    """Resources of each machine that is alive, all of them, free or not."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


@contextlib.contextmanager
def connected(address: str, device: str = "") -> Iterator[Any]:
    """Ray, connected; what is there already is used and left.

    Args:
        address: `local`, `auto` or `HOST:PORT`; see `OnRay`.
        device: Custom resource of a cluster that is started here; "": none.

    Raises:
        UsageError: There is no cluster at the address.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is told to anybody
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():
        yield ray
        return
    if address == LOCAL:  # Ray's 15 would slow benches on this machine
        os.environ.setdefault("RAY_worker_niceness", "0")
    own: dict[str, Any] = {"object_store_memory": _STORE_BYTES, "include_dashboard": False}
    own |= {"resources": {device: 1}} if device else {}
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            **(own if address == LOCAL else {}),
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"no Ray cluster at {address}: {error}",
            "ray start --head on one machine, ray start --address=HOST:6379 on the others",
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()

"""Executors by name: `sequential`, or `ray[:ADDRESS]`."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from edgekit._discover import did_you_mean
from edgekit.errors import MissingExtra, UsageError
from edgekit.search.executor import Executor, Sequential

if TYPE_CHECKING:
    from edgekit.search.evaluate import Evaluate

SEQUENTIAL, RAY = "sequential", "ray"
OPTIONS = {
    "cpus": "processors that a trial takes; default: 1",
    "memory": "that it takes, K is 1,024 bytes: 2G",
    "batch": "trials drawn together, so that a seed gives the same ones; default: as there is room",
    "retries": "how often a trial is begun again whose machine is lost; default: 3",
}
"""Options of `ray`."""
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def make_executor(
    name: str = SEQUENTIAL, options: Mapping[str, str] | None = None
) -> Callable[[Evaluate], Executor]:
    """What makes the executor of a search from what evaluates its trials.

    Args:
        name: `sequential`: one trial after another, here; `ray`: on all processors of this
            machine; `ray:auto` and `ray:HOST:PORT`: on the cluster that this machine belongs to.
        options: See `OPTIONS`.

    Raises:
        UsageError: No such executor or option, or a value that it cannot have.
        MissingExtra: Ray is not installed.
    """
    kind, _, address = name.partition(":")
    if kind not in (SEQUENTIAL, RAY) or (kind == SEQUENTIAL and address):
        raise UsageError(f"no executor '{name}'", did_you_mean(kind, (SEQUENTIAL, RAY)))
    options = dict(options or {})
    known = OPTIONS if kind == RAY else {}
    for key in options:
        if key not in known:
            hint = did_you_mean(key, known) if known else "--executor ray has some"
            raise UsageError(f"executor {kind} takes no option '{key}'", hint)
    if kind == SEQUENTIAL:
        return Sequential
    if importlib.util.find_spec("ray") is None:
        raise MissingExtra.of("Ray", "ray")
    given = {key: _number(key, text) for key, text in options.items()}
    return lambda evaluate: _on_ray(evaluate, address or "local", given)


def _on_ray(evaluate: Evaluate, address: str, given: Mapping[str, int]) -> Executor:
    from edgekit.search.bench_on_ray import resource_of
    from edgekit.search.on_ray import OnRay

    resource = resource_of(evaluate.device)
    return OnRay(
        evaluate, address, device=resource, progress=evaluate.progress, root=evaluate.root, **given
    )


def _number(key: str, text: str) -> int:
    """A whole number above 0; of retries from 0; of memory with K, M or G."""
    unit = _UNITS.get(text[-1:].upper(), 0) if key == "memory" else 0
    digits = text[:-1] if unit else text
    value = int(digits) * (unit or 1) if digits.isascii() and digits.isdigit() else -1
    if value < (0 if key in ("retries", "batch") else 1):
        raise UsageError(f"executor ray: {key} = {text!r} cannot be", f"{key}: {OPTIONS[key]}")
    return value

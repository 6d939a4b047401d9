"""Trials on the machines of a Ray cluster: one task each; a machine that is lost loses no trial.

Ray is told what a trial takes and finds the place; what is drawn when is `batching`'s. Whoever
draws keeps the study's file alone: machines get recipes and give outcomes. Builds and recipes are
written into the project's folder, which has to be at the same path on every machine.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgekit.errors import EdgekitError, UsageError
from edgekit.progress import Progress
from edgekit.search.batching import Batching, slots
from edgekit.search.bench_on_ray import benchers
from edgekit.search.cluster import LOCAL, alive, connected
from edgekit.search.executor import Outcome, Recipe
from edgekit.search.refusal import Refusal

POLL_S = 1.0
"""How long an outcome is waited for before the machines are counted again."""
GONE_S = 300.0
"""How long trials wait for a machine, where none that could run one is left."""
_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


@dataclass
class _Begun:
    recipe: Recipe
    losses: int = 0
    since: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class OnRay:
    """An `Executor` on a Ray cluster.

    Attributes:
        evaluate: Runs one trial; it is pickled. With a `device` it is a dataclass with a field
            `measure`, which `BenchOnRay` is put into.
        address: `local`: a cluster of this machine alone, for the time of the search; `auto` or
            `HOST:PORT`: the one that this machine belongs to.
        cpus: Processors that a trial takes.
        memory: Bytes that it takes.
        device: Custom resource that the device has which trials are measured on; "": none.
        batch: See `Batching`.
        retries: How often a trial is begun again whose worker or machine was lost.
        root: Folder that trials run in.
        progress: Told what is lost.
    """

    evaluate: Callable[[Recipe], Outcome]
    address: str = LOCAL
    cpus: int = 1
    memory: int = 2 << 30
    device: str = ""
    batch: int = 0
    retries: int = 3
    root: Path = field(default_factory=Path.cwd)
    progress: Progress = field(default_factory=Progress)

    @property
    def needs(self) -> dict[str, float]:
        """Of a trial, by the names that Ray has."""
        return {"CPU": self.cpus, "memory": self.memory}

    def run(self, trials: Iterable[Recipe]) -> Iterator[Outcome]:
        """The outcome of each recipe, as they end or batch by batch.

        Raises:
            UsageError: There is no such cluster, or it cannot run a single trial.
            EdgekitError: What `evaluate` raised.
        """
        with connected(self.address, self.device) as ray:
            self._check(ray)
            evaluate: Any = self.evaluate
            if self.device:
                actors = benchers(ray, self.device, slots(alive(ray), {self.device: 1}))
                evaluate = replace(evaluate, measure=actors)
            yield from _Run(self, ray, evaluate, iter(trials)).outcomes()

    def _check(self, ray: Any) -> None:
        machines = alive(ray)
        if not slots(machines, self.needs):
            gb = self.memory / (1 << 30)
            raise UsageError(
                f"no machine of the cluster has {self.cpus} processors and {gb:.3g} GB for a trial",
                "--executor-option cpus=1 or memory=1G takes less",
            )
        if self.device and not slots(machines, {self.device: 1}):
            told = f"""ray start --resources='{{"{self.device}": 1}}'"""
            raise UsageError(
                f"no machine of the cluster has the device {self.device.partition('_')[2]}",
                f"start the one that reaches it with: {told}",
            )


class _Run:
    """One run of an executor: what is begun, what has ended and is not told yet."""

    def __init__(self, on: OnRay, ray: Any, evaluate: Any, drawn: Iterator[Recipe]) -> None:
        self._on, self._ray, self._drawn = on, ray, drawn
        self._policy = Batching(on.batch)
        self._task = ray.remote(_trial).options(
            num_cpus=on.cpus, memory=on.memory, max_retries=0, name="edgekit trial"
        )
        self._evaluate = ray.put(evaluate)
        self._running: dict[Any, _Begun] = {}
        self._ended: dict[int, Outcome] = {}
        self._more = True
        self._seen = time.monotonic()

    def outcomes(self) -> Iterator[Outcome]:
        """All of them."""
        while self._more or self._running:
            room = slots(alive(self._ray), self._on.needs)
            self._draw(self._policy.room(room, len(self._running)))
            if room:
                self._seen = time.monotonic()
            elif time.monotonic() - self._seen > GONE_S:
                self._give_up()
            self._collect()
            yield from self._policy.due(self._ended, len(self._running))

    def _draw(self, count: int) -> None:
        for _ in range(count if self._more else 0):
            recipe = next(self._drawn, None)
            if recipe is None:
                self._more = False
                return
            self._begin(_Begun(recipe))

    def _begin(self, begun: _Begun) -> None:
        sent = self._task.remote(self._evaluate, begun.recipe, str(self._on.root), self._on.cpus)
        self._running[sent] = begun

    def _collect(self) -> None:
        if not self._running:
            return
        ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=POLL_S)
        for sent in ready:
            begun = self._running.pop(sent)
            outcome = self._outcome(sent, begun)
            if outcome is not None:
                self._ended[outcome.number] = outcome

    def _outcome(self, sent: Any, begun: _Begun) -> Outcome | None:
        """None where the trial was begun again."""
        try:
            found = self._ray.get(sent)
        except self._ray.exceptions.RayTaskError as error:
            return self._fault(begun, error.cause)
        except self._ray.exceptions.RayError as error:
            return self._lost(begun, type(error).__name__)
        if isinstance(found, Refusal):
            raise found.error()
        return found  # type: ignore[no-any-return]

    def _fault(self, begun: _Begun, cause: Exception) -> Outcome:
        """What no trial should do.

        Raises:
            UsageError: The machine has not the Python packages that a trial is made of.
        """
        if isinstance(cause, self._ray.exceptions.RaySystemError):
            why = str(cause).strip().splitlines()[-1]
            raise UsageError(
                f"a machine of the cluster cannot load a trial: {why}",
                "install the same edgekit, and what your own functions import, on every machine",
            )
        return _failed(begun, f"internal error: {type(cause).__name__}: {cause}")

    def _lost(self, begun: _Begun, how: str) -> Outcome | None:
        begun.losses += 1
        where = f"trial {begun.recipe.number}: its worker was lost ({how})"
        if begun.losses > self._on.retries:
            return _failed(begun, f"{where}, {begun.losses} times")
        self._on.progress.note(f"{where}, begun again")
        self._begin(begun)
        return None

    def _give_up(self) -> None:
        """No machine has come back: what is begun is told as failed, and nothing more is drawn."""
        self._more = False
        for sent, begun in self._running.items():
            self._ray.cancel(sent, force=True)
            self._ended[begun.recipe.number] = _failed(begun, "no machine is left to run it")
        self._running.clear()


def _failed(begun: _Begun, reason: str) -> Outcome:
    seconds = round(time.monotonic() - begun.since, 3)
    return Outcome(begun.recipe.number, "failed", reason=" ".join(reason.split()), seconds=seconds)


def _trial(
    evaluate: Callable[[Recipe], Outcome], recipe: Recipe, root: str, cpus: int
) -> Outcome | Refusal:
    """One trial, on whichever machine it is."""
    for name in _THREADS:
        os.environ.setdefault(name, str(cpus))
    try:
        os.chdir(root)
    except OSError as error:
        where = f"{root} is not on {socket.gethostname()}: {error.strerror}"
        hint = "share the project's folder with every machine of the cluster, at the same path"
        return Refusal("UsageError", where, hint)
    try:
        return evaluate(recipe)
    except EdgekitError as error:
        return Refusal.of(error)

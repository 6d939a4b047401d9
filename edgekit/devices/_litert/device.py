"""What the drivers of all LiteRT devices have in common; a driver says where the worker runs.

A driver is a `LiteRtDevice` with a title, a kind, its options and `_connect`, which returns a
`Place`. Each window and each run of golden vectors is a worker process of its own.
"""

from __future__ import annotations

import abc
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from edgekit.devices._litert.clock import between, read_clock
from edgekit.devices._litert.place import Place
from edgekit.devices._litert.session import START_S, Session
from edgekit.devices._litert.window import to_window, with_states
from edgekit.devices.base import NO_GOLDEN, Device, Golden, Job, Request, Window
from edgekit.equipment import Option
from edgekit.errors import DeviceError, ModelError, UsageError

OPTIONS: Mapping[str, Option] = {
    "threads": Option("of the interpreter; default 1", "whole"),
    "kernels": Option("default (XNNPACK), plain (LiteRT's own) or reference"),
    "delegate": Option("path of an external delegate's library, there"),
}
REFERENCE = "reference"
KERNELS = ("default", "plain", REFERENCE)
GOLDEN_S, LATE_S = 300.0, 10.0
"""Seconds for all golden vectors; and that a window may end late."""


class LiteRtDevice(Device):
    """LiteRT's interpreter in a worker process.

    Attributes:
        golden_kernels: That run the golden vectors besides those that are timed.
    """

    figures = frozenset({"latency"})
    options: ClassVar[Mapping[str, Option]] = OPTIONS
    golden_kernels: ClassVar[tuple[str, ...]] = (REFERENCE,)

    def __init__(self) -> None:
        super().__init__()
        self._there: Place | None = None
        self._model = ""
        self._ready: Mapping[str, Any] = {}
        self._kept: Session | None = None

    @abc.abstractmethod
    def _connect(self, job: Job) -> Place:
        """Where the worker is to run; not open yet."""

    def _deploy(self, job: Job) -> None:
        _check_options(job.options)
        artifact = tflite_of(job)
        self._close()
        self._there = self._connect(job)
        self._there.packages = packages_of(job)
        self._there.open()
        _refuse_ops(job, job.folder / artifact["path"], self._there.runtime)
        self._model = self._there.put(job.folder / artifact["path"])

    def _check(self) -> Golden:
        from edgekit.devices._litert.golden import compare, load_vectors

        vectors, kernels = load_vectors(self.job.folder, self.job.manifest), self._kernels()
        if vectors is None:
            with self._session(kernels, START_S):
                return Golden(0, 0, 0, codes=(NO_GOLDEN,))
        with tempfile.NamedTemporaryFile(prefix="edgekit-") as file:
            file.write(vectors.raw())
            file.flush()
            source = self._place.put(Path(file.name))
        found = {
            each: compare(vectors, self._outputs(each, source, len(vectors)), each == REFERENCE)
            for each in dict.fromkeys((*self.golden_kernels, kernels))
        }
        known = [limit for limit in vectors.tolerance if limit is not None]
        return Golden(
            vectors=len(vectors),
            compared=sum(each.compared for each in found.values()),
            mismatched=sum(each.mismatched for each in found.values()),
            detail=next(
                (f"{each.detail} ({name} kernels)" for name, each in found.items() if each.detail),
                "",
            ),
            tolerance=0.0 if kernels == REFERENCE else max(known, default=0.0),
        )

    def _outputs(self, kernels: str, source: str, count: int) -> bytes:
        target = self._place.scratch("golden_outputs")
        with self._session(kernels, GOLDEN_S) as session:
            session.ask(f"golden {source} {target} {count}", "golden", GOLDEN_S)
        return self._place.take(target)

    def _run(self, request: Request) -> Window:
        if self._kept is not None:
            return self._timed(self._kept, replace(request, warmup_seconds=0.0))
        session = self._session(self._kernels(), request.most_seconds + request.keep_s + LATE_S)
        if request.keep_s:
            self._kept = session
            return self._timed(session, request)
        with session:
            return self._timed(session, request)

    def _timed(self, session: Session, request: Request) -> Window:
        """A window of a worker that is ready."""
        most = request.most_seconds
        words = f"{request.seconds} {request.warmup_seconds} {request.inferences} {most}"
        samples: list[float] = []
        before, first = session.ask("state", "state"), read_clock(session)
        said: Mapping[str, Any] = {}
        for said in session.stream(f"run {words}", "window", most + LATE_S):
            if said["event"] == "samples":
                samples += (told := [ns / 1e6 for ns in said["ns"]])
                request.samples(told)
        clock, after = between(first, read_clock(session)), session.ask("state", "state")
        window = to_window(said, samples, clock, session.ready.get("init_ns"))
        return with_states(window, before, after)

    def _session(self, kernels: str, seconds: float) -> Session:
        """A worker with the model in it; the model must be the build's."""
        given = self.job.options
        words = ["--model", self._model, "--threads", str(given.get("threads", 1))]
        words += ["--kernels", kernels]
        if given.get("delegate") and kernels != REFERENCE:
            words += ["--delegate", given["delegate"]]
        session = Session(self._place, words, START_S + seconds + LATE_S)
        self._ready = session.ready
        if self._ready.get("model_sha256") != tflite_of(self.job)["sha256"]:
            session.close()
            raise DeviceError(
                f"{self._place.name}: the model there is not that of the build",
                "run it again; if it stays so, see whether something else writes its files",
            )
        return session

    def _environment(self) -> Mapping[str, Any]:
        told = {key: self._ready.get(key) for key in ("runtime", "worker", "machine", "system")}
        given = self.job.options
        return {
            **told,
            "threads": given.get("threads", 1),
            "kernels": self._kernels(),
            "delegate": given.get("delegate"),
            **self._place.facts(),
        }

    def _reach(self) -> None:
        self._there = self._connect(self.job)
        self._there.open()

    def _close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        if self._there is not None:
            self._there.close()
            self._there = None

    def _kernels(self) -> str:
        return str(self.job.options.get("kernels", KERNELS[0]))

    @property
    def _place(self) -> Place:
        if self._there is None:
            raise DeviceError("nothing is on the device", "deploy a build first")
        return self._there


def tflite_of(job: Job) -> Mapping[str, Any]:
    """The manifest's entry of the flatbuffer.

    Raises:
        ModelError: The build has none.
    """
    for artifact in job.manifest.get("artifacts", ()):
        if artifact.get("kind") == "tflite":
            found: Mapping[str, Any] = artifact
            return found
    raise ModelError(f"{job.folder} has no .tflite", "build it with --export tflite")


def packages_of(job: Job) -> str:
    """Packages that a device of the build's target needs."""
    from edgekit.target.profile import load_profile

    try:
        profile = load_profile(job.manifest["target"])
    except UsageError:  # a target of another machine
        return Place.packages
    runtime = profile.runtime
    return runtime.package if profile.family == "linux" else Place.packages


def _refuse_ops(job: Job, model: Path, runtime: str) -> None:
    """Refuse a model with ops, or versions of ops, that the runtime there does not have."""
    from edgekit.target.deployable import refuse_model

    if runtime:
        refuse_model(model.read_bytes(), job.manifest["target"], runtime)


def _check_options(given: Mapping[str, Any]) -> None:
    if given.get("threads", 1) < 1:
        raise UsageError(f"threads = {given['threads']} is no count", "give 1 or more")
    if (kernels := given.get("kernels", KERNELS[0])) not in KERNELS:
        raise UsageError(f"there are no kernels '{kernels}'", f"known: {', '.join(KERNELS)}")
    if kernels == REFERENCE and given.get("delegate"):
        raise UsageError("reference kernels and a delegate exclude each other", "give one of them")

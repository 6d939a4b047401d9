"""Android devices over adb: a native worker with LiteRT's C interface, or benchmark_model.

    [devices.phone]
    driver = "adb"
    runtime = "litert-2.3.0.aar"    # com.google.ai.edge.litert:litert of Google's Maven repository

The worker is compiled by the NDK that ANDROID_NDK_HOME names. By hand that is, in edgekit's folder
devices/_adb/native: clang --target=aarch64-linux-android24 -O2 -o worker *.c -ldl
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from edgekit.devices._adb.attached import choose
from edgekit.devices._adb.client import LISTING_S, Adb
from edgekit.devices._adb.compile import abi_of, worker_for
from edgekit.devices._adb.health import Health, refuse_hot
from edgekit.devices._adb.place import Phone
from edgekit.devices._adb.runtime import HINT, runtime_for
from edgekit.devices._adb.tool import Tool
from edgekit.devices._litert.device import OPTIONS, REFERENCE, LiteRtDevice
from edgekit.devices._litert.place import Place
from edgekit.devices._litert.session import Session
from edgekit.devices.base import NO_GOLDEN, Golden, Job, Request, Window
from edgekit.equipment import Needs, Option
from edgekit.errors import EdgekitError, MissingExtra, UsageError

ACCELERATORS = ("gpu", "npu")


class Driver(LiteRtDevice):
    """One phone or tablet."""

    title = "Android device over adb: LiteRT there, or benchmark_model"
    kind = "android"
    options: ClassVar[Mapping[str, Option]] = {
        "serial": Option("of the device, where several are attached; or host:port"),
        "runtime": Option("path of LiteRT's AAR, or of its libLiteRt.so for the device"),
        "threads": OPTIONS["threads"],
        "kernels": Option("default (XNNPACK) or plain (LiteRT's own)"),
        "delegate": Option("gpu or npu: LiteRT's accelerator that runs all of the model"),
        "ndk": Option("path of the Android NDK; default $ANDROID_NDK_HOME"),
        "worker": Option("path of a worker that was compiled before"),
        "benchmark_model": Option("path of that tool, here or there, to be used instead"),
        "allow_hot": Option("measure although the device is hot", "switch"),
        "adb": Option("path of the adb program"),
    }
    needs = Needs(tools=("adb",))
    golden_kernels = ()

    def __init__(self) -> None:
        super().__init__()
        self._tool: Tool | None = None
        self._folder = ""
        self._token = os.urandom(4).hex()
        self._seen = False

    @classmethod
    def plugged_in(cls) -> list[str]:
        """Devices that adb sees."""
        try:
            return [str(each) for each in Adb("adb").devices(LISTING_S)]
        except EdgekitError:
            return []

    def identity(self) -> str:
        """The device."""
        serial = self.job.options.get("serial")
        return f"adb {serial or choose(self._adb(self.job).devices(), None).serial}"

    def _connect(self, job: Job) -> Place:
        return Phone(self._adb(job), self._token, known=self._seen or self.reconnected > 0)

    def _adb(self, job: Job) -> Adb:
        return Adb(job.options.get("adb", "adb"), job.options.get("serial", ""))

    def _deploy(self, job: Job) -> None:
        if job.options.get("kernels") == REFERENCE:
            raise UsageError("libLiteRt.so has no reference kernels", "default or plain")
        if (delegate := job.options.get("delegate")) not in (None, *ACCELERATORS):
            raise UsageError(f"LiteRT has no accelerator '{delegate}'", " or ".join(ACCELERATORS))
        super()._deploy(job)
        health = self._health()
        if not self._seen:  # a device that the bench itself has warmed is measured to the end
            refuse_hot(self._phone.name, health, bool(job.options.get("allow_hot")))
            self._seen = True
        if job.options.get("benchmark_model"):
            self._tool = Tool(self._phone, job.options, self._model)
        else:
            self._put_worker(job)

    def _put_worker(self, job: Job) -> None:
        phone, given = self._phone, job.options
        self._folder = self._folder or tempfile.mkdtemp(prefix="edgekit-")
        abi = abi_of(phone.machine, phone.properties)
        phone.library = phone.put(runtime_for(abi, given, Path(self._folder)))
        worker = phone.put(worker_for(abi, given, Path(self._folder)))
        phone.worker = (worker, "--runtime", phone.library)

    def _check(self) -> Golden:
        if self._tool:
            return Golden(0, 0, 0, codes=(NO_GOLDEN,))
        golden = super()._check()
        # outputs of which the build says nothing are compared with reference kernels alone
        nothing = not golden.compared and not golden.detail
        return replace(golden, codes=(NO_GOLDEN,)) if nothing else golden

    def _run(self, request: Request) -> Window:
        before = self._health()
        window = self._tool.run(request) if self._tool else super()._run(request)
        after = self._health()
        hot = ("hot",) if before.hot or after.hot else ()
        return replace(
            window,
            before=before.added(window.before),
            after=after.added(window.after),
            codes=(*window.codes, *hot),
        )

    def _environment(self) -> Mapping[str, Any]:
        if self._tool is None:
            return super()._environment()
        told = {"runtime": "benchmark_model", "worker": None, "memory_mb": self._tool.memory_mb}
        return {**super()._environment(), **told}

    def _close(self) -> None:
        super()._close()
        self._tool = None
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = ""

    @property
    def _phone(self) -> Phone:
        assert isinstance(self._place, Phone)
        return self._place

    def _health(self) -> Health:
        return Health(self._phone.thermal(), self._phone.charging())

    def _session(self, kernels: str, seconds: float) -> Session:
        try:
            return super()._session(kernels, seconds)
        except MissingExtra as error:  # the hint there is for boards with Python
            raise MissingExtra(error.message, HINT) from error

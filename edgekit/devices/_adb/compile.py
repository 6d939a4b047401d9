"""The native worker for a device: compiled by the user's NDK, or as it was given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgekit._run import ToolError, run
from edgekit.errors import MissingExtra, TargetError, UsageError

SOURCES = Path(__file__).parent / "native"
NDK = "ANDROID_NDK_HOME"
TRIPLES = {
    "arm64-v8a": "aarch64-linux-android24",
    "armeabi-v7a": "armv7a-linux-androideabi24",
    "x86_64": "x86_64-linux-android24",
}
"""Of clang, by ABI, for Android 7 and newer, as LiteRT is."""
MACHINES = {
    "aarch64": "arm64-v8a",
    "armv7l": "armeabi-v7a",
    "armv8l": "armeabi-v7a",
    "x86_64": "x86_64",
}
HINT = f"set {NDK}, or ndk = its folder, or worker = a worker that was built before"


def abi_of(machine: str, properties: Mapping[str, str]) -> str:
    """The ABI of a device.

    Raises:
        TargetError: The worker is not for it.
    """
    abi = properties.get("ro.product.cpu.abi") or MACHINES.get(machine, machine)
    if abi not in TRIPLES:
        raise TargetError(
            f"edgekit has no worker for {abi}", f"it has one for {', '.join(TRIPLES)}"
        )
    return abi


def worker_for(abi: str, given: Mapping[str, Any], folder: Path) -> Path:
    """The worker of option `worker`, else one that is compiled into `folder`.

    Raises:
        MissingExtra: There is neither a worker nor an NDK.
        UsageError: What was given is not there, or no NDK.
    """
    if worker := given.get("worker"):
        return existing(worker, "worker")
    ndk = given.get("ndk") or os.environ.get(NDK)
    if not ndk:
        raise MissingExtra("no Android NDK to compile the worker with", HINT)
    pattern = "toolchains/llvm/prebuilt/*/bin/clang"
    compilers = sorted(Path(ndk).expanduser().glob(pattern))
    if not compilers:
        raise UsageError(f"{ndk} is no Android NDK: it has no {pattern}", HINT)
    return compile_worker([str(compilers[0]), f"--target={TRIPLES[abi]}"], folder)


def compile_worker(compiler: list[str], folder: Path) -> Path:
    """What `COMPILER -O2 -o worker *.c -ldl` makes of `_adb/native`, in `folder`.

    Raises:
        UsageError: The compiler does not take it.
    """
    target = folder / "worker"
    sources = sorted(str(path) for path in SOURCES.glob("*.c"))
    try:
        run([*compiler, "-O2", "-o", str(target), *sources, "-ldl"])
    except ToolError as error:
        raise UsageError(f"the worker cannot be compiled: {error.message}", HINT) from error
    return target


def existing(path: str, option: str) -> Path:
    """The file that an option names.

    Raises:
        UsageError: There is none.
    """
    found = Path(path).expanduser()
    if not found.is_file():
        raise UsageError(f"{option} = {path!r} is no file", f"give {option} the path of one")
    return found

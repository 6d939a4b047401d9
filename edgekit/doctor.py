"""What this installation has and lacks: packages against their ranges, imports, extras, tools.

Everything is read from the installed metadata; TensorFlow is never imported. The few packages
with compiled code that break quietly are imported in a child process.
"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any, Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from edgekit._run import ToolError, run
from edgekit.errors import DISTRIBUTION
from edgekit.tools import TOOLS, Tool, install_hint, version_of

State = Literal["ok", "missing", "wrong version", "broken", "not for this platform"]

# Imports of small packages whose wheels can be installed and yet not load.
PROBES = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
    "tflite-micro": "tflite_micro.python.tflite_micro.runtime",
}

# Distributions that overwrite files of this one or of its dependencies, and why.
CONFLICTS = {
    "edgekit": "another project's package of the same import name",
    "tensorflow-cpu": "shares its folder with tensorflow",
}


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        name: Of the distribution, tool or extra.
        state: `ok`, or what is wrong with it.
        version: As installed, None where it is not.
        wanted: The range for a package, the purpose for a tool.
        hint: What to do; empty when there is nothing to do.
    """

    name: str
    state: State
    version: str | None
    wanted: str
    hint: str


@dataclass(frozen=True)
class Diagnosis:
    """Everything `edgekit doctor` knows; `packages` and `conflicts` decide on `ok`."""

    platform: dict[str, str]
    packages: tuple[Finding, ...]
    conflicts: tuple[Finding, ...]
    extras: tuple[Finding, ...]
    tools: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether the default install is whole; extras and tools may be missing."""
        return not self.broken

    @property
    def broken(self) -> tuple[Finding, ...]:
        """What the default install needs and does not have."""
        fine = ("ok", "not for this platform")
        return tuple(f for f in (*self.packages, *self.conflicts) if f.state not in fine)

    def to_json(self) -> dict[str, Any]:
        """As the command prints it."""
        return {"ok": self.ok, **asdict(self)}


def diagnose() -> Diagnosis:
    """Look at this interpreter's packages and at the tools on PATH; takes about a second."""
    try:
        own = metadata.metadata(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        lacking = Finding(DISTRIBUTION, "missing", None, "", f"pip install '{DISTRIBUTION}'")
        return Diagnosis(_platform(), (lacking,), check_conflicts(), (), check_tools())
    wanted = [Requirement(text) for text in own.get_all("Requires-Dist") or []]
    packages = (_python(own["Requires-Python"] or ""), *check_packages(wanted))
    extras = check_extras(own.get_all("Provides-Extra") or [], wanted)
    return Diagnosis(_platform(), packages, check_conflicts(), extras, check_tools())


def installed_version(name: str) -> str | None:
    """Version of an installed distribution, None where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def check_packages(
    wanted: Iterable[Requirement], version_of: Callable[[str], str | None] = installed_version
) -> tuple[Finding, ...]:
    """The requirements of the default install against what is installed, import probes included."""
    default = [need for need in wanted if "extra" not in str(need.marker or "")]
    return tuple(_check_package(need, version_of(need.name)) for need in default)


def check_extras(
    extras: Iterable[str],
    wanted: Sequence[Requirement],
    version_of: Callable[[str], str | None] = installed_version,
) -> tuple[Finding, ...]:
    """Which extras are complete; the hint installs the ones that are not."""
    return tuple(_check_extra(extra, wanted, version_of) for extra in extras)


def check_conflicts(
    version_of: Callable[[str], str | None] = installed_version,
) -> tuple[Finding, ...]:
    """Distributions that must not be installed next to this one."""
    found = ((name, version_of(name), why) for name, why in CONFLICTS.items())
    repair = f"then: pip install --force-reinstall --no-deps '{DISTRIBUTION}' tensorflow"
    return tuple(
        Finding(name, "broken", version, why, f"pip uninstall {name}; {repair}")
        for name, version, why in found
        if version is not None
    )


def check_tools(tools: Iterable[Tool] = TOOLS) -> tuple[Finding, ...]:
    """The programs on PATH with their versions; the hint installs the ones that are not."""
    return tuple(_check_tool(tool) for tool in tools)


def _platform() -> dict[str, str]:
    return {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "executable": sys.executable,
    }


def _python(wanted: str) -> Finding:
    version = platform.python_version()
    right = SpecifierSet(wanted).contains(version, prereleases=True)
    hint = "" if right else f"make the virtual environment with a Python {wanted}"
    return Finding("python", "ok" if right else "wrong version", version, wanted, hint)


def _check_package(need: Requirement, version: str | None) -> Finding:
    state: State = "ok"
    hint = ""
    if need.marker is not None and not need.marker.evaluate():
        state = "not for this platform"
    elif version is None or not need.specifier.contains(version, prereleases=True):
        state = "missing" if version is None else "wrong version"
        hint = f"pip install '{DISTRIBUTION}'" if version is None else _reinstall(need)
    elif need.name in PROBES and (why := _probe(PROBES[need.name])):
        state, hint = "broken", f"{why}; {_reinstall(need)}"
    return Finding(need.name, state, version, str(need.specifier), hint)


def _reinstall(need: Requirement) -> str:
    return f"pip install --force-reinstall '{DISTRIBUTION}' '{need.name}{need.specifier}'"


def _probe(module: str) -> str | None:
    try:
        run([sys.executable, "-c", f"import {module}"])
    except ToolError as error:
        return (error.stderr.strip().splitlines() or [error.message])[-1]
    return None


def _check_extra(
    extra: str, wanted: Sequence[Requirement], version_of: Callable[[str], str | None]
) -> Finding:
    needs = [n for n in wanted if n.marker and _only_with(n, extra)]
    lacking = [n.name for n in needs if not _satisfied(n, version_of(n.name))]
    names = ", ".join(n.name for n in needs)
    if not lacking:
        return Finding(extra, "ok", None, names, "")
    return Finding(extra, "missing", None, names, f"pip install '{DISTRIBUTION}[{extra}]'")


def _only_with(need: Requirement, extra: str) -> bool:
    marker = need.marker
    return bool(marker and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""}))


def _satisfied(need: Requirement, version: str | None) -> bool:
    return version is not None and need.specifier.contains(version, prereleases=True)


def _check_tool(tool: Tool) -> Finding:
    path = shutil.which(tool.name)
    if path is None:
        return Finding(tool.name, "missing", None, tool.purpose, install_hint(tool))
    try:
        version = version_of(tool, path)
    except ToolError as error:
        return Finding(tool.name, "broken", None, tool.purpose, error.message)
    return Finding(tool.name, "ok", version, tool.purpose, "")

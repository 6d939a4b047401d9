"""The programs that some step calls, and the packages that bring them."""

from __future__ import annotations

import platform
import re
import shutil
from collections.abc import Collection
from dataclasses import dataclass

from edgekit._run import ToolError, run


@dataclass(frozen=True)
class Tool:
    """A program that some step calls: what for, and the packages that bring it."""

    name: str
    purpose: str
    apt: str
    brew: str
    version_option: str = "--version"


TOOLS = (
    Tool("gcc", "compile the C array and the host C code", "gcc libc6-dev", "gcc"),
    Tool(
        "arm-none-eabi-gcc",
        "compile for Cortex-M",
        "gcc-arm-none-eabi libnewlib-arm-none-eabi",
        "--cask gcc-arm-embedded",
    ),
    Tool("qemu-system-arm", "run Cortex-M programs without a board", "qemu-system-arm", "qemu"),
    Tool("ssh", "measure on Linux boards", "openssh-client", "openssh", "-V"),
    Tool("adb", "measure on Android devices", "adb", "--cask android-platform-tools"),
    Tool("javac", "compile for Android", "default-jdk-headless", "openjdk", "-version"),
    Tool("node", "run what is built for the web", "nodejs", "node"),
)


def install_hint(tool: Tool) -> str:
    """The command that installs a tool on this system."""
    if platform.system() == "Darwin":
        return f"brew install {tool.brew}"
    return f"sudo apt-get install {tool.apt}"


def version_of(tool: Tool, path: str) -> str | None:
    """The version that the program at `path` prints; None where it prints none.

    Raises:
        ToolError: It does not start, or fails.
    """
    said = run([path, tool.version_option], timeout=20)
    version = re.search(r"\d+(\.\d+)+", said.stdout or said.stderr)
    return version.group() if version else None


def versions_of(names: Collection[str]) -> dict[str, str | None]:
    """Versions of the tools of these names, None where one is not there or does not say."""
    found: dict[str, str | None] = {}
    for tool in TOOLS:
        path = shutil.which(tool.name)
        if tool.name in names:
            try:
                found[tool.name] = version_of(tool, path) if path else None
            except ToolError:
                found[tool.name] = None
    return found

"""The programs that some step calls, and the packages that bring them."""

from __future__ import annotations

from dataclasses import dataclass


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

"""Cortex-M cores in unicorn: the counts of the driver `qemu` where only pip can install.

Toolchain: the Arm GNU one where it is on PATH, else Clang of the package `ziglang`, whose code has
other counts and sizes. The extra `emulator` brings all of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import ClassVar

from edgekit.devices._cortex_m.driver import EmulatedCortexM
from edgekit.devices._cortex_m.emulator import Kit
from edgekit.devices._cortex_m.gcc import COMPILER, Gcc
from edgekit.devices._cortex_m.unicorn_engine import MODELS, Unicorn
from edgekit.devices._cortex_m.zig import EXTRA, Zig
from edgekit.equipment import Needs, Option


class Driver(EmulatedCortexM):
    """Everything from the package index; no Cortex-M55."""

    title = "Cortex-M emulated by unicorn, all of it from pip: the same counts"
    options: ClassVar[Mapping[str, Option]] = {
        "core": Option(f"core to emulate, if not the build's own: {', '.join(MODELS)}"),
        "inferences": Option("golden vectors to run, if not all of the build's", "whole"),
    }
    needs = Needs(modules=("unicorn", "capstone", "ziglang"), extra=EXTRA)

    @classmethod
    def kit(cls) -> Kit:
        """Toolchain and emulator."""
        return Kit(Gcc() if shutil.which(COMPILER) else Zig(), Unicorn())

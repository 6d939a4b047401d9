"""Golden vectors for `edgekit bench`: a device that computes something else gets no figures.

What has none (random or custom ops, ops without a reference kernel, sizes that are not fixed) gets
no file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgekit.exporters.base import ExportInput
from edgekit.golden.litert import PATH


class Exporter:
    """Writes `golden.npz`."""

    kind = "golden"
    golden = True

    def export(self, build_input: ExportInput, folder: Path) -> list[Path]:
        """Write the arrays that the build has made, if any; numpy stores them without a time."""
        if build_input.golden is None:
            return []
        np.savez(folder / PATH, **build_input.golden.arrays())
        return [folder / PATH]

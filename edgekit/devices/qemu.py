"""Cortex-M cores in QEMU: exact instruction counts, sizes, and estimated cycles.

While kernels are written, `measure` is all that is needed:

    from edgekit.devices.qemu import measure

    found = measure(Path("build/kws-cortex-m4"), manifest["c_project"], core="cortex-m4")
    print(found.mismatched, found.instructions, found.cycles, found.layers)
"""

from __future__ import annotations

from edgekit.devices._cortex_m.measure import LayerCost as LayerCost
from edgekit.devices._cortex_m.measure import Measured as Measured
from edgekit.devices._cortex_m.measure import measure as measure

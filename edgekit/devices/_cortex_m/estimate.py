"""From instructions to cycles: which model holds for which core, and how far it can be trusted.

Emulators count instructions, never cycles. What turns one into the other was fitted on published
latencies whose C is published, too (MLPerf Tiny v1.0, OctoML: microTVM with CMSIS-NN and native, on
two boards; mlcommons/tiny_results_v1.0). Compiled by gcc 12.2 at -O2 (theirs: 10.3), counted and
estimated by this package, against the published milliseconds:

    STM32L4R5ZI, Cortex-M4, 120 MHz   kws     ic      vww     ad
        CMSIS-NN 4.0.0                -1 %    +3 %    -4 %    -7 %
        native                        +5 %    +15 %   +1 %    +2 %
    nRF5340, Cortex-M33, 128 MHz
        CMSIS-NN 4.0.0                +3 %    -1 %    -2 %    -2 %
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgekit.devices._cortex_m import classes
from edgekit.devices._cortex_m.counts import Executed
from edgekit.devices._cortex_m.instructions import Instruction


@dataclass(frozen=True)
class Model:
    """How cycles of a core are estimated.

    Attributes:
        source: Where it is from, for people.
        timing: Cycles by class; None: each instruction takes the same.
        factor: What the sum is multiplied with; None: there is no estimate, and `source` says why.
        board: The target whose measured latencies it was fitted to; empty: to none.
    """

    source: str
    timing: classes.Timing | None
    factor: float | None
    board: str = ""


_TRM = "cycles of the {} TRM by instruction class, no wait states; not compared with a real one"
MODELS: Mapping[str, Model] = {
    "cortex-m0": Model(_TRM.format("Cortex-M0"), classes.M0, 1.0),
    "cortex-m0plus": Model(_TRM.format("Cortex-M0+"), classes.M0PLUS, 1.0),
    "cortex-m3": Model(_TRM.format("Cortex-M3"), classes.M3, 1.0),
    "cortex-m4": Model(
        "cycles of the Cortex-M4 TRM by instruction class x 1.19 for the memory system, fitted on "
        "STM32L4R5ZI to 8 published latencies (three int8 CNNs within 4 %, the worst 15 % off)",
        classes.M4,
        1.19,
        "nucleo-l4r5zi",
    ),
    "cortex-m33": Model(
        "cycles of the Cortex-M4 TRM by instruction class: 4 published latencies on nRF5340 come "
        "out within 3 %",
        classes.M4,
        1.0,
        "nrf5340-dk",
    ),
    "cortex-m7": Model(
        "0.875 cycles an instruction, the middle of 0.85 to 0.9: from the ratio of published "
        "latencies on STM32H7A3 and STM32L4R5; no code was compared with a measurement",
        None,
        0.875,
    ),
    "cortex-m55": Model(
        "uncalibrated: no published measurement of known code on a Cortex-M55 was found",
        None,
        None,
    ),
}


def source(core: str, target: str | None) -> str:
    """How cycles of `core` are estimated, or why not; it says if `target` is another board."""
    model = MODELS[core]
    if not model.board or target == model.board:
        return model.source
    return f"{model.source}; another chip's memory may be faster or slower"


def estimate(
    core: str, code: Mapping[int, Instruction], executed: Mapping[int, Executed]
) -> float | None:
    """Cycles of the instructions `executed` (by address) of `code`; None: there is no model."""
    model = MODELS[core]
    if model.factor is None:
        return None
    return model.factor * _weighted(model.timing, code, executed)


def _weighted(
    timing: classes.Timing | None,
    code: Mapping[int, Instruction],
    executed: Mapping[int, Executed],
) -> int:
    if timing is None:
        return sum(one.count for one in executed.values())
    return sum(classes.cycles(code[pc], one, timing) for pc, one in executed.items())

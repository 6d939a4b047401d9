"""What was counted and what is estimated from it, each figure with its label and its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgekit.devices._cortex_m import estimate
from edgekit.devices._cortex_m.measured import Measured
from edgekit.devices.base import Board


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        value: None where there is none; `source` then says why.
        label: `measured`, `emulated` or `estimated`.
        source: How it was found.
    """

    value: float | None
    label: str
    source: str


def emulated(found: Measured, board: Board | None) -> dict[str, Any]:
    """The part `emulated` of a report.

    Args:
        found: On the emulated core.
        board: The build's target, for clock and energy; None: not known here.
    """
    figures = _figures(found, board)
    return {
        "core": found.core,
        "machine": found.machine,
        **{name: figure.value for name, figure in figures.items()},
        "instructions_by_vector": list(found.totals),
        "instructions_between_layers": found.between,
        "layers": [
            {
                "name": layer.name,
                "op": layer.op,
                "macs": layer.macs,
                "instructions": layer.instructions,
                "cycles_estimated": layer.cycles,
            }
            for layer in found.layers
        ],
        "labels": {
            name: {"label": figure.label, "source": figure.source}
            for name, figure in figures.items()
        },
    }


def _figures(found: Measured, board: Board | None) -> dict[str, Figure]:
    compiler, emulator = found.tools
    link = f"the smallest program around the model, linked by {compiler}"
    cycles = found.cycles
    return {
        "instructions": Figure(
            found.instructions, "emulated", f"exact count by {emulator}, {found.machine}"
        ),
        "flash_bytes": Figure(found.flash_bytes, "measured", f"code, constants and data of {link}"),
        "ram_bytes": Figure(found.ram_bytes, "measured", f"arena, data and bss of {link}"),
        "stack_bytes": Figure(
            found.stack_bytes, "emulated", "deepest use of a painted stack below the caller"
        ),
        "cycles_estimated": Figure(
            cycles, "estimated", estimate.source(found.core, board.name if board else None)
        ),
        "latency_ms_estimated": _latency(found, board),
        "energy_mj_estimated": _energy(found, board),
    }


def _latency(found: Measured, board: Board | None) -> Figure:
    why = _no_board(found, board)
    if board and not why and board.clock_mhz is None:
        why = f"{board.name} is no board: it has no clock of its own"
    if why or found.cycles is None or board is None or board.clock_mhz is None:
        return Figure(None, "estimated", why or "there are no cycles to estimate it from")
    milliseconds = found.cycles / (board.clock_mhz * 1e3)
    return Figure(milliseconds, "estimated", f"estimated cycles at {board.clock_mhz} MHz")


def _energy(found: Measured, board: Board | None) -> Figure:
    why = _no_board(found, board)
    if board and not why and board.pj_per_cycle is None:
        why = board.energy_source
    if why or found.cycles is None or board is None or board.pj_per_cycle is None:
        return Figure(None, "estimated", why or "there are no cycles to estimate it from")
    source = f"estimated cycles x {board.pj_per_cycle} pJ; {board.energy_source}"
    return Figure(found.cycles * board.pj_per_cycle * 1e-9, "estimated", source)


def _no_board(found: Measured, board: Board | None) -> str:
    """Why what is known of the board cannot be used, if so."""
    if board is None:
        return "the target is not known on this machine: see EDGEKIT_TARGETS"
    if board.core != found.core:
        own = "the build is for" if board.name == board.core else f"{board.name} has"
        return f"{own} a {board.core}, this is a {found.core}"
    return ""

"""`[search]` of `edgekit.toml`: what is looked for, within which limits, and in which space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Sampler = Literal["tpe", "nsga2", "random", "gp", "netadapt"]


def _limit(help: str) -> Any:
    return field(default="", metadata={"help": help})


@dataclass(frozen=True)
class SearchTable:
    """`[search]`: limits are numbers with units, as on the command line; "" is none.

    Attributes:
        objectives: What is made best; see `edgekit.search.objective.OBJECTIVES`.
        passes: That may be part of a build, in order.
        sampler: What chooses the next trial.
        trials: Different builds that are tried.
        timeout: Wall time after which no trial begins, e.g. `2h`; "": none.
        device: That measures latency and energy; "": the emulator for microcontrollers.
        held_out: Share of the labelled rows, by hash, that judge trials and train nothing.
        draft_agreement: Percent of decisions that a draft, trained for one epoch, must have in
            common with the float model to be trained on.
        sensitivity: What `edgekit sensitivity` wrote: amounts are parted among layers by it.
        layers: So many of the largest layers depart from that, each as it is searched.
        train: `python:module:function` that trains the network of a trial; "": none.
        space: Values by pass and option, e.g. `{"remove": {"macs": [0.8, 0.5]}}`.
    """

    objectives: tuple[str, ...] = ()
    max_drop: str = _limit("points of accuracy, on labelled rows: 1%")
    min_accuracy: str = _limit("percent right, on labelled rows: 90%")
    min_agreement: str = _limit("percent of decisions like the float model's: 98%")
    max_flash: str = _limit("of model and code: 64K (of 1,024 bytes)")
    max_ram: str = _limit("32K")
    max_bytes: str = _limit("of the .tflite: 100K")
    max_gzip: str = _limit("of the .tflite after gzip -9: 50K")
    max_macs: str = _limit("multiply-accumulates of an inference: 5000000")
    max_latency: str = _limit("of an inference: 80ms")
    max_energy: str = _limit("of an inference: 2mJ")
    passes: tuple[str, ...] = ("remove", "prune", "cluster", "quantize_aware")
    sampler: Sampler = "tpe"
    trials: int = 50
    timeout: str = ""
    device: str = ""
    held_out: float = field(default=0.2, metadata={"least": 0.01, "most": 0.9})
    draft_agreement: float = field(default=50.0, metadata={"least": 0.0, "most": 100.0})
    sensitivity: str = ""
    layers: int = 0
    train: str = ""
    space: Mapping[str, Any] = field(default_factory=dict)

    @property
    def limits(self) -> dict[str, str]:
        """Those that are set, by key."""
        keys = [name for name in self.__dataclass_fields__ if name[:4] in ("max_", "min_")]
        return {key: text for key in keys if (text := getattr(self, key))}

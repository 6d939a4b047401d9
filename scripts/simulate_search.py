"""A search on machines that do not exist: where more of them stop paying.

Discrete events around the policy of the Ray executor (`edgekit/search/batching.py`): one process
draws recipes and takes outcomes, one after another; machines run trials, are lost and come back;
benches take turns on a device. What a draw and an outcome cost the drawing process is measured
(`--measure`); how long trials and benches take, and how often machines are lost, is assumed.

    python scripts/simulate_search.py --write     # the table of docs/search_many_machines.md
    python scripts/simulate_search.py --measure   # seconds of a draw and an outcome, here
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
import random
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgekit.search.batching import Batching, slots

PAGE = Path(__file__).resolve().parents[1] / "docs" / "search_many_machines.md"
BEGIN, END = "<!-- simulated: scripts/simulate_search.py -->\n", "<!-- end -->"
HOUR = 3600.0
MACHINES = (1, 10, 100, 1000)
NEEDS = {"CPU": 1.0}


@dataclass(frozen=True)
class World:
    """What is simulated; times in seconds.

    Attributes:
        machines: How many.
        cpus: Of each; a trial takes one.
        trials: Of the study.
        batch: See `Batching`.
        devices: That benches take turns on; 0: each trial emulates, on its own machine.
        median_s: Of a trial that goes through all stages, without its bench; log-normal.
        spread: Of the logarithm.
        ruled_out: Share of trials that an early stage ends.
        early_s: What such a trial takes.
        bench_s: Of a bench on a device.
        lives_s: Mean life of a machine; exponential.
        back_s: Until another takes the place of a lost one.
        draw_s: Of a draw with few trials known, and more for each trial that is known.
        tell_s: Of an outcome, likewise.
        seed: Of all chance.
    """

    machines: int
    cpus: int = 4
    trials: int = 10_000
    batch: int = 0
    devices: int = 0
    median_s: float = 300.0
    spread: float = 0.5
    ruled_out: float = 0.4
    early_s: float = 15.0
    bench_s: float = 10.0
    lives_s: float = 24 * HOUR
    back_s: float = 300.0
    draw_s: tuple[float, float] = (0.0, 0.0)
    tell_s: tuple[float, float] = (0.0, 0.0)
    seed: int = 0


@dataclass
class Played:
    """What came of it: wall time, seconds of processors at work, of the drawing process, losses."""

    seconds: float = 0.0
    worked: float = 0.0
    drawing: float = 0.0
    lost: int = 0
    accounted: int = 0


@dataclass
class _Machine:
    free: int
    lives: int = 0
    alive: bool = True
    at_work: dict[int, float] = field(default_factory=dict)


class Simulation:
    """One study; `play` runs it."""

    def __init__(self, world: World) -> None:
        self.world, self.now, self.played = world, 0.0, Played()
        self._machines = [_Machine(world.cpus) for _ in range(world.machines)]
        self._free = deque(range(world.machines))
        self._events: list[tuple[float, int, str, tuple[int, ...]]] = []
        self._order = itertools.count()
        self._waiting: deque[int] = deque()
        self._running: set[int] = set()
        self._ended: dict[int, int] = {}
        self._attempts: dict[int, int] = {}
        self._devices = [0.0] * world.devices
        self._each, self._alive = slots([{"CPU": world.cpus}], NEEDS), world.machines
        for number in range(world.machines):
            self._live(number)

    def play(self) -> Played:
        """All trials, as `edgekit.search.on_ray` runs them."""
        world, drawn, told = self.world, 0, 0
        policy = Batching(world.batch)
        while told < world.trials:
            room = policy.room(self._slots(), len(self._running))
            for _ in range(min(room, world.trials - drawn)):
                self._drive(world.draw_s, told)
                self._begin(drawn)
                drawn += 1
            due = policy.due(self._ended, len(self._running))
            if not due:
                self._until(self._events[0][0])
                due = policy.due(self._ended, len(self._running))
            for _ in due:
                self._drive(world.tell_s, told)
                told += 1
        self.played.seconds, self.played.accounted = self.now, told
        return self.played

    def _drive(self, cost: tuple[float, float], known: int) -> None:
        """The drawing process is busy; what happens meanwhile happens."""
        seconds = cost[0] + cost[1] * known
        self.played.drawing += seconds
        self._until(self.now + seconds)

    def _until(self, end: float) -> None:
        while self._events and self._events[0][0] <= end:
            self.now, _, kind, about = heapq.heappop(self._events)
            getattr(self, f"_{kind}")(*about)
        self.now = max(self.now, end)

    def _at(self, when: float, kind: str, *about: int) -> None:
        heapq.heappush(self._events, (when, next(self._order), kind, about))

    def _slots(self) -> int:
        return self._each * self._alive

    def _begin(self, trial: int) -> None:
        self._running.add(trial)
        self._waiting.append(trial)
        self._place()

    def _place(self) -> None:
        """Trials that wait, on machines that have room."""
        while self._waiting and self._free:
            number = self._free[0]
            machine = self._machines[number]
            if not machine.alive or not machine.free:
                self._free.popleft()
                continue
            trial = self._waiting.popleft()
            machine.free -= 1
            machine.at_work[trial] = self.now
            self._attempts[trial] = self._attempts.get(trial, -1) + 1
            built = self.now + self._seconds(trial)
            self._at(built, "built", trial, number, machine.lives, self._attempts[trial])

    def _built(self, trial: int, number: int, lives: int, attempt: int) -> None:
        if not self._still(trial, number, lives, attempt):
            return
        end = self.now
        if self.world.devices and not self._early(trial):
            device = min(range(len(self._devices)), key=self._devices.__getitem__)
            end = self._devices[device] = max(end, self._devices[device]) + self.world.bench_s
        self._at(end, "end", trial, number, lives, attempt)

    def _end(self, trial: int, number: int, lives: int, attempt: int) -> None:
        if not self._still(trial, number, lives, attempt):
            return
        machine = self._machines[number]
        self.played.worked += self.now - machine.at_work.pop(trial)
        machine.free += 1
        self._free.append(number)
        self._running.remove(trial)
        self._ended[trial] = trial
        self._place()

    def _still(self, trial: int, number: int, lives: int, attempt: int) -> bool:
        machine = self._machines[number]
        return machine.lives == lives and self._attempts[trial] == attempt

    def _live(self, number: int) -> None:
        machine = self._machines[number]
        chance = random.Random(f"{self.world.seed}/life/{number}/{machine.lives}")
        self._at(self.now + chance.expovariate(1 / self.world.lives_s), "die", number)

    def _die(self, number: int) -> None:
        """Its trials are begun again, in front of those that wait."""
        machine = self._machines[number]
        machine.alive, machine.lives = False, machine.lives + 1
        self._alive -= 1
        self.played.lost += len(machine.at_work)
        self._waiting.extendleft(reversed(machine.at_work))
        machine.at_work.clear()
        self._at(self.now + self.world.back_s, "back", number)
        self._place()

    def _back(self, number: int) -> None:
        machine = self._machines[number]
        machine.alive, machine.free = True, self.world.cpus
        self._alive += 1
        self._free.append(number)
        self._live(number)
        self._place()

    def _early(self, trial: int) -> bool:
        return random.Random(f"{self.world.seed}/out/{trial}").random() < self.world.ruled_out

    def _seconds(self, trial: int) -> float:
        if self._early(trial):
            return self.world.early_s
        chance = random.Random(f"{self.world.seed}/time/{trial}")
        return chance.lognormvariate(math.log(self.world.median_s), self.world.spread)


def measured(
    sampler: str, known: Sequence[int], draws: int = 5
) -> Iterator[tuple[int, float, float]]:
    """Processor seconds of a draw and an outcome with so many trials known, in a journal."""
    import optuna

    from edgekit.search.samplers import make_sampler
    from edgekit.search.storage import open_study

    values = {f"pass_{place}": [0.1 * step for step in range(8)] for place in range(6)}
    spaces = {k: optuna.distributions.CategoricalDistribution(v) for k, v in values.items()}
    with tempfile.TemporaryDirectory() as folder:
        study = open_study(Path(folder) / "study.journal", ["minimize"] * 2, {}, False)
        chance, have = random.Random(0), 0
        for count in known:
            while have < count:
                params = {name: chance.choice(given) for name, given in values.items()}
                study.add_trial(
                    optuna.create_trial(
                        params=params,
                        distributions=spaces,
                        values=[chance.random()] * 2,
                        system_attrs={"constraints": (0.0,)},
                    )
                )
                have += 1
            drawn = told = 0.0
            for _ in range(draws):
                study.sampler = make_sampler(sampler, 0, have, lambda trial: (0.0,), beside=True)
                began = time.process_time()
                trial = study.ask()
                for name, given in values.items():
                    trial.suggest_categorical(name, given)
                middle = time.process_time()
                study.tell(trial, [chance.random()] * 2)
                drawn, told = drawn + middle - began, told + time.process_time() - middle
                have += 1
            yield count, drawn / draws, told / draws


TPE, RANDOM = (0.011, 130e-6), (0.007, 0.5e-6)
"""Seconds of a draw, and more for each trial known: `--measure`, six choices of eight values."""
_ONE = World(1, draw_s=TPE, tell_s=(0.002, 0.0))
CASES = {
    "emulator": _ONE,
    "emulator, `random`": replace(_ONE, draw_s=RANDOM),
    "emulator, `batch`": replace(_ONE, batch=-1),
    "1 device": replace(_ONE, devices=1),
    "10 devices": replace(_ONE, devices=10),
}
"""A batch of -1 is as large as the cluster."""


def table(machines: Sequence[int] = MACHINES) -> str:
    """Rows: how trials are measured, by number of machines."""
    lines = [
        "| measured by | machines | hours | times as fast | processors at work | drawing process "
        "at work | trials begun again |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, case in CASES.items():
        alone = 0.0
        for count in machines:
            batch = count * case.cpus if case.batch else 0
            played = Simulation(replace(case, machines=count, batch=batch)).play()
            assert played.accounted == case.trials
            alone = alone or played.seconds * count / machines[0]
            share = played.worked / (played.seconds * count * case.cpus)
            lines.append(
                f"| {name} | {count:,} | {played.seconds / HOUR:,.1f} "
                f"| {alone / played.seconds:,.1f} | {share:.0%} "
                f"| {played.drawing / played.seconds:.0%} | {played.lost:,} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table, write it, or measure what it stands on."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="into the page")
    parser.add_argument("--measure", action="store_true", help="a draw and an outcome, here")
    given = parser.parse_args()
    if given.measure:
        for sampler in ("tpe", "random"):
            for known, drawn, told in measured(sampler, (100, 1000, 5000)):
                costs = f"draw {drawn * 1e3:.1f} ms, outcome {told * 1e3:.1f} ms"
                print(f"{sampler}, {known:,} trials known: {costs}")
        return
    found = table()
    print(found, end="")
    if given.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}{found}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()

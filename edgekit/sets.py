"""The data sets of a build: which rows calibrate, train, guard and judge; none does two."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from edgekit import preprocess
from edgekit.data.check import check, check_alike, check_repeated
from edgekit.data.prepare import Prepared, prepare
from edgekit.data.samples import Samples, open_samples
from edgekit.data.select import (
    drop_shared,
    name_rows,
    refuse_overlap,
    select,
    shared_rows,
    without,
)
from edgekit.errors import DataError
from edgekit.model import Model
from edgekit.problem import Problem
from edgekit.project import Project
from edgekit.runtimes.base import Row
from edgekit.training.split import Split, held_out, split


class Sets:
    """The rows of a project, opened and parted when first asked for.

    Args:
        project: Names the data.
        root: Folder that their paths are relative to.
        model: Says how its inputs look.
    """

    def __init__(self, project: Project, root: Path, model: Model) -> None:
        self._project, self._root, self._model = project, root, model
        self._opened: dict[tuple[str, ...], Samples] = {}

    @cached_property
    def preprocess(self) -> preprocess.Preprocess:
        """The one contract that all data go through."""
        return preprocess.parse(self._project.data.preprocess)

    def prepared(self, samples: Samples) -> Prepared:
        """`samples` as the model wants them."""
        model = self._model
        return prepare(samples, self.preprocess, model.inputs, model.channels_first)

    @cached_property
    def calibration(self) -> tuple[Samples, Samples] | None:
        """The rows that calibration uses, and those left over; None when no data are given."""
        if self._project.compress:
            return self.split.calibration, self.split.guard
        samples = self._given(self._project.data.calibration)
        if samples is None:
            return None
        return select(samples, self._project.data.samples, self._project.build.seed)

    @cached_property
    def split(self) -> Split:
        """The rows to calibrate on, to train on, and to guard the training; none in two parts.

        In a build that sets out without compression, calibration keeps its rows, and the rows to
        train on are those of the training data that are not judged on, or what is left over.
        """
        data, seed = self._project.data, self._project.build.seed
        training = self._given(data.training)
        if self._project.compress:
            return split(self._given(data.calibration), training, data.samples, seed)
        chosen = self.calibration[0] if self.calibration else Samples(())
        free = without(training, self._left_over[0]) if training else self._spare
        return split(chosen, free, len(chosen), seed)

    @property
    def trainable(self) -> int:
        """Rows that there are to train on."""
        try:
            return len(self.split.training) if self.calibration else 0
        except DataError:
            return 0

    @property
    def available(self) -> int:
        """Rows that calibration could use."""
        return len(self.calibration[0]) + len(self._spare) if self.calibration else 0

    def calibrating(self, most: int) -> Samples:
        """At most so many rows to calibrate on; beyond the usual ones those that nothing uses."""
        assert self.calibration is not None, "the plan refuses a build without calibration data"
        chosen = self.calibration[0]
        if most <= len(chosen):
            return chosen
        more = select(self._spare, most - len(chosen), self._project.build.seed)[0]
        return Samples((*chosen.parts, *more.parts))

    @cached_property
    def evaluation(self) -> tuple[Samples, Problem | None] | None:
        """The rows to judge on, and which were dropped because others use them.

        Where none are given: those that the project holds out.
        """
        data = self._project.data
        samples = self._open(data.evaluation)
        if samples is None:
            return (self._held_out, None) if self._held_out else None
        fitted = (*data.calibration, *data.training)
        refuse_overlap(fitted, data.evaluation, self._root, self._model.inputs)
        used = self._fitted()
        kept, count = drop_shared(samples, used)
        return kept, _dropped(name_rows(samples, shared_rows(samples, used))) if count else None

    @property
    def compared(self) -> Samples | None:
        """Rows to compare built and float model on, labels or not.

        What calibration left over, else the evaluation's; these first where what is left over may
        be trained on or has chosen the best epoch. Without either, training rows that guard.
        """
        if self.evaluation and (self._trains or not self._left_over[0]):
            return self.evaluation[0]
        guard = self.split.guard if self._guards else None
        return self._left_over[0] or guard or None

    @cached_property
    def _left_over(self) -> tuple[Samples, Samples]:
        """Rows that calibration left: to compare on, and those beyond what that needs."""
        chosen, rest = self.calibration or (Samples(()), Samples(()))
        held, more = select(rest, self._project.fidelity.samples, self._project.build.seed)
        return without(held, chosen), more

    @cached_property
    def _spare(self) -> Samples:
        """Rows given for calibration that neither calibrate, judge, guard nor train a pass."""
        if not self.calibration:
            return Samples(())
        data, seed = self._project.data, self._project.build.seed
        if self._project.compress:
            given = self._given(data.calibration) if data.training else None
            rest = select(given, data.samples, seed)[1] if given else Samples(())
            return without(rest, [self.split.training, self.split.guard]) if rest else rest
        held, rest = self._left_over
        if self.evaluation:
            return self.calibration[1]
        return without(rest, [held, self.split.guard] if self._guards else held) if rest else rest

    @cached_property
    def labelled(self) -> Samples | None:
        """Labelled rows that nothing was fitted to: evaluation's, else those that guard."""
        if self.evaluation:
            samples = self.evaluation[0]
        elif self._guards:
            samples = self.split.guard
        else:
            return None
        return samples if samples.labels is not None and len(samples) else None

    def problems(
        self, predict: Callable[[Row], Row], calibrating: Samples | None = None
    ) -> tuple[Problem, ...]:
        """What is to be said about calibration and evaluation data.

        Args:
            predict: Runs the float model, to find out what scale it was trained on.
            calibrating: The rows that calibrate, None where none do.
        """
        problems: list[Problem] = []
        if calibrating:
            rows = self.prepared(calibrating)
            problems += [*rows.problems, *check(rows, self.preprocess, predict)]
        if self.evaluation:
            problems += self._evaluation_problems(*self.evaluation)
        elif self._project.compress and self._project.fidelity.enabled:
            problems.append(_guards_judge(len(self.split.guard)))
        return tuple(problems)

    @property
    def _trains(self) -> bool:
        """Whether something is trained, or may be to keep a budget."""
        return bool(self._project.compress or self._project.budget.limits)

    @property
    def _guards(self) -> bool:
        """Whether training rows were given, of which some guard."""
        return self._trains and bool(self._project.data.training)

    def _fitted(self) -> list[Samples]:
        """All rows that something is fitted to, or may be to keep a budget."""
        data = self._project.data
        chosen = self.calibration[0] if self.calibration else None
        given = self._given(data.calibration) if self._trains else chosen
        return [samples for samples in (given, self._given(data.training)) if samples]

    def _evaluation_problems(self, samples: Samples, dropped: Problem | None) -> list[Problem]:
        rows = self.prepared(samples)
        problems = [dropped, *rows.problems] if dropped else [*rows.problems]
        problems += check_repeated(samples)
        if self.calibration:
            problems += check_alike(self.prepared(self.calibration[0]), rows)
        return problems

    @cached_property
    def _held_out(self) -> Samples | None:
        """Rows that nothing is fitted to, as the project says; None where it keeps none."""
        data = self._project.data
        pool = self._open(data.training or data.calibration) if data.held_out else None
        return held_out(pool, data.held_out, self._project.build.seed) if pool else None

    def _given(self, specs: tuple[str, ...]) -> Samples | None:
        """The rows of `specs` that something may be fitted to."""
        samples = self._open(specs)
        return without(samples, self._held_out) if samples and self._held_out else samples

    def _open(self, specs: tuple[str, ...]) -> Samples | None:
        if specs and specs not in self._opened:
            self._opened[specs] = open_samples(specs, self._root, self._model.inputs)
        return self._opened.get(specs)


def _dropped(rows: str) -> Problem:
    return Problem(
        "warning",
        "--evaluation",
        f"evaluation samples that calibration or training also hold are dropped: {rows}",
        "judge on samples that the model was not fitted to",
    )


def _guards_judge(rows: int) -> Problem:
    return Problem(
        "note",
        "--evaluation",
        f"judged on rows that guard the training: these {rows:,} chose its best epochs, so the "
        "figures are a little optimistic",
        "give --evaluation DATA to judge on rows that nothing was fitted to",
    )

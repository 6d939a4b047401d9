"""Fine-tuning: epochs over the rows, the best weights by the guard rows, and when to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from edgekit import _tf
from edgekit.bridge.lift import Lifted
from edgekit.errors import ModelError
from edgekit.progress import Progress
from edgekit.training.options import LEARNING_RATE, FineTune, resolve
from edgekit.training.rows import Rows
from edgekit.training.step import Stepper

SHOWN_EVERY = 0.25
"""Seconds between two signs of progress."""
Stopped = Literal["epochs", "patience", "minutes"]


@dataclass(frozen=True)
class Trained:
    """How a fine-tuning went.

    Attributes:
        epochs: That were run, the last perhaps in part.
        best_epoch: Whose weights the student has: from 1; 0 is the start.
        stopped: Why it ended: all epochs done, no better guard loss, or the time was up.
        loss: Mean of each epoch.
        guard_loss: At the start, and after each epoch.
    """

    epochs: int
    best_epoch: int
    stopped: Stopped
    loss: tuple[float, ...]
    guard_loss: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """As the manifest stores it: losses to six significant digits."""
        data = asdict(self)
        for key in ("loss", "guard_loss"):
            data[key] = [float(f"{value:.6g}") for value in data[key]]
        return data


def fine_tune(
    student: Lifted,
    teacher: Lifted,
    rows: Rows,
    guard: Rows,
    options: FineTune,
    *,
    seed: int,
    progress: Progress,
    callbacks: Sequence[Any] = (),
    keep_from: float = 0.0,
    title: str = "fine-tuning",
) -> Trained:
    """Train the student in place, and leave it with its best weights.

    The best are those with the lowest loss on the guard rows among the epochs that may be kept.
    The start is one of them when `keep_from` is 0, so that nothing gets worse; patience counts
    epochs alone, since a learning rate at its peak may well lead away from a good start at first.
    The same seed gives the same weights, byte by byte, on the same machine.

    Args:
        student: The model to train; its layers may be wrapped.
        teacher: The model as it was; shares no layer with the student.
        rows: To learn from, with or without labels.
        guard: To choose the best epoch by; its labels count where the others' do.
        options: Defaults are filled in here if they are not yet.
        seed: Of the order of rows and the transforms.
        progress: Gets a step `title`, its count of steps, loss and time left.
        callbacks: Of tf_keras, driven in its order; `on_epoch_end` comes before the guard rows
            are judged, for it may change weights (it masks pruned ones).
        keep_from: Share of the training, 0 to 1, before which no weights are kept and none are
            waited for: a sparsity that still rises. The last epoch may always be kept. When
            `max_minutes` end the training earlier, the student has its last weights.
        title: What the user reads.

    Raises:
        UsageError: Options that cannot be, or transforms that do not fit the inputs.
        DataError: Labels that do not fit the outputs.
        ModelError: The loss is NaN or infinite; or there is nothing to train.
    """
    progress.step(title)
    options = resolve(options, len(rows), rows.labels is not None)
    per_epoch = max(len(rows) // options.batch, 1)
    show = _Show(progress, options.epochs * per_epoch, options.max_minutes)
    stepper = Stepper(student, teacher, rows, options, steps=show.total, seed=seed)
    judge = stepper.judge(guard)
    best = _Best(student.model, first=max(1, math.ceil(keep_from * options.epochs)))
    best.offer(0, _finite(judge(), 0, options, "before any training"), keep=keep_from <= 0)
    student.model.optimizer = stepper.optimizer  # callbacks look for it
    told = _tf.tf_keras().callbacks.CallbackList(
        list(callbacks), model=student.model, epochs=options.epochs, steps=per_epoch, verbose=0
    )
    epochs = _Epochs(stepper, options, len(rows), seed, told, show)
    losses, stopped = _train(epochs, judge, best, options)
    best.restore()
    return Trained(len(losses), best.epoch, stopped, tuple(losses), tuple(best.losses))


def _train(
    epochs: _Epochs, judge: Callable[[], float], best: _Best, options: FineTune
) -> tuple[list[float], Stopped]:
    """Epochs until one of the reasons to stop; their losses, and the reason."""
    losses: list[float] = []
    stopped: Stopped = "epochs"
    epochs.told.on_train_begin()
    for epoch in range(1, options.epochs + 1):
        losses.append(epochs.run(epoch))
        loss = _finite(judge(), epoch * epochs.steps, options, "on the guard rows")
        best.offer(epoch, loss)
        epochs.show.guard = loss
        if epochs.show.out_of_time:
            stopped = "minutes"
            break
        if best.waited >= options.patience and epoch < options.epochs:
            stopped = "patience"
            break
    epochs.told.on_train_end()
    return losses, stopped


class _Epochs:
    """Runs one epoch after the other, each over all rows in an order of its own."""

    def __init__(
        self, stepper: Stepper, options: FineTune, rows: int, seed: int, told: Any, show: _Show
    ) -> None:
        self._stepper, self._options, self._rows = stepper, options, rows
        self._order = np.random.default_rng(seed)
        self.steps = max(rows // options.batch, 1)
        self.told, self.show = told, show

    def run(self, epoch: int) -> float:
        """The mean loss of epoch 1, 2, ...; rows that do not fill a last batch are left out."""
        self.told.on_epoch_begin(epoch - 1)
        shuffled, size = self._order.permutation(self._rows), self._options.batch
        losses = []
        for index in range(self.steps):
            step = (epoch - 1) * self.steps + index + 1
            self.told.on_train_batch_begin(index)
            loss = self._stepper.train(shuffled[index * size : (index + 1) * size], step)
            losses.append(_finite(loss, step, self._options, f"at step {step}"))
            self.told.on_train_batch_end(index, {"loss": loss})
            self.show(step, loss)
            if self.show.out_of_time:
                break
        mean = float(np.mean(losses))
        self.told.on_epoch_end(epoch - 1, {"loss": mean})
        return mean


def _finite(loss: float, step: int, options: FineTune, where: str) -> float:
    if math.isfinite(loss):
        return loss
    what = "NaN" if math.isnan(loss) else "infinite"
    raise ModelError(
        f"the loss is {what} {where}",
        f"lower the learning rate, now {options.learning_rate:g}: learning_rate = "
        f"{min(options.learning_rate / 10, LEARNING_RATE):g}"
        if step > 1
        else "the model gives NaN or infinity before it is trained: check it and the preprocessing",
    )


class _Best:
    """The weights of the best epoch so far, of all that training changes: masks and ranges too."""

    def __init__(self, model: Any, first: int) -> None:
        self._model, self._first = model, first
        self._weights: list[Any] | None = None
        self._lowest = self._lowest_trained = math.inf
        self._latest = self.epoch = 0
        self.losses: list[float] = []
        self.waited = 0

    def offer(self, epoch: int, loss: float, keep: bool = True) -> None:
        """Judge an epoch; those before the first that may be kept are only noted."""
        self.losses.append(loss)
        self._latest = epoch
        if epoch:
            keep = epoch >= self._first
            better = loss < self._lowest_trained
            self.waited = 0 if better or not keep else self.waited + 1
            self._lowest_trained = min(loss, self._lowest_trained) if keep else math.inf
        if keep and loss < self._lowest:
            self._lowest, self.epoch = loss, epoch
            self._weights = [variable.numpy() for variable in self._model.weights]

    def restore(self) -> None:
        """Give the model its best weights; the latest are left where none could be kept."""
        if self._weights is None:
            self.epoch = self._latest
            return
        for variable, value in zip(self._model.weights, self._weights, strict=True):
            variable.assign(value)


class _Show:
    """Tells progress how far the training is, what the loss is and how long it will take."""

    def __init__(self, progress: Progress, total: int, minutes: float) -> None:
        self._progress, self.total = progress, total
        self._end = time.monotonic() + 60 * minutes if minutes else math.inf
        self._first: tuple[int, float] | None = None
        self._last = -math.inf
        self.guard = math.nan

    @property
    def out_of_time(self) -> bool:
        """Whether the minutes are up."""
        return time.monotonic() > self._end

    def __call__(self, step: int, loss: float) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = step, now  # the first step is compiled, and tells nothing of the others
        if now - self._last < SHOWN_EVERY and step < self.total:
            return
        self._last = now
        guard = "" if math.isnan(self.guard) else f", guard {self.guard:.4g}"
        self._progress.advance(step, self.total)
        self._progress.note(f"loss {loss:.4g}{guard}{self._left(step, now)}")

    def _left(self, step: int, now: float) -> str:
        assert self._first is not None, "called before a step"
        done = step - self._first[0]
        if not done:
            return ""
        left = min((now - self._first[1]) / done * (self.total - step), self._end - now)
        minutes, seconds = divmod(max(round(left), 0), 60)
        return f", {minutes} min {seconds} s left" if minutes else f", {seconds} s left"

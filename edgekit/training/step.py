"""One step of fine-tuning and the judgement on the guard rows, as TensorFlow graphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit.bridge.lift import Lifted
from edgekit.errors import DataError, ModelError
from edgekit.training import transforms
from edgekit.training.augment import Input, choose
from edgekit.training.labels import Task, check_head, fit
from edgekit.training.objective import SMALLEST, Objective
from edgekit.training.optimise import Clip, Coarse, muon
from edgekit.training.options import FineTune
from edgekit.training.rows import Rows


class Stepper:
    """What runs on each batch, compiled once.

    Args:
        student: Is trained.
        teacher: The model as it was.
        rows: To learn from.
        options: Resolved.
        steps: Of the whole training, for the schedule.
        seed: Of the transforms.

    Raises:
        DataError: Labels that do not fit the outputs.
        UsageError: Transforms that do not fit the inputs.
        ModelError: A student that has nothing to train.
    """

    def __init__(
        self,
        student: Lifted,
        teacher: Lifted,
        rows: Rows,
        options: FineTune,
        *,
        steps: int,
        seed: int,
    ) -> None:
        self._rows, self._options = rows, options
        self._student, self._teacher = student, teacher
        if not student.model.trainable_variables:
            raise ModelError("the model has no weights to train", "leave the training passes out")
        self._task: Task | None = None
        self._task, self._labels = self._fitted(rows)
        distils = options.feature_weight and options.label_weight < 1
        features = _features(student, teacher) if distils else []
        self._inner = len(features)
        self._networks = [
            _network(student, [*features, *student.watched]),
            _network(teacher, features),
        ]
        self._objective = self._make_objective()
        self.optimizer = muon(options.learning_rate, steps)
        self._clip, self._coarse = Clip(options.clip), Coarse(options.gradient_bits, seed)
        self._train = self._compiled(self._transform(seed))

    def train(self, positions: NDArray[Any], step: int) -> float:
        """Learn from the rows at `positions`; the loss before."""
        tf = _tf.tensorflow()
        inputs = tuple(map(tf.constant, self._rows.batch(positions)))
        labels = None if self._labels is None else tf.constant(self._labels[positions])
        return float(self._train(inputs, labels, tf.constant(step, tf.int64)))

    def judge(self, guard: Rows) -> Callable[[], float]:
        """What measures the loss on the rows as they are; the teacher runs on them once, now."""
        _, labels = self._fitted(guard)
        teacher = self._scores(1)
        known = [teacher(batch) if self._objective.distils else [] for _, batch in _batches(guard)]
        student = self._scores(0)

        def loss() -> float:
            total = 0.0
            for (positions, batch), wanted in zip(_batches(guard), known, strict=True):
                targets = self._targets(None if labels is None else labels[positions])
                mean = self._objective(student(batch), wanted, targets)
                total += float(mean) * len(positions) / len(guard)
            return total

        return loss

    def _fitted(self, rows: Rows) -> tuple[Task | None, NDArray[Any] | None]:
        if not self._options.label_weight:
            return None, None
        if rows.labels is None:
            raise DataError(
                "only some of the rows have labels", "give labels for all of them, or for none"
            )
        model = self._student.model
        ours, theirs = (
            [tuple(t.shape[1:]) for t in side] for side in (model.outputs, model.inputs)
        )
        task, labels = fit(rows.labels, ours, theirs, self._task)
        check_head(task, self._student.heads[task.output], labels)
        return task, labels

    def _targets(self, labels: Any) -> Any:
        return None if labels is None or self._task is None else self._task.targets(labels)

    def _make_objective(self) -> Objective:
        heads, options = self._student.heads, self._options
        return Objective(
            heads=heads,
            variances=self._variances() if "linear" in heads else (1.0,) * len(heads),
            task=self._task,
            temperature=options.temperature,
            label_weight=options.label_weight,
            feature_weight=options.feature_weight if self._inner else 0.0,
            exits=self._student.exits,
            exit_weight=self._student.exit_weight,
        )

    def _variances(self) -> tuple[float, ...]:
        """Of the teacher's scores of each output, over rows."""
        teacher, some = self._scores(1), self._rows.some()
        found = [teacher(batch) for _, batch in _batches(self._rows, some)]
        return tuple(variance(np.concatenate(scores)) for scores in zip(*found, strict=True))

    def _transform(self, seed: int) -> transforms.Transform:
        task, model = self._task, self._student.model
        some = self._rows.batch(self._rows.some())
        inputs = [
            Input(tuple(entry.shape[1:]), _deviation(array))
            for entry, array in zip(model.inputs, some, strict=True)
        ]
        placed = task is not None and task.placed
        teacher = self._objective.distils
        chosen = choose(self._options.augment, inputs, placed, teacher)
        return transforms.build(chosen, inputs, seed)

    def _variables(self) -> list[Any]:
        """What is trained: the student, and what turns its activations into the teacher's."""
        own = list(self._student.model.trainable_variables)
        known = {id(variable) for variable in own}
        inner = self._networks[0].trainable_variables if self._inner else []
        return [*own, *(each for each in inner if id(each) not in known)]

    def _scores(self, network: int) -> Callable[[Sequence[Any]], list[Any]]:
        """The network's scores, in inference mode, of a batch of any size."""
        tf, outputs = _tf.tensorflow(), len(self._student.heads)
        entries = [tf.TensorSpec(entry.shape, entry.dtype) for entry in self._networks[0].inputs]

        @tf.function(input_signature=[entries])  # type: ignore[untyped-decorator]
        def scores(batch: Sequence[Any]) -> list[Any]:
            return _call(self._networks[network], batch, False)[:outputs]

        # called as a function, TensorFlow would take passes for one that is traced again and again
        traced = scores.get_concrete_function()
        return lambda batch: traced(
            [tf.cast(array, entry.dtype) for array, entry in zip(batch, entries, strict=True)]
        )

    def _compiled(self, transform: transforms.Transform) -> Callable[..., Any]:
        tf, objective, outputs = _tf.tensorflow(), self._objective, len(self._student.heads)
        student, teacher = self._networks
        variables, penalty = self._variables(), self._student.penalty
        mine = len(self._student.scores.outputs)  # more where other networks learn beside it
        seen = mine + self._inner
        self.optimizer.build(variables)  # made while it is traced, they would have it traced twice

        @tf.function(autograph=False)  # type: ignore[untyped-decorator]
        def step(inputs: Any, labels: Any, number: Any) -> Any:
            inputs, targets = transform(inputs, self._targets(labels), number)
            batch = [tf.cast(a, e.dtype) for a, e in zip(inputs, student.inputs, strict=True)]
            wanted = _call(teacher, batch, False) if objective.distils else []
            with tf.GradientTape() as tape:
                found = _call(student, batch, True)
                inner = list(zip(found[mine:seen], wanted[outputs:], strict=True))
                loss = objective(found[:mine], wanted[:outputs], targets, inner)
                loss += penalty(found[seen:]) if penalty else 0.0
            gradients = self._clip(tape.gradient(loss, variables), number)
            pairs = zip(self._coarse(gradients, number), variables, strict=True)
            self.optimizer.apply_gradients([(g, v) for g, v in pairs if g is not None])
            return loss

        return step  # type: ignore[no-any-return]


def _call(network: Any, batch: Sequence[Any], training: bool) -> list[Any]:
    return list(_tf.tensorflow().nest.flatten(network(batch, training=training)))


def _network(lifted: Lifted, features: Sequence[int]) -> Any:
    """Inputs -> the scores, and behind them the activations of `features`."""
    inner = [lifted.activations[index] for index in features]
    return _tf.tf_keras().Model(list(lifted.scores.inputs), [*lifted.scores.outputs, *inner])


def _features(student: Lifted, teacher: Lifted) -> list[int]:
    """Outputs of layers with weights, by the student's tensor index, but for those that are scores.

    What the teacher has no activation for is a layer that it has not.
    """
    wanted = [layer.op.outputs[0] for layer in (*teacher.layers, *student.layers)]
    scores = {id(output) for output in teacher.scores.outputs}
    return [
        index
        for index in dict.fromkeys(wanted)
        if index in student.activations
        and index in teacher.activations
        and id(teacher.activations[index]) not in scores
    ]


def _batches(
    rows: Rows, positions: NDArray[Any] | None = None, size: int = 64
) -> Iterator[tuple[NDArray[Any], tuple[NDArray[Any], ...]]]:
    chosen = np.arange(len(rows)) if positions is None else positions
    for start in range(0, len(chosen), size):
        part = chosen[start : start + size]
        yield part, rows.batch(part)


def _deviation(array: NDArray[Any]) -> NDArray[Any] | None:
    if array.dtype.kind != "f":
        return None
    return np.asarray(array.std(axis=tuple(range(max(array.ndim - 1, 1))), dtype=np.float64))


def variance(scores: NDArray[Any]) -> float:
    """What squared errors of scores [rows, ...] are divided by.

    It is the mean over the values of a row of their variance over rows, never nearly 0.
    """
    values = scores.astype(np.float64)
    level = float(np.mean(values**2))
    return max(float(np.mean(values.var(axis=0))), 1e-6 * level, SMALLEST) if level else 1.0

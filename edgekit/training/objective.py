"""What fine-tuning minimises: the distance to a teacher's scores, and to labels.

All in float32, on scores: what a last softmax or sigmoid would be applied to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgekit import _tf
from edgekit.training.labels import Head, Task

SMALLEST = 1e-12
"""Below any variance worth dividing by."""


@dataclass(frozen=True)
class Objective:
    """The loss of a batch, a scalar; 0 where the student is the teacher and labels have no weight.

    With labels it is `label_weight` task loss + (1 - `label_weight`) distillation on the output
    that they are about, distillation on the others.

    Attributes:
        heads: What the model applies to each output's scores.
        variances: Of the teacher's scores of each output on the training rows. The squared errors
            of linear heads are divided by them, so that learning rates carry over. Above 0.
        task: What labels are about; None without.
        temperature: Divides scores before they are compared with the teacher's; the gradient's
            size is kept by its square (Hinton et al. 2015, arXiv:1503.02531).
        label_weight: 0 to 1.
        feature_weight: Of the difference of inner activations (Romero et al. 2015,
            arXiv:1412.6550), a part of distillation.
        exits: So many heads at the end answer what head 0 does: labels of head 0 are theirs, too,
            and all losses are added (Teerapittayanon et al. 2016, arXiv:1709.01686).
        exit_weight: Of the loss of each of these.
    """

    heads: tuple[Head, ...]
    variances: tuple[float, ...]
    task: Task | None = None
    temperature: float = 4.0
    label_weight: float = 0.0
    feature_weight: float = 0.0
    exits: int = 0
    exit_weight: float = 1.0

    @property
    def distils(self) -> bool:
        """Whether the teacher's scores or activations count."""
        told = sum(map(self._labelled, range(len(self.heads))))
        return self.label_weight < 1 or told < len(self.heads)

    def _labelled(self, number: int) -> bool:
        """Whether labels are about a head."""
        if self.task is None:
            return False
        early = self.task.output == 0 and number >= len(self.heads) - self.exits
        return number == self.task.output or early

    def __call__(
        self,
        student: Sequence[Any],
        teacher: Sequence[Any],
        targets: Any = None,
        features: Sequence[tuple[Any, Any]] = (),
    ) -> Any:
        """The loss.

        Args:
            student: Scores [B, ...] of each output; again and again of networks that learn beside.
            teacher: The same of the teacher; empty where it does not count.
            targets: `Task.targets` of the labels, [B, ...]: mixed rows have mixed ones.
            features: Pairs of the student's and the teacher's activations.
        """
        total = _tf.tensorflow().constant(0.0)
        for place, scores in enumerate(student):
            number = place % len(self.heads)
            share = self.label_weight if self._labelled(number) else 0.0
            weight = self.exit_weight if number >= len(self.heads) - self.exits else 1.0
            total += weight * share * self._labels(scores, targets) if share else 0.0
            if share < 1:
                total += weight * (1 - share) * self._distance(number, scores, teacher[number])
        distilling = 1 - self.label_weight if self.task is not None else 1.0
        for mine, theirs in features:
            total += distilling * self.feature_weight / len(features) * _apart(mine, theirs)
        return total

    def _distance(self, number: int, student: Any, teacher: Any) -> Any:
        """Kullback-Leibler divergence from the teacher, or the scaled squared error."""
        tf, t = _tf.tensorflow(), self.temperature
        head = self.heads[number]
        if head == "linear":
            return self._squared(number, student, teacher)
        if head == "softmax":
            wanted = tf.nn.log_softmax(teacher / t)
            each = tf.exp(wanted) * (wanted - tf.nn.log_softmax(student / t))
            return t**2 * tf.reduce_mean(tf.reduce_sum(each, axis=-1))
        wanted = tf.sigmoid(teacher / t)
        cross = tf.nn.sigmoid_cross_entropy_with_logits
        return t**2 * tf.reduce_mean(cross(wanted, student / t) - cross(wanted, teacher / t))

    def _labels(self, scores: Any, targets: Any) -> Any:
        """Cross-entropy for classes and probabilities, the scaled squared error for values."""
        tf = _tf.tensorflow()
        assert self.task is not None, "labels without a task"
        head = self.heads[self.task.output]
        if head == "sigmoid":
            return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, scores))
        if head == "softmax" or self.task.classes:
            return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, scores))
        return self._squared(self.task.output, scores, targets)

    def _squared(self, number: int, scores: Any, wanted: Any) -> Any:
        tf = _tf.tensorflow()
        return tf.reduce_mean(tf.square(scores - wanted)) / self.variances[number]


def _apart(mine: Any, theirs: Any) -> Any:
    """Mean squared difference in units of the teacher's variance in the batch, if it has any."""
    tf = _tf.tensorflow()
    spread = tf.math.reduce_variance(theirs)
    alive = tf.cast(spread > SMALLEST, tf.float32)
    return alive * tf.reduce_mean(tf.square(mine - theirs)) / tf.maximum(spread, SMALLEST)

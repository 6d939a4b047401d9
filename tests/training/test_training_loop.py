from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from small_nets import Net

from edgekit import _tf
from edgekit.bridge.lift import Lifted, lift
from edgekit.errors import DataError, ModelError, UsageError
from edgekit.progress import Progress
from edgekit.training.loop import Trained, fine_tune
from edgekit.training.options import FineTune
from edgekit.training.rows import Rows

RNG = np.random.default_rng(0)
X = RNG.normal(size=(96, 6)).astype(np.float32)
OPTIONS = {"SOFTMAX": ("SoftmaxOptions", {"beta": 1.0})}
ROWS, GUARD = Rows((X[:64],)), Rows((X[64:],))
BRIEF = FineTune(epochs=6, batch=16, learning_rate=0.01, augment=("none",))


def dense(seed: int, head: str = "SOFTMAX") -> bytes:
    """6 -> 12 -> 3, and the head."""
    random = np.random.default_rng(seed)
    net = Net(6).dense(random.normal(size=(12, 6)), random.normal(size=12), activation=1)
    net.dense(random.normal(size=(3, 12)))
    return (net.op(head, (1, 3), OPTIONS.get(head)) if head else net).tflite()


def picture(seed: int) -> bytes:
    random = np.random.default_rng(seed)
    net = Net(8, 8, 2).conv(random.normal(size=(4, 3, 3, 2)) / 3, random.normal(size=4))
    return (
        net.mean()
        .dense(random.normal(size=(3, 4)))
        .op("SOFTMAX", (1, 3), OPTIONS["SOFTMAX"])
        .tflite()
    )


def weights(lifted: Lifted) -> list[np.ndarray]:
    return [variable.numpy() for variable in lifted.model.weights]


def tune(
    student: Lifted, teacher: Lifted, options: FineTune = BRIEF, rows: Rows = ROWS,
    guard: Rows = GUARD, seed: int = 0, progress: Progress | None = None, **more: Any,
) -> Trained:  # fmt: skip
    progress = progress or Progress()
    return fine_tune(student, teacher, rows, guard, options, seed=seed, progress=progress, **more)


def callback(**does: Any) -> Any:
    """A tf_keras callback: hook name -> function of its arguments, and of the model."""
    made = _tf.tf_keras().callbacks.Callback()
    for name, function in does.items():
        setattr(made, name, lambda *args, do=function, **_: do(made.model, *args))
    return made


@pytest.mark.parametrize("head", ["SOFTMAX", "LOGISTIC", ""])
def test_a_student_learns_from_its_teacher_without_labels(head: str) -> None:
    student = lift(dense(1, head))
    trained = tune(
        student, lift(dense(2, head)), dataclasses.replace(BRIEF, epochs=30, learning_rate=0.15)
    )
    assert trained.best_epoch > 10
    assert min(trained.guard_loss) < trained.guard_loss[0] / 3
    assert trained.loss[-1] < trained.loss[0] / 4
    assert len(trained.guard_loss) == len(trained.loss) + 1 == trained.epochs + 1


@pytest.mark.parametrize("form", [pytest.param("ints", id="numbers"), "one_hot"])
def test_a_student_learns_labels(form: str) -> None:
    labels = (X[:, :3] * 3).argmax(axis=1)
    given = labels if form == "ints" else np.eye(3)[labels]
    student = lift(dense(1))
    options = dataclasses.replace(
        BRIEF, epochs=60, label_weight=1.0, augment=("auto",), learning_rate=0.05
    )
    tune(student, lift(dense(2)), options, Rows((X[:64],), given[:64]), Rows((X[64:],), given[64:]))
    found = np.asarray(student.model(X)).argmax(axis=1)
    assert (found == labels).mean() > 0.85


def test_the_same_seed_gives_the_same_bytes() -> None:
    pictures = RNG.normal(size=(40, 8, 8, 2)).astype(np.float32)
    rows, guard = Rows((pictures[:32],)), Rows((pictures[32:],))
    augment = ("auto", "flip", "shift=2", "scale")
    options = FineTune(epochs=2, batch=8, learning_rate=0.01, augment=augment)

    def run(seed: int) -> tuple[Trained, bytes]:
        student = lift(picture(1))
        trained = tune(student, lift(picture(2)), options, rows, guard, seed)
        return trained, b"".join(array.tobytes() for array in weights(student))

    first = run(3)
    assert first == run(3)
    assert first != run(4)


def test_nothing_gets_worse_where_the_start_may_be_kept() -> None:
    student = lift(dense(1))
    before = weights(student)
    trained = tune(student, lift(dense(1)))
    assert (trained.best_epoch, trained.epochs) == (0, 6)
    assert trained.guard_loss[0] == pytest.approx(0, abs=1e-6)
    for mine, theirs in zip(weights(student), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("keep_from", "earliest"),
    [
        pytest.param(0.5, 3, id="half of the training"),
        pytest.param(0.51, 4, id="a little more"),
        pytest.param(1.0, 6, id="the last epoch only"),
    ],
)
def test_the_best_weights_are_those_of_an_epoch_that_may_be_kept(
    keep_from: float, earliest: int
) -> None:
    seen: list[list[np.ndarray]] = []
    student = lift(dense(1))

    def worse(model: Any, epoch: int, logs: Any) -> None:
        model.weights[0].assign_add(np.full(model.weights[0].shape, 0.3, np.float32))
        seen.append([variable.numpy() for variable in model.weights])

    options = dataclasses.replace(BRIEF, learning_rate=1e-5)
    teacher, spoils = lift(dense(1)), callback(on_epoch_end=worse)
    trained = tune(student, teacher, options, callbacks=[spoils], keep_from=keep_from)
    assert trained.best_epoch == earliest
    for mine, theirs in zip(weights(student), seen[earliest - 1], strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("keep_from", "epochs"), [pytest.param(0.0, 3, id="at once"), pytest.param(0.3, 5, id="later")]
)
def test_patience_ends_a_training_that_does_not_get_better(keep_from: float, epochs: int) -> None:
    def worse(model: Any, epoch: int, logs: Any) -> None:
        model.weights[0].assign_add(np.full(model.weights[0].shape, 0.3, np.float32))

    options = dataclasses.replace(BRIEF, epochs=10, patience=2, learning_rate=1e-5)
    spoils = callback(on_epoch_end=worse)
    trained = tune(lift(dense(1)), lift(dense(1)), options, callbacks=[spoils], keep_from=keep_from)
    assert (trained.stopped, trained.epochs) == ("patience", epochs)


def test_time_ends_a_training_and_the_latest_weights_stay() -> None:
    student = lift(dense(1))
    before = weights(student)
    options = dataclasses.replace(BRIEF, max_minutes=1e-6)
    trained = tune(student, lift(dense(2)), options, keep_from=0.9)
    assert (trained.stopped, trained.epochs, trained.best_epoch) == ("minutes", 1, 1)
    assert (weights(student)[0] != before[0]).any()


def test_a_loss_that_explodes_says_what_to_do() -> None:
    options = dataclasses.replace(BRIEF, learning_rate=1e30)
    with pytest.raises(ModelError, match=r"loss is (NaN|infinite) (at step \d+|on the guard)") as e:
        tune(lift(dense(1)), lift(dense(2)), options)
    assert e.value.hint == "lower the learning rate, now 1e+30: learning_rate = 0.003"


def test_a_model_that_is_nan_from_the_start_is_not_blamed_on_the_learning_rate() -> None:
    student = lift(dense(1))
    student.model.weights[0].assign(np.full(student.model.weights[0].shape, np.nan))
    with pytest.raises(ModelError, match="NaN before any training") as raised:
        tune(student, lift(dense(2)))
    assert "learning rate" not in raised.value.hint


def test_callbacks_are_driven_as_keras_does() -> None:
    calls: list[str] = []
    hooks = [
        *("on_train_begin", "on_epoch_begin", "on_train_batch_begin"),
        *("on_train_batch_end", "on_epoch_end", "on_train_end"),
    ]
    tells = callback(
        **{
            hook: lambda model, *args, hook=hook: calls.append(
                " ".join([hook, *(str(a) for a in args if isinstance(a, int))])
            )
            for hook in hooks
        }
    )
    options = dataclasses.replace(BRIEF, epochs=2, batch=30)
    tune(lift(dense(1)), lift(dense(2)), options, callbacks=[tells])
    batches = [f"on_train_batch_{when} {step}" for step in (0, 1) for when in ("begin", "end")]
    epochs = [[f"on_epoch_begin {e}", *batches, f"on_epoch_end {e}"] for e in (0, 1)]
    assert calls == ["on_train_begin", *epochs[0], *epochs[1], "on_train_end"]


@pytest.mark.parametrize("method", ["prune", "cluster"])
def test_wrapped_layers_keep_what_their_wrappers_make_of_them(method: str) -> None:
    mot = _tf.tfmot()

    def wrap(layer: Any) -> Any:
        if method == "prune":
            schedule = mot.sparsity.keras.ConstantSparsity(0.5, 0, frequency=1)
            return mot.sparsity.keras.prune_low_magnitude(layer.layer, schedule)
        init = mot.clustering.keras.CentroidInitialization.LINEAR
        return mot.clustering.keras.cluster_weights(layer.layer, 4, init)

    student = lift(dense(1), wrap=wrap)
    updates = [mot.sparsity.keras.UpdatePruningStep()] if method == "prune" else []
    keep_from = 0.5 if method == "prune" else 0.0
    trained = tune(student, lift(dense(1)), callbacks=updates, keep_from=keep_from)
    assert trained.guard_loss[-1] < trained.guard_loss[1] * 2
    if method == "prune":
        for layer in student.layers:
            assert (layer.layer.kernel.numpy() == 0).mean() == pytest.approx(0.5, abs=0.02)
    else:
        for wrapper in student.model.layers:
            if hasattr(wrapper, "update_clustered_weights_associations"):
                wrapper.update_clustered_weights_associations()
                assert len(np.unique(wrapper.layer.kernel.numpy())) <= 4
    measured = float(np.abs(student.scores(X) - lift(dense(1)).scores(X)).mean())
    assert 0.0 < measured < 3.0


def several(seed: int) -> Lifted:
    """Words and values -> two outputs: classes and values."""
    keras = _tf.tf_keras()
    keras.utils.set_random_seed(seed)
    words, side = keras.Input((4,), dtype="int32"), keras.Input((5,))
    inner = keras.layers.Embedding(9, 5)(words)
    inner = keras.layers.Concatenate()([keras.layers.Flatten()(inner), side])
    classes, values = keras.layers.Dense(3)(inner), keras.layers.Dense(2)(inner)
    scores = keras.Model([words, side], [classes, values])
    model = keras.Model([words, side], [keras.layers.Softmax()(classes), values])
    return Lifted(model, scores, ("softmax", "linear"), (), {}, b"")


def test_models_of_several_inputs_and_outputs_some_of_whole_numbers() -> None:
    words = RNG.integers(0, 9, (80, 4)).astype(np.int32)
    side = RNG.normal(size=(80, 5)).astype(np.float32)
    labels = words[:, 0] % 3
    rows = Rows((words[:60], side[:60]), labels[:60])
    guard = Rows((words[60:], side[60:]), labels[60:])
    options = FineTune(epochs=80, batch=20, learning_rate=0.02, label_weight=0.9)
    student, teacher = several(1), several(2)
    trained = tune(student, teacher, options, rows, guard)
    classes, values = student.scores([words, side])
    assert (np.asarray(classes).argmax(axis=1) == labels).mean() > 0.9
    wanted = np.asarray(teacher.scores([words, side])[1])
    assert np.mean((values - wanted) ** 2) < 0.2 * wanted.var()
    assert trained.best_epoch > 0


def test_inner_activations_come_closer_when_they_count() -> None:
    teacher = lift(dense(2))
    inner = teacher.layers[0].op.outputs[0]

    def apart(feature_weight: float) -> float:
        student = lift(dense(1))
        options = dataclasses.replace(
            BRIEF, epochs=20, learning_rate=0.1, feature_weight=feature_weight
        )
        tune(student, teacher, options)
        keras = _tf.tf_keras()
        both = [keras.Model(m.model.input, m.activations[inner])(X) for m in (student, teacher)]
        return float(np.mean((both[0] - both[1]) ** 2))

    assert apart(1.0) < 0.6 * apart(0.0)


class Told(Progress):
    def __init__(self) -> None:
        self.steps: list[str] = []
        self.counts: list[tuple[int, int | None]] = []
        self.notes: list[str] = []

    def step(self, what: str) -> None:
        self.steps.append(what)

    def advance(self, done: int, total: int | None) -> None:
        self.counts.append((done, total))

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_progress_hears_of_loss_and_time() -> None:
    told = Told()
    tune(lift(dense(1)), lift(dense(2)), progress=told, title="pruning to 50 %")
    assert told.steps == ["pruning to 50 %"]
    assert told.counts[-1] == (24, 24)
    assert told.notes[-1].startswith("loss ")
    assert told.notes[-1].endswith(" 0 s left")
    assert "guard" in told.notes[-1]


def test_the_record_has_no_times_and_short_numbers() -> None:
    trained = Trained(2, 1, "epochs", (0.123456789, 1e-9), (1.0, 2.0, 3.0))
    assert trained.to_json() == {
        "epochs": 2,
        "best_epoch": 1,
        "stopped": "epochs",
        "loss": [0.123457, 1e-09],
        "guard_loss": [1.0, 2.0, 3.0],
    }


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        pytest.param(np.full(64, 3), "label 3 of row 0", id="a class that is not there"),
        pytest.param(np.zeros((64, 2)), r"do not fit the output \[1, 3\]", id="two for three"),
        pytest.param(np.full((64, 3), 0.7), "gives probabilities", id="sums of 2.1"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        tune(lift(dense(1)), lift(dense(1)), rows=Rows((X[:64],), labels))


def test_transforms_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="flip does not fit"):
        tune(lift(dense(1)), lift(dense(1)), dataclasses.replace(BRIEF, augment=("flip",)))


def test_a_frozen_model_is_refused() -> None:
    student = lift(dense(1))
    student.model.trainable = False
    with pytest.raises(ModelError, match="no weights to train"):
        tune(student, lift(dense(1)))

"""Keras models of every shape and age: converted and proved, or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit import _tf
from edgekit.errors import ModelError
from edgekit.graph.read import read
from edgekit.importers.base import load
from edgekit.importers.prove import seeded_rows
from edgekit.model import Model
from edgekit.runtimes.litert import LiteRT

LOOP = "WHILE"
BOTH = pytest.mark.parametrize(
    "library", ["keras3", pytest.param("tf_keras", marks=pytest.mark.slow)]
)


def keras_of(library: str) -> Any:
    return getattr(_tf, library)()


def saved(model: Any, folder: Path, suffix: str = ".keras") -> Path:
    path = folder / f"net{suffix}"
    with _tf.silent():
        model.save(path)
    return path


def imported(model: Any, folder: Path, suffix: str = ".keras") -> Model:
    """Imported, and compared with Keras's own prediction once more, independent of the proof."""
    result = load(saved(model, folder, suffix))
    row = seeded_rows(result.inputs, seed=7, samples=1, highest=4)[0]
    expected = model(row[0] if len(row) == 1 else list(row), training=False)
    flat = _tf.tensorflow().nest.flatten(expected)
    with LiteRT(result.tflite) as runtime:
        for got, wanted in zip(runtime.run(row), flat, strict=True):
            np.testing.assert_allclose(got, np.asarray(wanted), rtol=1e-3, atol=1e-4)
    return result


def ops(model: Model) -> set[str]:
    return {op.name for op in read(model.tflite).ops}


def small(keras: Any, shape: tuple[int | None, ...] = (8, 8, 1)) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input(shape, name="image"),
            layers.Conv2D(2, 3, activation="relu", name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.Flatten(name="flat"),
            layers.Dense(3, activation="softmax", name="probabilities"),
        ]
    )


@pytest.mark.parametrize(
    ("library", "suffix", "form"),
    [
        ("keras3", ".keras", "keras"),
        ("keras3", ".h5", "h5-keras3"),
        ("tf_keras", ".keras", "keras"),
        ("tf_keras", ".h5", "h5"),
    ],
)
def test_every_file_format_of_both_kerases(
    tmp_path: Path, library: str, suffix: str, form: str
) -> None:
    keras = keras_of(library)
    net = small(keras)
    model = imported(net, tmp_path, suffix)
    assert model.source.format == form
    assert model.source.parameters == net.count_params()
    assert [(spec.name, spec.shape) for spec in model.inputs] == [("image", (1, 8, 8, 1))]
    assert [(spec.name, spec.shape) for spec in model.outputs] == [("probabilities", (1, 3))]
    assert model.form == "keras"
    assert isinstance(model.keras, keras.Model)
    assert 0 <= model.proof["max_difference"] <= model.proof["tolerance"] < 1e-3
    assert model.problems == ()


@BOTH
def test_several_inputs_and_outputs_keep_order_and_names(tmp_path: Path, library: str) -> None:
    keras = keras_of(library)
    second = keras.Input((4,), name="b_second")
    first = keras.Input((6,), name="z_first")
    y = keras.layers.Dense(5, name="y_head")(first)
    a = keras.layers.Dense(2, name="a_head")(keras.layers.Concatenate()([first, second]))
    model = imported(keras.Model([first, second], [y, a]), tmp_path)
    assert [(i.name, i.shape) for i in model.inputs] == [("z_first", (1, 6)), ("b_second", (1, 4))]
    assert [(o.name, o.shape) for o in model.outputs] == [("y_head", (1, 5)), ("a_head", (1, 2))]


@BOTH
def test_dict_outputs_are_named_by_their_keys(tmp_path: Path, library: str) -> None:
    keras = keras_of(library)
    x = keras.Input((4,), name="x")
    heads = {"size": keras.layers.Dense(1)(x), "kind": keras.layers.Dense(3)(x)}
    model = imported(keras.Model(x, heads), tmp_path)
    assert [(o.name, o.shape) for o in model.outputs] == [("kind", (1, 3)), ("size", (1, 1))]


@BOTH
def test_integer_input_of_an_embedding_stays_integer(tmp_path: Path, library: str) -> None:
    keras = keras_of(library)
    words = keras.Input((6,), dtype="int32", name="words")
    x = keras.layers.Embedding(5, 4)(words)
    x = keras.layers.GlobalAveragePooling1D()(x)
    model = imported(keras.Model(words, keras.layers.Dense(2)(x)), tmp_path)
    assert [spec.dtype for spec in model.inputs] == ["int32"]


@BOTH
@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
def test_token_ids_come_in_as_integers_and_are_only_looked_up(
    tmp_path: Path, library: str, masked: bool
) -> None:
    layers = keras_of(library).layers
    net = keras_of(library).Sequential(
        [
            layers.Input((6,), name="words"),  # float32 by default
            layers.Embedding(50, 4, mask_zero=masked),
            layers.GlobalAveragePooling1D(),
            layers.Dense(2),
        ]
    )
    model = imported(net, tmp_path)
    assert [(spec.name, spec.dtype) for spec in model.inputs] == [("words", "int32")]
    assert "LESS" not in ops(model)  # negative indices are not wrapped around
    (note,) = model.problems
    assert (note.where, note.severity) == ("words", "note")


@BOTH
def test_repeating_layers_have_no_tile(tmp_path: Path, library: str) -> None:
    layers = keras_of(library).layers
    net = keras_of(library).Sequential(
        [
            layers.Input((3,)),
            layers.RepeatVector(4),
            layers.Conv1D(4, 2),
            layers.UpSampling1D(2),
            layers.Reshape((6, 2, 2)),
            layers.UpSampling2D((2, 3)),
        ]
    )
    assert "TILE" not in ops(imported(net, tmp_path))


@pytest.mark.parametrize("shape", [(5,), (6, 3), (6, 6, 2), (4, 5, 5, 2)], ids="rank {0}".format)
@BOTH
def test_inputs_of_rank_2_to_5(tmp_path: Path, library: str, shape: tuple[int, ...]) -> None:
    layers = keras_of(library).layers
    convolutions = {2: layers.Conv1D, 3: layers.Conv2D, 4: layers.Conv3D}
    body = [convolutions[len(shape)](2, 2)] if len(shape) in convolutions else []
    net = keras_of(library).Sequential(
        [layers.Input(shape), *body, layers.Flatten(), layers.Dense(2)]
    )
    assert imported(net, tmp_path).inputs[0].shape == (1, *shape)


@BOTH
def test_scalar_output(tmp_path: Path, library: str) -> None:
    keras = keras_of(library)
    net = keras.Sequential(
        [keras.layers.Input((4,)), keras.layers.Dense(1), keras.layers.Flatten()]
    )
    assert imported(net, tmp_path).outputs[0].shape == (1, 1)
    net = keras.Sequential(
        [keras.layers.Input((4,)), keras.layers.Dense(1), keras.layers.Reshape(())]
    )
    assert imported(net, tmp_path).outputs[0].shape == (1,)


@BOTH
@pytest.mark.parametrize(
    "cell",
    [
        "LSTM",
        pytest.param("GRU", marks=pytest.mark.slow),
        pytest.param("SimpleRNN", marks=pytest.mark.slow),
    ],
)
def test_recurrent_layers_are_unrolled(tmp_path: Path, library: str, cell: str) -> None:
    layers = keras_of(library).layers
    net = keras_of(library).Sequential(
        [layers.Input((5, 3)), getattr(layers, cell)(4, name="cell"), layers.Dense(2)]
    )
    model = imported(net, tmp_path)
    assert LOOP not in ops(model)
    (note,) = model.problems
    assert (note.severity, note.where) == ("note", "cell")
    assert "unrolled over 5 steps" in note.message
    assert model.keras.get_layer("cell").unroll is False


@BOTH
def test_recurrent_layers_within_others_are_unrolled(tmp_path: Path, library: str) -> None:
    keras = keras_of(library)
    layers = keras.layers
    words = keras.Input((6,), dtype="int32", name="words")
    x = layers.Embedding(5, 4)(words)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True, name="both"))(x)
    inner = keras.Sequential([layers.Input((6, 6)), layers.GRU(3, name="inner")])
    model = imported(keras.Model(words, inner(x)), tmp_path)
    assert LOOP not in ops(model)
    assert [note.where for note in model.problems] == ["forward_both", "backward_both", "inner"]


@BOTH
def test_masked_recurrent_layers_are_unrolled_where_keras_does_it_right(
    tmp_path: Path, library: str
) -> None:
    keras = keras_of(library)
    layers = keras.layers
    words = keras.Input((6,), dtype="int32", name="words")
    x = layers.Embedding(5, 4, mask_zero=True)(words)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True, name="both"))(x)
    model = imported(keras.Model(words, layers.GRU(3, name="last")(x)), tmp_path)
    assert [note.where for note in model.problems] == ["forward_both", "last"]
    assert LOOP in ops(model)


@BOTH
def test_long_sequences_stay_loops(tmp_path: Path, library: str) -> None:
    layers = keras_of(library).layers
    net = keras_of(library).Sequential([layers.Input((129, 2)), layers.SimpleRNN(2)])
    model = imported(net, tmp_path)
    assert LOOP in ops(model)
    assert model.problems == ()


@BOTH
def test_nested_models_and_wrappers(tmp_path: Path, library: str) -> None:
    keras = keras_of(library)
    layers = keras.layers
    inner = keras.Sequential([layers.Input((3,)), layers.Dense(4, activation="relu")], name="inner")
    x = keras.Input((5, 3), name="x")
    y = layers.TimeDistributed(inner)(x)
    y = layers.Bidirectional(layers.LSTM(3))(y)
    imported(keras.Model(x, y), tmp_path)


@BOTH
def test_a_batch_size_baked_in_becomes_1(tmp_path: Path, library: str) -> None:
    keras = keras_of(library)
    x = keras.Input(batch_shape=(8, 6), name="x")
    y = keras.layers.Dense(2)(keras.layers.BatchNormalization()(x))
    net = keras.Model(x, y)
    model = load(saved(net, tmp_path))
    assert model.inputs[0].shape == (1, 6)
    assert "batch size 8" in model.problems[0].message


@BOTH
@pytest.mark.parametrize("policy", ["mixed_float16", "float16"])
def test_half_precision_is_converted_to_float32(tmp_path: Path, library: str, policy: str) -> None:
    keras = keras_of(library)
    net = keras.Sequential([keras.layers.Input((6,), dtype="float32")])
    net.add(keras.layers.Dense(4, activation="relu", dtype=policy))
    net.add(keras.layers.Dense(2, dtype=policy))
    model = load(saved(net, tmp_path))
    assert {spec.dtype for spec in (*model.inputs, *model.outputs)} == {"float32"}
    assert "half precision" in model.problems[0].message
    assert model.proof["max_difference"] > 0


@BOTH
def test_a_trained_model_comes_without_its_loss_and_optimizer(tmp_path: Path, library: str) -> None:
    net = small(keras_of(library))

    def made_up_loss(y: Any, p: Any) -> Any:
        return (y - p) ** 2

    net.compile("adam", loss=made_up_loss)
    net.fit(np.zeros((2, 8, 8, 1)), np.zeros((2, 3)), verbose=0)
    imported(net, tmp_path)


@BOTH
@pytest.mark.parametrize(
    "shape", [(None, None, 3), (None, 16, 3)], ids=["height and width", "height"]
)
def test_an_open_image_size_is_refused_by_the_inputs_name(
    tmp_path: Path, library: str, shape: tuple[int | None, ...]
) -> None:
    layers = keras_of(library).layers
    net = keras_of(library).Sequential(
        [layers.Input(shape, name="photo"), layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()]
    )
    with pytest.raises(ModelError, match=r"input 'photo' has no fixed shape: \(None, None, ") as e:
        load(saved(net, tmp_path))
    assert "sizes in the source" in e.value.hint


@BOTH
def test_an_open_time_axis_is_refused(tmp_path: Path, library: str) -> None:
    layers = keras_of(library).layers
    net = keras_of(library).Sequential([layers.Input((None, 3), name="signal"), layers.LSTM(2)])
    with pytest.raises(ModelError, match="'signal' has no fixed shape"):
        load(saved(net, tmp_path))


@BOTH
def test_a_sequential_model_that_was_never_built_is_refused(tmp_path: Path, library: str) -> None:
    keras = keras_of(library)
    with pytest.raises(ModelError, match="before it was built"):
        load(saved(keras.Sequential([keras.layers.Dense(2)]), tmp_path))


@BOTH
def test_a_sequential_model_built_without_an_input_layer(tmp_path: Path, library: str) -> None:
    keras = keras_of(library)
    net = keras.Sequential([keras.layers.Dense(2)])
    net.build((None, 4))
    assert imported(net, tmp_path).inputs[0].shape == (1, 4)


@BOTH
def test_a_stateful_layer_is_refused_by_name(tmp_path: Path, library: str) -> None:
    keras = keras_of(library)
    x = keras.Input(batch_shape=(1, 5, 3))
    net = keras.Model(x, keras.layers.LSTM(2, stateful=True, name="memory")(x))
    with pytest.raises(ModelError, match="'memory' is stateful"):
        load(saved(net, tmp_path))


@BOTH
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_weights_that_are_not_finite_are_refused_by_name(
    tmp_path: Path, library: str, suffix: str
) -> None:
    net = small(keras_of(library))
    weights = net.get_layer("probabilities").get_weights()
    weights[0][0, 0] = np.nan
    net.get_layer("probabilities").set_weights(weights)
    with pytest.raises(ModelError, match=r"probabilities/kernel.*NaN"):
        load(saved(net, tmp_path, suffix))


def test_an_op_that_litert_lacks_is_named_with_its_layer(tmp_path: Path) -> None:
    keras = _tf.keras3()
    x = keras.Input((8,), name="x")
    y = keras.layers.Dense(8, name="fine")(x)
    real, imaginary = keras.ops.fft((y, y))
    net = keras.Model(x, keras.layers.Add(name="total")([real, imaginary]))
    with pytest.raises(ModelError, match="FFT") as e:
        load(saved(net, tmp_path))
    assert len(str(e.value)) < 400
    assert "fft" in str(e.value).lower()


@BOTH
def test_importing_prints_nothing(
    tmp_path: Path, library: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = saved(small(keras_of(library)), tmp_path, ".h5")
    capfd.readouterr()
    load(path)
    assert capfd.readouterr() == ("", "")

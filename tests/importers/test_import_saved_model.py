"""SavedModels of tf_keras, of Keras 3's export, and of plain tf.Module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit import _tf
from edgekit.errors import ModelError
from edgekit.importers.base import load


def net(keras: Any) -> Any:
    x = keras.Input((6, 6, 2), name="image")
    y = keras.layers.Conv2D(3, 3, activation="relu", name="conv")(x)
    y = keras.layers.BatchNormalization(name="norm")(y)
    return keras.Model(x, keras.layers.Dense(2, name="top")(keras.layers.Flatten()(y)))


def module(shape: tuple[int | None, ...] = (None, 4), names: tuple[str, ...] = ("f",)) -> Any:
    tf = _tf.tensorflow()

    class Net(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = tf.Variable(np.arange(8, dtype=np.float32).reshape(4, 2))

        def f(self, signal: Any) -> dict[str, Any]:
            y = tf.reshape(signal, [-1, 4]) @ self.weight
            return {f"output_{i}": y * float(i) for i in range(1, 12)}

    made = Net()
    function = tf.function(made.f, autograph=False)
    concrete = function.get_concrete_function(tf.TensorSpec(shape, tf.float32, name="signal"))
    return made, dict.fromkeys(names, concrete)


def saved(made: Any, signatures: dict[str, Any], folder: Path) -> Path:
    with _tf.silent():
        _tf.tensorflow().saved_model.save(made, str(folder / "net"), signatures=signatures)
    return folder / "net"


def test_tf_keras_restores_the_layers(tmp_path: Path) -> None:
    source = net(_tf.tf_keras())
    with _tf.silent():
        source.save(tmp_path / "net")
    model = load(tmp_path / "net")
    assert model.form == "keras"
    assert model.saved_model == tmp_path / "net"
    assert [layer.name for layer in model.keras.layers][1:3] == ["conv", "norm"]
    assert (model.inputs[0].name, model.outputs[0].name) == ("image", "top")
    assert model.source.parameters == source.count_params()


def test_keras_3_export_is_converted_from_its_signature(tmp_path: Path) -> None:
    source = net(_tf.keras3())
    with _tf.silent():
        source.export(tmp_path / "net", verbose=False)
    model = load(tmp_path / "net")
    assert model.form == "tflite"
    assert model.saved_model == tmp_path / "net"
    assert model.inputs[0].name == "image"
    assert model.source.parameters == source.count_params()
    assert "serving_default" in model.problems[0].message


@pytest.mark.parametrize(
    "names", [("serving_default", "other"), ("only",)], ids=["serving_default", "the only one"]
)
def test_a_modules_signature_keeps_names_and_natural_order(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    model = load(saved(*module(names=names), tmp_path))
    assert [spec.name for spec in model.inputs] == ["signal"]
    assert [spec.name for spec in model.outputs] == [f"output_{i}" for i in range(1, 12)]
    assert model.source.parameters == 8


@pytest.mark.parametrize(
    ("shape", "names", "message"),
    [
        ((None, 4), ("one", "two"), "several signatures and none is 'serving_default': one, two"),
        ((None, 4), (), "has no signature"),
        ((None, None), ("f",), "input 'signal' has no fixed shape"),
        ((None, None, 4), ("f",), "input 'signal' has no fixed shape"),
        ((8, 4), ("f",), "input 'signal' has batch size 8 baked in"),
    ],
    ids=["several signatures", "no signature", "open width", "open time axis", "batch of 8"],
)
def test_refusals_by_name(
    tmp_path: Path, shape: tuple[int | None, ...], names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        load(saved(*module(shape, names), tmp_path))


def test_an_output_whose_size_depends_on_the_values_is_refused(tmp_path: Path) -> None:
    tf = _tf.tensorflow()
    made = tf.Module()
    made.f = tf.function(
        lambda x: {"found": tf.where(x > 0.5)},
        input_signature=[tf.TensorSpec((1, 4), tf.float32)],
    )
    with pytest.raises(ModelError, match="output 'found' has no fixed shape"):
        load(saved(made, {"serving_default": made.f}, tmp_path))


def test_a_graph_that_reads_files_is_refused(tmp_path: Path) -> None:
    tf = _tf.tensorflow()
    made = tf.Module()
    made.f = tf.function(
        lambda x: x + tf.cast(tf.strings.length(tf.io.read_file("/etc/hostname")), tf.float32),
        input_signature=[tf.TensorSpec((1, 4), tf.float32)],
    )
    with pytest.raises(ModelError, match="is a ReadFile, which reaches out"):
        load(saved(made, {"f": made.f}, tmp_path))


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    made, signatures = module()
    made.weight.assign(np.full((4, 2), np.inf, np.float32))
    with pytest.raises(ModelError, match="NaN or infinity"):
        load(saved(made, signatures, tmp_path))


@pytest.mark.parametrize("library", ["keras3", "tf_keras"])
@pytest.mark.parametrize(
    "damage", ["no variables", "no index", "cut graph", "cut variables", "no graph"]
)
def test_a_damaged_folder(tmp_path: Path, library: str, damage: str) -> None:
    source, folder = net(getattr(_tf, library)()), tmp_path / "net"
    with _tf.silent():
        source.save(folder) if library == "tf_keras" else source.export(folder, verbose=False)
    data = next((folder / "variables").glob("variables.data*"))
    if damage == "no variables":
        data.unlink()
    elif damage == "no index":
        (folder / "variables" / "variables.index").unlink()
    elif damage == "cut graph":
        pb = folder / "saved_model.pb"
        pb.write_bytes(pb.read_bytes()[: pb.stat().st_size // 2])
    elif damage == "cut variables":
        data.write_bytes(data.read_bytes()[:100])
    else:
        (folder / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ModelError, match="damaged"):
        load(folder)

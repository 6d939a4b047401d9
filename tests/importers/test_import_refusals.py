"""Code in model files is never executed; custom layers are named and can be registered."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import h5py
import pytest

from edgekit import _tf
from edgekit.errors import ModelError, UsageError
from edgekit.importers.base import load

BOTH = pytest.mark.parametrize("library", ["keras3", "tf_keras"])
FORMS = pytest.mark.parametrize(
    ("library", "suffix"),
    [
        ("keras3", ".keras"),
        ("keras3", ".h5"),
        ("tf_keras", ".keras"),
        ("tf_keras", ".h5"),
        ("tf_keras", ""),
    ],
    ids=["Keras 3 .keras", "Keras 3 .h5", "Keras 2 .keras", "legacy .h5", "SavedModel"],
)


def evil_source(flag: Path) -> Any:
    """A function whose call leaves a trace on disk."""
    scope: dict[str, Any] = {}
    exec(f"def evil(x):\n    open({str(flag)!r}, 'w').close()\n    return x\n", scope)
    return scope["evil"]


def saved(model: Any, folder: Path, suffix: str) -> Path:
    path = folder / f"net{suffix}"
    with _tf.silent():
        model.save(path)
    return path


def nest(keras: Any, layer: Any, where: str) -> Any:
    """A model with `layer` at its top, inside a sub-model, or inside a wrapper in one."""
    layers = keras.layers
    if where == "top":
        return keras.Sequential([layers.Input((4, 3)), layer, layers.Dense(2)])
    if where == "sub-model":
        inner = keras.Sequential([layers.Input((4, 3)), layer], name="inner")
        return keras.Sequential([layers.Input((4, 3)), inner, layers.Dense(2)])
    inner = keras.Sequential([layers.Input((4, 3)), layers.TimeDistributed(layer)], name="inner")
    return keras.Sequential([layers.Input((4, 3)), inner, layers.Dense(2)])


@FORMS
@pytest.mark.parametrize(
    "where", ["top", pytest.param("sub-model", marks=pytest.mark.slow), "wrapper"]
)
def test_a_lambda_is_named_and_never_executed(
    tmp_path: Path, library: str, suffix: str, where: str
) -> None:
    keras = getattr(_tf, library)()
    flag = tmp_path / "executed"
    layer = keras.layers.Lambda(evil_source(flag), output_shape=None, name="sneaky")
    path = saved(nest(keras, layer, where), tmp_path, suffix)
    flag.unlink(missing_ok=True)
    with pytest.raises(ModelError, match=r"'(\S*/)?sneaky' is a Lambda") as e:
        load(path)
    assert "register_keras_serializable" in e.value.hint
    assert "--module" in e.value.hint
    assert not flag.exists()


def unregistered(keras: Any) -> Any:
    class Doubler(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 2.0

    return Doubler(name="twice")


@FORMS
@pytest.mark.parametrize(
    "where", ["top", pytest.param("sub-model", marks=pytest.mark.slow), "wrapper"]
)
def test_an_unregistered_custom_layer_is_named_with_its_class(
    tmp_path: Path, library: str, suffix: str, where: str
) -> None:
    keras = getattr(_tf, library)()
    path = saved(nest(keras, unregistered(keras), where), tmp_path, suffix)
    with pytest.raises(
        ModelError, match=r"twice' uses the custom class or function 'Doubler'"
    ) as e:
        load(path)
    assert f"@{keras.__name__}.saving.register_keras_serializable()" in e.value.hint


MODULE = """
import {name} as keras

@keras.saving.register_keras_serializable("{package}")
class Tripler(keras.layers.Layer):
    def call(self, x):
        return x * 3.0
"""


@FORMS
@pytest.mark.parametrize("by", ["name", pytest.param("file", marks=pytest.mark.slow)])
def test_a_registered_layer_loads_with_the_users_module(
    tmp_path: Path, library: str, suffix: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keras = getattr(_tf, library)()
    module = f"layers_{library}_{by}_{suffix.strip('.')}"
    file = tmp_path / f"{module}.py"
    file.write_text(MODULE.format(name=keras.__name__, package=module))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    layer = __import__(module).Tripler(name="thrice")
    path = saved(nest(keras, layer, "sub-model"), tmp_path, suffix)
    # As in a new process: nothing is imported or registered yet
    sys.modules.pop(module)
    keras.saving.get_custom_objects().pop(f"{module}>Tripler")
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="Tripler"):
        load(path)
    model = load(path, [module if by == "name" else str(file)])
    assert model.proof["max_difference"] < 1e-4


def test_a_module_that_cannot_be_imported_is_a_usage_error(tmp_path: Path) -> None:
    keras = _tf.keras3()
    path = saved(
        keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)]), tmp_path, ".keras"
    )
    with pytest.raises(UsageError, match="'no_such_layers' cannot be imported"):
        load(path, ["no_such_layers"])


@BOTH
def test_a_custom_activation_function_is_named(tmp_path: Path, library: str) -> None:
    keras = getattr(_tf, library)()

    def bent(x: Any) -> Any:
        return x * x

    net = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1, activation=bent)])
    with pytest.raises(ModelError, match="bent") as e:
        load(saved(net, tmp_path, ".h5"))
    assert "--module" in e.value.hint


def test_a_layer_that_loads_another_savedmodel_is_refused(tmp_path: Path) -> None:
    keras = _tf.keras3()
    inner = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)])
    with _tf.silent():
        inner.export(tmp_path / "inner", verbose=False)
        layer = keras.layers.TFSMLayer(str(tmp_path / "inner"), name="loader")
        x = keras.Input((4,))
        net = keras.Model(x, layer(x))
    with pytest.raises(ModelError, match="'loader' is a TFSMLayer"):
        load(saved(net, tmp_path, ".keras"))


def test_a_tensorflow_function_that_writes_files_is_refused(tmp_path: Path) -> None:
    tf, keras = _tf.tensorflow(), _tf.tf_keras()
    x = keras.Input((4,))
    path = saved(keras.Model(x, tf.math.maximum(x, x)), tmp_path, ".h5")
    with h5py.File(path, "r+") as file:
        config = file.attrs["model_config"]
        assert "math.maximum" in config
        file.attrs["model_config"] = config.replace("math.maximum", "io.write_file")
    with pytest.raises(ModelError, match=r"calls tf\.io\.write_file"):
        load(path)


def test_ordinary_tensorflow_functions_are_accepted(tmp_path: Path) -> None:
    tf, keras = _tf.tensorflow(), _tf.tf_keras()
    x = keras.Input((4, 4, 2))
    y = tf.nn.relu(x * 2.0 + 1.0)
    y = tf.reshape(tf.math.reduce_mean(y, axis=[1, 2]), [-1, 2])
    assert load(saved(keras.Model(x, y), tmp_path, ".h5")).outputs[0].shape == (1, 2)

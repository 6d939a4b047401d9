"""A loaded Keras 3 or tf_keras model -> a proved `Model`: float32, batch 1."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit._converter_errors import one_line
from edgekit.convert import float_tflite, keras_function
from edgekit.errors import ModelError
from edgekit.graph.read import read
from edgekit.importers._config import Library
from edgekit.importers._unroll import unrolled
from edgekit.importers.base import hash_source, model_name, specs
from edgekit.importers.prove import TOLERANCE, Layers, Row, prove
from edgekit.model import Format, Model, Source, TensorSpec
from edgekit.problem import Problem

_HALF = ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16")
_OTHER_FLOATS = (*_HALF, "float64")
_SHAPES = ("batch_shape", "batch_input_shape")
_HALF_TOLERANCE = 3e-2  # the source rounds every layer to 11 (float16) or 8 bits (bfloat16)


def import_keras(
    loaded: Any, path: Path, form: Format, library: Library, saved_model: Path | None = None
) -> Model:
    """Convert and prove a Keras model.

    Args:
        loaded: The model, from a file that `_config.check` found harmless.
        path: Where it came from.
        form: What the file is.
        library: The Keras it belongs to.
        saved_model: The folder, where that is what it came from.

    Raises:
        ModelError: It cannot be converted, or the result differs.
    """
    try:
        keras_function(loaded)  # an open shape is the better thing to complain of
        _refuse_not_finite(loaded)
        with _tf.silent():
            plain, batch, half = _plain(loaded, library)
        with unrolled(plain, library.keras) as recurrent:
            tflite = float_tflite(plain)
        proof = prove(
            tflite,
            lambda row: _outputs(loaded, row, batch),
            lambda row: _layer_outputs(loaded, row, batch),
            tolerance=_HALF_TOLERANCE if half else TOLERANCE,
        )
    except ModelError as error:
        raise ModelError(f"{path}: {error.message}", error.hint) from error
    inputs, outputs = specs(read(tflite))
    notes = (*_notes(path, batch, half), *_integers(keras_function(plain).inputs, inputs))
    return Model(
        name=model_name(path),
        source=Source(path, hash_source(path), form, int(loaded.count_params())),
        tflite=tflite,
        inputs=inputs,
        outputs=outputs,
        keras=plain,
        saved_model=saved_model,
        proof=proof,
        history=(f"imported from {form}",),
        problems=(*notes, *map(_unrolled, recurrent.items())),
    )


def load_error(path: Path, version: str, error: Exception) -> ModelError:
    """What Keras says about a file it cannot load, in one line."""
    text = one_line(error)
    if "Unknown" in text or "Could not locate" in text or "custom" in text.lower():
        hint = "register custom classes and functions in a module: --module my_layers"
    else:
        hint = "copy the file again if it is damaged; else load it with the Keras that wrote it"
        hint += " and save it again"
    return ModelError(f"{path}: it was written by Keras {version} and does not load: {text}", hint)


def _notes(path: Path, batch: int, half: bool) -> tuple[Problem, ...]:
    notes = []
    if half:
        message = "computes in half precision; converted to float32, as LiteRT computes"
        notes.append(Problem("note", str(path), message, "nothing to do"))
    if batch > 1:
        message = f"has batch size {batch} baked in; converted with batch 1"
        notes.append(Problem("note", str(path), message, "nothing to do"))
    return tuple(notes)


def _integers(given: Sequence[TensorSpec], built: Sequence[TensorSpec]) -> Iterator[Problem]:
    for before, after in zip(given, built, strict=True):
        if before.dtype != after.dtype:
            message = f"input {after.name!r} holds indices: it takes {after.dtype}, not float"
            yield Problem("note", after.name, message, "nothing to do")


def _unrolled(layer: tuple[str, int]) -> Problem:
    name, steps = layer
    return Problem(
        "note",
        name,
        f"recurrent layer {name!r} is unrolled over {steps} steps, each with ops of its own",
        "nothing to do; shorter sequences make a smaller model",
    )


def _refuse_not_finite(model: Any) -> None:
    for weight in model.weights:
        values = np.asarray(weight)
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ModelError(
                f"the weights {getattr(weight, 'path', weight.name)!r} hold NaN or infinity",
                "the training diverged or the file is damaged: save the model again from a good "
                "checkpoint",
            )


def _plain(model: Any, library: Library) -> tuple[Any, int, bool]:
    """The model in float32 with an open batch; the batch it had (0: open); if it was half."""
    batches = {_batch(tensor) for tensor in getattr(model, "inputs", None) or ()} - {0}
    batch = max(batches, default=0)
    policies = {_policy(layer) for layer in model._flatten_layers()}
    if batch <= 1 and policies.isdisjoint(_OTHER_FLOATS):
        return model, batch, False
    half = not policies.isdisjoint(_HALF)
    config = copy.deepcopy(model.get_config())
    try:
        with library.keras.saving.custom_object_scope(dict(library.known)):
            plain = type(model).from_config(_widened(config, ""))
        plain.set_weights([_float32(weight) for weight in model.get_weights()])
    except Exception as error:
        what = "float32" if half else "batch 1"
        raise ModelError(
            f"the model cannot be rebuilt with {what}: {one_line(error)}",
            "build it in float32 with an open batch, load the weights, and save it again",
        ) from error
    return plain, batch, half


def _widened(node: Any, key: str) -> Any:
    """A configuration with float32 for every other float, and open batch axes."""
    if isinstance(node, dict):
        policy = "Policy" in str(node.get("class_name", ""))
        return {
            k: _widened(v, "dtype" if key == "dtype" or (policy and k == "config") else k)
            for k, v in node.items()
        }
    if key in _SHAPES and isinstance(node, list | tuple) and node:
        return [None, *node[1:]]
    if isinstance(node, list | tuple):
        return type(node)(_widened(item, key) for item in node)
    return "float32" if key == "dtype" and node in _OTHER_FLOATS else node


def _float32(weight: NDArray[Any]) -> NDArray[Any]:
    return weight if np.asarray(weight).dtype.kind in "iub" else np.asarray(weight, np.float32)


def _batch(tensor: Any) -> int:
    return int(tensor.shape[0] or 0) if len(tensor.shape) else 0


def _policy(layer: Any) -> str:
    policy = getattr(layer, "dtype_policy", None)
    return str(getattr(policy, "name", "float32"))


def _outputs(model: Any, row: Row, batch: int) -> list[NDArray[Any]]:
    """The model's own outputs for one row, in inference mode."""
    tf = _tf.tensorflow()
    function = keras_function(model)
    repeated = [
        tf.constant(np.repeat(x, max(batch, 1), axis=0), spec.dtype)
        for x, spec in zip(row, function.inputs, strict=True)
    ]
    with _tf.silent():
        outputs = [np.asarray(y) for y in function.call(*repeated)]
    return [y[:1] if batch > 1 else y for y in outputs]


def _layer_outputs(model: Any, row: Row, batch: int) -> Layers:
    """Every layer's output for one row, as it is computed: sub-models and wrappers from inside."""
    found: Layers = []
    layers = list(_named_layers(model, ""))
    for name, layer in layers:
        layer.__dict__["call"] = _recording(layer.call, name, found, batch)
    try:
        _outputs(model, row, batch)
    finally:
        for _, layer in layers:
            layer.__dict__.pop("call", None)
    return found


def _named_layers(layer: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """(path of names, layer) of all layers below, each once."""
    inner = getattr(layer, "layers", None)
    if inner is None:
        inner = layer._flatten_layers(include_self=False, recursive=False)
    for child in inner:
        name = f"{prefix}{child.name}"
        if type(child).__name__ != "InputLayer":
            yield name, child
        yield from _named_layers(child, f"{name}/")


def _recording(
    call: Callable[..., Any], name: str, found: Layers, batch: int
) -> Callable[..., Any]:
    @wraps(call)
    def recorded(*arguments: Any, **keywords: Any) -> Any:
        result = call(*arguments, **keywords)
        values = result if isinstance(result, Sequence) else [result]
        for value in values:
            if hasattr(value, "numpy"):  # not inside a loop that TensorFlow compiles
                array = value.numpy()
                found.append((name, array[:1] if batch > 1 else array))
        return result

    return recorded

"""SavedModels: of tf_keras (restored with layers), of `model.export()` and of any tf.Module.

Those without Keras's metadata are converted from a signature: there are no layers to compress.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit import _tf
from edgekit._converter_errors import one_line
from edgekit.convert import Function, fixed, float_tflite
from edgekit.errors import ModelError
from edgekit.graph.read import read
from edgekit.importers import _config
from edgekit.importers._keras_object import import_keras
from edgekit.importers.base import hash_source, model_name, specs
from edgekit.importers.prove import Row, prove
from edgekit.model import Model, Source
from edgekit.problem import Problem

_METADATA = "keras_metadata.pb"
_SAVE_AGAIN = "copy the whole folder again, or save the model again"
_SERVING = "serving_default"
_INTERNAL = "__saved_model_init_op"
# Ops that reach out of the graph: Python, the file system, other libraries
_FORBIDDEN = re.compile(r"(Eager)?PyFunc(Stateless)?|WriteFile|ReadFile|MatchingFiles|Delete.*File")


def load(path: Path, modules: Sequence[str] = ()) -> Model:
    """Import a SavedModel folder; see `base.load`."""
    proto = _parse(path)
    _refuse_code(proto, path)
    configs = list(_keras_configs(proto, path))
    if configs:
        library = _config.library(_tf.tf_keras(), modules)
        for config in configs:
            _config.check(config, library, path)
        restored = _restore(path, library)
        if hasattr(restored, "get_config") and hasattr(restored, "layers"):
            return import_keras(restored, path, "saved_model", library, saved_model=path)
    return _from_signature(path)


def _parse(path: Path) -> Any:
    proto = _tf.module("tensorflow.core.protobuf.saved_model_pb2").SavedModel()
    try:
        proto.ParseFromString((path / "saved_model.pb").read_bytes())
    except Exception as error:
        raise _damaged(path, "saved_model.pb cannot be read") from error
    if not proto.meta_graphs:
        raise _damaged(path, "saved_model.pb holds no graph")
    variables = path / "variables"
    if any(node.HasField("variable") for node in _objects(proto)):
        for name in ("variables.index", "variables.data-00000-of-*"):
            if not list(variables.glob(name)):
                raise _damaged(path, f"variables/{name} is missing")
    return proto


def _objects(proto: Any) -> Any:
    return proto.meta_graphs[0].object_graph_def.nodes


def _refuse_code(proto: Any, path: Path) -> None:
    graph = proto.meta_graphs[0].graph_def
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    for node in nodes:
        if _FORBIDDEN.fullmatch(node.op):
            raise ModelError(
                f"{path}: op {node.name!r} is a {node.op}, which reaches out of the model's graph",
                "take that step out of the model and save it again",
            )


def _keras_configs(proto: Any, path: Path) -> Iterator[dict[str, Any]]:
    """Configuration of every Keras object, from the metadata file or (before TF 2.5) the graph."""
    file = path / _METADATA
    if file.is_file():
        metadata = _tf.module("tf_keras.protobuf.saved_metadata_pb2").SavedMetadata()
        try:
            metadata.ParseFromString(file.read_bytes())
        except Exception as error:
            raise _damaged(path, f"{_METADATA} cannot be read") from error
        entries = [(node.identifier, node.metadata) for node in metadata.nodes]
    else:
        users = [node.user_object for node in _objects(proto) if node.HasField("user_object")]
        entries = [(user.identifier, user.metadata) for user in users]
    for identifier, text in entries:
        if identifier.startswith("_tf_keras_") and identifier != "_tf_keras_metric" and text:
            config = _config.parse(text, path)
            yield {key: config.get(key) for key in ("class_name", "config", "name")}


def _restore(path: Path, library: _config.Library) -> Any:
    try:
        with _tf.silent():
            return library.keras.models.load_model(
                str(path), custom_objects=dict(library.known), compile=False
            )
    except Exception:
        # What is left is the graph: its signature is converted, or says what is wrong
        return None


def _from_signature(path: Path) -> Model:
    try:
        with _tf.silent():
            loaded = _tf.tensorflow().saved_model.load(str(path))
    except Exception as error:
        raise _damaged(path, one_line(error)) from error
    name, signature = _signature(loaded, path)
    try:
        function = _function(signature)
        tflite = float_tflite(function)
        proof = prove(tflite, lambda row: _run(function, row))
    except ModelError as error:
        raise ModelError(f"{path}: {error.message}", error.hint) from error
    inputs, outputs = specs(read(tflite))
    message = f"has no Keras layers: converted from its signature {name!r}"
    hint = "for compression passes give the .keras or .h5 model instead"
    return Model(
        name=model_name(path),
        source=Source(path, hash_source(path), "saved_model", _parameters(signature)),
        tflite=tflite,
        inputs=inputs,
        outputs=outputs,
        saved_model=path,
        proof=proof,
        history=(f"imported from saved_model, signature {name}",),
        problems=(Problem("note", str(path), message, hint),),
    )


def _signature(loaded: Any, path: Path) -> tuple[str, Any]:
    signatures = {k: v for k, v in loaded.signatures.items() if k != _INTERNAL}
    if _SERVING in signatures:
        return _SERVING, signatures[_SERVING]
    if len(signatures) == 1:
        return next(iter(signatures.items()))
    if signatures:
        raise ModelError(
            f"{path} has several signatures and none is {_SERVING!r}: {', '.join(signatures)}",
            f"save it with signatures={{'{_SERVING}': the function to build}}",
        )
    raise ModelError(
        f"{path} has no signature: TensorFlow cannot say what its inputs are",
        "save it with tf.saved_model.save(module, folder, signatures=function), or use "
        "model.export(folder)",
    )


def _function(signature: Any) -> Function:
    tensors = signature.structured_input_signature[1]
    inputs = tuple(_spec(name, tensor) for name, tensor in tensors.items())
    outputs = sorted(signature.structured_outputs, key=_natural)
    variables = {id(v): v for v in signature.variables}
    for variable in variables.values():
        values = variable.numpy()
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ModelError(
                f"the weights {variable.name!r} hold NaN or infinity",
                "the training diverged: save the model again from a good checkpoint",
            )

    def call(*arguments: Any) -> list[Any]:
        results = signature(**dict(zip(tensors, arguments, strict=True)))
        return [results[key] for key in outputs]

    return Function(call, inputs, tuple(outputs))


def _spec(name: str, tensor: Any) -> Any:
    if tensor.shape.rank is None:
        raise ModelError(
            f"input {name!r} has no shape", "give the signature's input a tf.TensorSpec"
        )
    shape = tuple(tensor.shape)
    if len(shape) > 1 and shape[0] not in (None, 1):
        raise ModelError(
            f"input {name!r} has batch size {shape[0]} baked in",
            "save the signature with the batch axis None or 1",
        )
    return fixed(name, shape, tensor.dtype.name)


def _natural(key: str) -> list[Any]:
    """output_2 before output_10, as they were given."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", key)]


def _run(function: Function, row: Row) -> list[NDArray[Any]]:
    tf = _tf.tensorflow()
    given = [tf.constant(x, spec.dtype) for x, spec in zip(row, function.inputs, strict=True)]
    with _tf.silent():
        return [np.asarray(y) for y in function.call(*given)]


def _parameters(signature: Any) -> int:
    counts = {id(v): int(np.prod(v.shape)) for v in signature.variables}
    return sum(counts.values())


def _damaged(path: Path, what: str) -> ModelError:
    return ModelError(f"{path} is damaged: {what}", _SAVE_AGAIN)

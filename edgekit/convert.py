"""A framework's function -> one float .tflite flatbuffer: batch 1, the source's own names, silent.

The function is traced, frozen and inlined before the converter sees it, so the flatbuffer holds
no variables, needs no SavedModel on disk and comes out the same in every process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edgekit import _tf
from edgekit._converter_errors import converter_error, one_line
from edgekit.errors import ModelError
from edgekit.graph.portable import portable
from edgekit.model import TensorSpec

DTYPES = ("float32", "int8", "uint8", "int16", "int32", "int64", "bool")


@dataclass(frozen=True)
class Function:
    """What the converter needs to know of a model.

    Attributes:
        call: Takes one tensor per input, returns one tensor per output, in inference mode.
        inputs: Name, shape (batch fixed) and dtype of each argument of `call`.
        outputs: Names of what `call` returns, in that order.
    """

    call: Callable[..., Sequence[Any]]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[str, ...]


def keras_function(model: Any) -> Function:
    """The inference function of a built Keras 3 or tf_keras model, with its own names and batch 1.

    Raises:
        ModelError: The model has no fixed input shape.
    """
    tf = _tf.tensorflow()
    inputs = _keras_inputs(model)
    struct = _input_struct(model)
    names: tuple[str, ...] = ()
    if struct is not None:
        names = _keras_outputs(model)

    def call(*tensors: Any) -> list[Any]:
        arguments = tensors[0] if len(tensors) == 1 else list(tensors)
        if struct is not None:
            arguments = tf.nest.pack_sequence_as(struct, list(tensors))
        return list(tf.nest.flatten(model(arguments, training=False)))

    return Function(call, inputs, names)


def concrete(source: Any) -> Any:
    """A frozen ConcreteFunction of a `Function` or a Keras model.

    Its input and output tensors carry the source's names (made valid for TensorFlow), in the
    source's order. What a `TFLiteConverter.from_concrete_functions([...])` takes.

    Raises:
        ModelError: The model cannot be traced with batch 1, or has an open shape.
    """
    function = source if isinstance(source, Function) else keras_function(source)
    with _tf.silent():
        return _freeze(function)


def float_tflite(source: Any) -> bytes:
    """The float flatbuffer of a `Function` or a Keras model, made portable.

    Float inputs that only index (token ids) become int32: see `graph.portable`.

    Raises:
        ModelError: An op has no LiteRT builtin (named with its layer), or tracing fails.
    """
    frozen = concrete(source)
    tf = _tf.tensorflow()
    try:
        with _tf.silent():
            converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
            converted = bytes(converter.convert())
    except Exception as error:
        raise converter_error(error) from error
    return portable(converted)


def fixed(name: str, shape: Sequence[int | None], dtype: str) -> TensorSpec:
    """A model input with its batch axis set to 1.

    Raises:
        ModelError: Another axis is open (a dynamic height, width or time axis), or the values
            are no numbers.
    """
    if any(size is None for size in shape[1:]):
        axes = ", ".join("None" if size is None else str(size) for size in shape)
        raise ModelError(
            f"input {name!r} has no fixed shape: ({axes})",
            "give the input its sizes in the source (all but the batch), load the weights into "
            "that model, and save it again",
        )
    if dtype not in DTYPES:
        raise ModelError(
            f"input {name!r} takes {dtype} values, which no target takes",
            "leave text and other preprocessing out of the model: export from the first layer "
            "that takes numbers",
        )
    return TensorSpec(name, (1, *(int(size or 0) for size in shape[1:])), dtype)


def _freeze(function: Function) -> Any:
    tf = _tf.tensorflow()
    constants = _tf.module("tensorflow.python.framework.convert_to_constants")
    wrap_function = _tf.module("tensorflow.python.eager.wrap_function")
    specs = [
        tf.TensorSpec(spec.shape, spec.dtype, name=f"input_{index}")
        for index, spec in enumerate(function.inputs)
    ]
    try:
        traced = tf.function(
            lambda *tensors: [tf.convert_to_tensor(y) for y in function.call(*tensors)],
            autograph=False,
        ).get_concrete_function(*specs)
        frozen = constants.convert_variables_to_constants_v2(
            traced, lower_control_flow=False, aggressive_inlining=True
        )
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(
            f"the model does not run with batch 1: {one_line(error)}",
            "check that the model computes one sample on its own, in inference mode",
        ) from error
    graph = frozen.graph.as_graph_def()
    names = _rename(graph, frozen, function)
    return wrap_function.function_from_graph_def(
        graph, [f"{name}:0" for name in names[0]], [f"{name}:0" for name in names[1]]
    )


def _rename(graph: Any, frozen: Any, function: Function) -> tuple[list[str], list[str]]:
    """Give the graph's input and output nodes the source's names; returns the names given."""
    taken = {node.name for node in graph.node}
    wanted = [spec.name for spec in function.inputs]
    outputs = list(function.outputs) or [f"output_{i}" for i in range(len(frozen.outputs))]
    if len(frozen.outputs) == 1 and not function.outputs:
        outputs = ["output"]
    before = [tensor.op.name for tensor in (*frozen.inputs, *frozen.outputs)]
    new: dict[str, str] = {}
    for old, name in zip(before, [*wanted, *outputs], strict=True):
        new[old] = _free(name, (taken | set(new.values())) - set(before))
    for node in graph.node:
        node.name = new.get(node.name, node.name)
        node.input[:] = [_renamed(text, new) for text in node.input]
    count = len(frozen.inputs)
    return [new[name] for name in before[:count]], [new[name] for name in before[count:]]


def _renamed(text: str, new: dict[str, str]) -> str:
    control, bare = ("^", text[1:]) if text.startswith("^") else ("", text)
    name, colon, port = bare.partition(":")
    return control + new.get(name, name) + colon + port


def _free(name: str, taken: set[str]) -> str:
    base = re.sub(r"[^A-Za-z0-9_.\-/]", "_", name).strip("/") or "tensor"
    base = base if re.match(r"[A-Za-z0-9.]", base) else f"t{base}"
    candidate, count = base, 1
    while candidate in taken:
        candidate, count = f"{base}_{count}", count + 1
    return candidate


def _input_struct(model: Any) -> Any:
    for attribute in ("_inputs_struct", "_nested_inputs"):
        struct = getattr(model, attribute, None)
        if struct is not None:
            return struct
    functional = getattr(model, "_functional", None)
    return functional._inputs_struct if functional is not None else None


def _output_struct(model: Any) -> Any:
    functional = getattr(model, "_functional", None) or model
    for attribute in ("_outputs_struct", "_nested_outputs"):
        struct = getattr(functional, attribute, None)
        if struct is not None:
            return struct
    return model.outputs


def _keras_inputs(model: Any) -> tuple[TensorSpec, ...]:
    tf = _tf.tensorflow()
    struct = _input_struct(model)
    if struct is not None:
        tensors = tf.nest.flatten(struct)
        return tuple(fixed(_source(t), tuple(t.shape), _dtype(t)) for t in tensors)
    built: dict[str, Any] = getattr(model, "get_build_config", dict)() or {}
    shape = built.get("input_shape")
    if not isinstance(shape, list | tuple) or not all(isinstance(n, int | None) for n in shape):
        raise ModelError(
            f"model {model.name!r} has no input shape: it was saved before it was built",
            "start it with an Input layer (or call model.build(shape)) and save it again",
        )
    return (fixed("input", tuple(shape), "float32"),)


def _keras_outputs(model: Any) -> tuple[str, ...]:
    """Names of the outputs: the keys of a dict, else the layers that make them."""
    tf = _tf.tensorflow()
    struct = _output_struct(model)
    if isinstance(struct, dict) and len(tf.nest.flatten(struct)) == len(struct):
        return tuple(sorted(struct))
    names = [_source(tensor) for tensor in tf.nest.flatten(struct)]
    return tuple(
        name if names.count(name) == 1 else f"{name}_{names[:i].count(name)}"
        for i, name in enumerate(names)
    )


def _source(tensor: Any) -> str:
    history = tensor._keras_history
    return str((history.operation if hasattr(history, "operation") else history.layer).name)


def _dtype(tensor: Any) -> str:
    return str(getattr(tensor.dtype, "name", tensor.dtype))

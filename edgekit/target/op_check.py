"""What a target's runtime cannot run, found before anything is deployed: by op, type and layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from edgekit.graph.graph import Graph, Op, Tensor
from edgekit.problem import Problem, Severity
from edgekit.target.io_check import io_problems
from edgekit.target.profile import Profile

_DATA_INPUT = {"EMBEDDING_LOOKUP": 1, "FILL": 1, "SELECT_V2": 1, "SPLIT": 1, "TRANSPOSE_CONV": 2}
"""Which input holds an op's data, where it is not the first."""

_MOVES = frozenset(
    [
        "CONCATENATION",
        "DEQUANTIZE",
        "EXPAND_DIMS",
        "GATHER",
        "PACK",
        "PAD",
        "PADV2",
        "QUANTIZE",
        "RESHAPE",
        "SLICE",
        "SPLIT",
        "SPLIT_V",
        "SQUEEZE",
        "STRIDED_SLICE",
        "TRANSPOSE",
        "UNPACK",
    ]
)
"""Ops that compute nothing, or only convert: cheap in software floating point."""

_WEIGHTED = frozenset(
    [
        "BATCH_MATMUL",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED",
        "SVDF",
        "TRANSPOSE_CONV",
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
    ]
)
_NARROW = frozenset(["float16", "bfloat16", "int4", "int2"])
_INTEGER = frozenset(["int2", "int4", "int8", "uint8", "int16"])


@dataclass(frozen=True)
class _Finding:
    """What is the case; ops with the same trouble are told together, `detail` for each."""

    severity: Severity
    message: str
    hint: str
    detail: str = field(default="", compare=False)


_Rule = Callable[[Graph, Op, Profile], _Finding | None]


def check_ops(graph: Graph, profile: Profile) -> list[Problem]:
    """Everything in `graph` that the target's runtime refuses, and what it runs badly.

    One problem for each kind of trouble; it names the ops with their version or type, and the
    layers (by the name of their first output). Errors are certain refusals.
    """
    found: dict[_Finding, list[tuple[str, str]]] = {}
    for part in (graph, *graph.subgraphs):
        for op in part.ops:
            finding = _first(part, op, profile)
            if finding:
                layer = _layer(part, op)
                found.setdefault(finding, []).append(
                    (layer, f"{op.name}{finding.detail} in {layer}")
                )
    problems = [
        Problem(item.severity, where[0][0], f"{item.message}: {_listed(where)}", item.hint)
        for item, where in found.items()
    ]
    return [*problems, *io_problems(graph, profile.runtime, profile.io_types[0])]


def _first(graph: Graph, op: Op, profile: Profile) -> _Finding | None:
    return next(filter(None, (rule(graph, op, profile) for rule in _RULES)), None)


def _weights(graph: Graph, op: Op, profile: Profile) -> _Finding | None:
    """Constants of a type that the runtime has no kernels for."""
    for tensor in _constants(graph, op):
        if tensor.dtype in _NARROW and tensor.dtype not in profile.runtime.weights:
            message = f"{profile.runtime.title} does not run {tensor.dtype} weights"
            return _Finding("error", message, _requantize(profile))
    return None


def _hybrid(graph: Graph, op: Op, profile: Profile) -> _Finding | None:
    """Integer weights with float activations: dynamic-range models."""
    data = _data(graph, op)
    mixed = op.name in _WEIGHTED and data is not None and data.dtype == "float32"
    if profile.runtime.hybrid or not mixed:
        return None
    if all(tensor.dtype not in _INTEGER for tensor in _constants(graph, op)):
        return None
    message = f"{profile.runtime.title} does not run dynamic-range (hybrid) models"
    return _Finding("error", message, _requantize(profile), " with integer weights on float data")


def _known(graph: Graph, op: Op, profile: Profile) -> _Finding | None:
    """Ops that the runtime has not got, or not in this version."""
    runtime = profile.runtime
    if op.custom:
        return None if op.name in runtime.custom else _unknown_custom(op, profile)
    if op.name not in runtime.versions and op.name not in runtime.types:
        hint = f"replace the layer by ops that it has: edgekit targets {profile.name}"
        return _Finding("error", f"{runtime.title} has no such op", hint)
    low, high = runtime.versions.get(op.name, (op.version, op.version))
    if low <= op.version <= high:
        return None
    return _Finding(
        "error",
        f"{runtime.title} has the op in other versions",
        f"{_requantize(profile)}, or use a target with a newer runtime (edgekit targets)",
        f" version {op.version} (it has {low} to {high})",
    )


def _unknown_custom(op: Op, profile: Profile) -> _Finding:
    if op.name.startswith("Flex"):
        hint = "replace the layer by built-in ops: TensorFlow (Flex) ops run on no target here"
    else:
        hint = "replace the layer, or name the op in `custom` of a runtime file of your own"
    return _Finding("error", f"{profile.runtime.title} has no such custom op", hint)


def _types(graph: Graph, op: Op, profile: Profile) -> _Finding | None:
    """Data of a type that the op's kernel does not take."""
    allowed = profile.runtime.types.get(op.name, ())
    data = _data(graph, op)
    if not allowed or data is None or data.dtype in allowed:
        return None
    return _Finding(
        "error",
        f"{profile.runtime.title} does not run the op on this type",
        _other_type(data, profile),
        f" on {data.dtype} (it takes {', '.join(allowed)})",
    )


def _software_float(graph: Graph, op: Op, profile: Profile) -> _Finding | None:
    """Float arithmetic on a core without a floating-point unit."""
    if profile.family != "mcu" or profile.processor.fpu != "none" or op.name in _MOVES:
        return None
    outputs = [graph.tensors[index] for index in op.outputs]
    if all(tensor.dtype != "float32" for tensor in outputs):
        return None
    return _Finding(
        "warning",
        f"float32 arithmetic is slow on {profile.processor.core}, which has no FPU",
        "build with --quantize int8; replace layers that then stay float: they have no int8 kernel",
    )


_RULES: tuple[_Rule, ...] = (_weights, _hybrid, _known, _types, _software_float)


def _data(graph: Graph, op: Op) -> Tensor | None:
    position = _DATA_INPUT.get(op.name, 0)
    if position >= len(op.inputs) or op.inputs[position] < 0:
        return None
    return graph.tensors[op.inputs[position]]


def _constants(graph: Graph, op: Op) -> list[Tensor]:
    tensors = (graph.tensors[index] for index in op.inputs if index >= 0)
    return [tensor for tensor in tensors if tensor.data is not None]


def _layer(graph: Graph, op: Op) -> str:
    """Name of the op's first output; fused layers have several, separated by semicolons."""
    name = graph.tensors[op.outputs[0]].name if op.outputs else ""
    return name.partition(";")[0] or f"op {op.index}"


def _listed(where: list[tuple[str, str]]) -> str:
    more = f" and {len(where) - 3} more" if len(where) > 3 else ""
    return ", ".join(text for _, text in where[:3]) + more


def _other_type(data: Tensor, profile: Profile) -> str:
    """What to do about the type: another number format changes float and quantized data alone."""
    scheme = profile.quantizers[0]
    given = data.dtype == "float32" or data.quantization is not None
    if given and data.dtype != scheme:
        return f"replace the layer, or {_requantize(profile)}"
    return f"replace the layer by ops that it has: edgekit targets {profile.name}"


def _requantize(profile: Profile) -> str:
    return f"build from the float model with --quantize {profile.quantizers[0]}"

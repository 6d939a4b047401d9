"""The options of builtin operators: the schema's table as a mapping of snake_case names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.graph.flatbuffer import Malformed, Table
from edgekit.graph.schema import generated, names

NEWER = "update edgekit-toolkit and ai-edge-litert, or convert with an older converter"
_ENUMERATIONS = {
    "padding": "Padding",
    "fused_activation_function": "ActivationFunctionType",
    "weights_format": "FullyConnectedOptionsWeightsFormat",
    "kernel_type": "LSTMKernelType",
    "combiner": "CombinerType",
    "mode": "MirrorPadMode",
    "type": "LSHProjectionType",
    "quantized_bias_type": "TensorType",
    "in_data_type": "TensorType",
    "out_data_type": "TensorType",
    "output_type": "TensorType",
    "out_type": "TensorType",
    "idx_out_type": "TensorType",
    "key_dtype": "TensorType",
    "value_dtype": "TensorType",
    "comparison_direction": "StablehloComparisonDirection",
    "compare_type": "StablehloComparisonType",
    "algorithm": "RngAlgorithm",
    "reduce_function": "ReduceWindowFunction",
    "precision_config": "StablehloPrecisionConfig",
}
# Runtimes take zeros for options of another kind, and divide by them
_KINDS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "TRANSPOSE_CONV": "TransposeConvOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "L2_POOL_2D": "Pool2DOptions",
    "SOFTMAX": "SoftmaxOptions",
    "SPACE_TO_DEPTH": "SpaceToDepthOptions",
    "DEPTH_TO_SPACE": "DepthToSpaceOptions",
}
_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


def read_options(name: str, operator: Table) -> Mapping[str, Any]:
    """The builtin options in the table of the operator `name`; empty where there are none.

    Raises:
        Malformed: An offset that leads astray, an option or an enumeration value unknown, or
            options that belong to another operator.
    """
    for union, field in (
        ("BuiltinOptions", "builtin_options"),
        ("BuiltinOptions2", "builtin_options_2"),
    ):
        number = operator.integer(f"{field}_type", "B")
        table = operator.table(field, {})
        if number and table is not None:
            kind = _name(union, number)
            if _KINDS.get(name, kind) != kind:
                raise Malformed(f"an operator {name} has {kind}")
            return _decode(kind, table)
    return _NO_OPTIONS


def _decode(kind: str, table: Table) -> Mapping[str, Any]:
    schema = generated()
    accessor = getattr(schema, kind)()
    accessor._tab = _Checked(table)
    unpacked = getattr(schema, f"{kind}T").InitFromObj(accessor)
    options = {_snake(name): value for name, value in vars(unpacked).items()}
    return MappingProxyType({name: _plain(name, value) for name, value in options.items()})


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value = tuple(value.tolist())
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if name not in _ENUMERATIONS or value is None:
        return value
    enumeration = _ENUMERATIONS[name]
    if isinstance(value, tuple):
        return tuple(_name(enumeration, number) for number in value)
    return _name(enumeration, value)


def _name(enumeration: str, number: int) -> str:
    name = names(enumeration).get(number)
    if name is None:
        raise Malformed(f"unknown {enumeration} {number}", NEWER)
    return name


@cache
def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class _Checked:
    """Stands in for `flatbuffers.table.Table` in the generated accessors, with checked reads."""

    def __init__(self, table: Table) -> None:
        self.Bytes = table.file.data
        self.Pos = table.position
        self._table = table

    def Offset(self, slot: int) -> int:
        """Field offset of a vtable slot."""
        return self._table.offset(slot // 2 - 2)

    def Get(self, flags: Any, position: int) -> Any:
        """A number."""
        code = flags.packer_type.format.lstrip("<")
        return flags.py_type(self._table.file.scalar(code, position))

    def String(self, position: int) -> bytes:
        """A string."""
        return self._table.file.string(position)

    def GetVectorAsNumpy(self, flags: Any, offset: int) -> NDArray[Any]:
        """A vector of numbers."""
        return self._table.file.vector(self.Pos + offset, flags.packer_type.format)

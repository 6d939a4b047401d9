"""The order of the fields in TensorFlow Lite's flatbuffer tables, and its tensor types.

Source: tensorflow/compiler/mlir/lite/schema/schema.fbs, version 3 (field order never changes).
Enumerations and the tables of operator options come from ai-edge-litert's generated schema.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from edgekit.errors import MissingExtra

Fields = dict[str, int]


def _fields(names: str) -> Fields:
    return {name: place for place, name in enumerate(names.split())}


MODEL = _fields(
    "version operator_codes subgraphs description buffers metadata_buffer metadata "
    "signature_defs external_buffer_groups external_buffers"
)
OPERATOR_CODE = _fields("deprecated_builtin_code custom_code version builtin_code")
SUBGRAPH = _fields("tensors inputs outputs operators name debug_metadata_index")
TENSOR = _fields(
    "shape type buffer name quantization is_variable sparsity shape_signature has_rank "
    "variant_tensors external_buffer"
)
VARIANT = _fields("shape type has_rank")
SPARSITY = _fields("traversal_order block_map dim_metadata")
DIMENSION = _fields(
    "format dense_size array_segments_type array_segments array_indices_type array_indices"
)
INDEX_VECTOR = _fields("values")
QUANTIZATION = _fields("min max scale zero_point details_type details quantized_dimension")
BLOCKWISE = _fields("scales zero_points block_size block_shape")
OPERATOR = _fields(
    "opcode_index inputs outputs builtin_options_type builtin_options custom_options "
    "custom_options_format mutating_variable_inputs intermediates large_custom_options_offset "
    "large_custom_options_size builtin_options_2_type builtin_options_2 debug_metadata_index"
)
BUFFER = _fields("data offset size")
METADATA = _fields("name buffer")
SIGNATURE = _fields("inputs outputs signature_key deprecated_tag subgraph_index")
TENSOR_MAP = _fields("name tensor_index")


class DType(NamedTuple):
    """How a tensor type is stored: bits of one value, numpy dtype it is shown as."""

    bits: int
    numpy: str


DTYPES = {
    "float32": DType(32, "<f4"),
    "float16": DType(16, "<f2"),
    "float64": DType(64, "<f8"),
    "bfloat16": DType(16, "<u2"),
    "float8_e4m3fn": DType(8, "u1"),
    "float8_e5m2": DType(8, "u1"),
    "complex64": DType(64, "<c8"),
    "complex128": DType(128, "<c16"),
    "int2": DType(2, "i1"),
    "int4": DType(4, "i1"),
    "uint4": DType(4, "u1"),
    "int8": DType(8, "i1"),
    "uint8": DType(8, "u1"),
    "int16": DType(16, "<i2"),
    "uint16": DType(16, "<u2"),
    "int32": DType(32, "<i4"),
    "uint32": DType(32, "<u4"),
    "int64": DType(64, "<i8"),
    "uint64": DType(64, "<u8"),
    "bool": DType(8, "?"),
    "string": DType(0, "u1"),
    "resource": DType(0, "u1"),
    "variant": DType(0, "u1"),
}


def generated() -> Any:
    """The generated schema module (0.2 s, no TensorFlow)."""
    try:
        from ai_edge_litert import schema_py_generated
    except ImportError as error:
        raise MissingExtra("ai-edge-litert is not installed", "pip install edgekit-toolkit") from (
            error
        )
    return schema_py_generated


@cache
def names(enumeration: str) -> dict[int, str]:
    """Number to name of an enumeration of the schema, such as `BuiltinOperator`."""
    members = vars(getattr(generated(), enumeration))
    return {number: name for name, number in members.items() if isinstance(number, int)}

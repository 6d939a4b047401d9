"""Tensors of a subgraph: dtype, shape, constant data and quantization out of the flatbuffer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.graph.flatbuffer import Malformed, Table
from edgekit.graph.graph import Quantization, Tensor
from edgekit.graph.options import NEWER
from edgekit.graph.schema import (
    BLOCKWISE,
    DTYPES,
    QUANTIZATION,
    SPARSITY,
    TENSOR,
    VARIANT,
    DType,
    names,
)
from edgekit.graph.sparse import densify

MAX_RANK = 8
MAX_BYTES = 2**31 - 1
EXTERNAL = "store the weights inside the file: models above 2 GB are not for edge devices"
SPARSE = "convert again without sparse encoding (EXPERIMENTAL_SPARSITY)"


def read_tensors(subgraph: Table, buffers: Sequence[NDArray[Any]]) -> tuple[Tensor, ...]:
    """The tensors of a subgraph's table, each checked by itself.

    Args:
        subgraph: The table.
        buffers: Data of every buffer of the model, uint8, empty where a buffer has none.

    Raises:
        Malformed: Naming the tensor.
    """
    tables = subgraph.tables("tensors", TENSOR)
    tensors = [_tensor(index, table, buffers) for index, table in enumerate(tables)]
    return tuple(
        _with_blocks(tensor, table, tensors) for tensor, table in zip(tensors, tables, strict=True)
    )


def _tensor(index: int, table: Table, buffers: Sequence[NDArray[Any]]) -> Tensor:
    name = table.text("name")
    where = f"tensor {index} '{name}'"
    _refuse_unsupported(table, where)
    number = table.integer("type", "b")
    dtype = names("TensorType").get(number, "").lower()
    if dtype not in DTYPES:
        raise Malformed(f"{where} has an unknown type ({number})", NEWER)
    shape = table.numbers("shape")
    signature = table.numbers("shape_signature") or shape
    _check_shape(where, shape, signature, DTYPES[dtype].bits)
    buffer = table.integer("buffer", "I")
    if buffer >= len(buffers):
        raise Malformed(f"{where} uses buffer {buffer} of {len(buffers)}")
    low, high = _statistics(table)
    return Tensor(
        index=index,
        name=name,
        shape=shape,
        signature=signature,
        dtype=dtype,
        data=_constant(where, buffers[buffer], dtype, shape, table),
        quantization=_quantization(where, table, dtype, shape),
        minimum=low,
        maximum=high,
        variable=bool(table.integer("is_variable", "?")),
        sparse=bool(table.offset(TENSOR["sparsity"])),
    )


def _refuse_unsupported(table: Table, where: str) -> None:
    if table.integer("external_buffer", "I"):
        raise Malformed(f"{where} is stored in an external buffer", EXTERNAL)
    for variant in table.tables("variant_tensors", VARIANT):
        _check_shape(where, variant.numbers("shape"), (), 8)


def _check_shape(where: str, shape: tuple[int, ...], signature: tuple[int, ...], bits: int) -> None:
    if len(shape) > MAX_RANK or any(size < 0 for size in shape):
        raise Malformed(f"{where} has the impossible shape {list(shape[: MAX_RANK + 1])}")
    if math.prod(shape) * max(bits, 8) // 8 > MAX_BYTES:
        raise Malformed(f"{where} of shape {list(shape)} would take more than 2 GB")
    if signature and (
        len(signature) != len(shape)
        or any(have not in (size, -1) for size, have in zip(shape, signature, strict=True))
    ):
        raise Malformed(f"{where} has shape {list(shape)} but signature {list(signature)}")


def _constant(
    where: str, raw: NDArray[Any], dtype: str, shape: tuple[int, ...], table: Table
) -> NDArray[Any] | None:
    kind = DTYPES[dtype]
    if raw.size == 0:
        return None
    if dtype == "string":
        return _strings(where, raw, math.prod(shape))
    if kind.bits == 0:
        raise Malformed(f"{where} of type {dtype} cannot have constant data")
    elements = math.prod(shape)
    if (sparsity := table.table("sparsity", SPARSITY)) is not None:
        return _dense(where, raw, kind, shape, sparsity)
    if raw.size != (elements * kind.bits + 7) // 8:
        raise Malformed(
            f"{where} ({dtype} {list(shape)}) has {raw.size} bytes of data,"
            f" not {(elements * kind.bits + 7) // 8}"
        )
    if kind.bits < 8:
        table.file.charge(elements)
        return _unpack(raw, kind.bits, elements, signed=dtype.startswith("int")).reshape(shape)
    return raw.view(kind.numpy).reshape(shape)


def _dense(
    where: str, raw: NDArray[Any], kind: DType, shape: tuple[int, ...], sparsity: Table
) -> NDArray[Any]:
    if kind.bits < 8 or raw.size * 8 % kind.bits:
        raise Malformed(f"{where} is stored sparse: {raw.size} bytes of {kind.bits}-bit values")
    try:
        return densify(sparsity, raw.view(kind.numpy), shape)
    except Malformed as error:
        raise Malformed(f"{where} is stored sparse: {error.message}", SPARSE) from None


def _unpack(raw: NDArray[Any], bits: int, elements: int, signed: bool) -> NDArray[Any]:
    """Values of 2 or 4 bits, the lowest bits of a byte first."""
    mask = (1 << bits) - 1
    parts = np.stack([(raw >> shift) & mask for shift in range(0, 8, bits)], axis=-1)
    values: NDArray[Any] = parts.reshape(-1)[:elements]
    if signed:
        values = ((values ^ (1 << (bits - 1))).astype(np.int8) - (1 << (bits - 1))).astype(np.int8)
    values.flags.writeable = False
    return values


def _strings(where: str, raw: NDArray[Any], elements: int) -> NDArray[Any]:
    """Layout of tensorflow/lite/string_util.h: count, count + 1 offsets, characters; int32."""
    count = int.from_bytes(raw[:4].tobytes(), "little")
    if count != elements or raw.size < 4 * (count + 2):
        raise Malformed(f"{where} has {count} texts, not {elements}")
    offsets = raw[4 : 4 * (count + 2)].view("<i4").tolist()
    steps_back = any(low > high for low, high in pairwise(offsets))
    if offsets[0] != 4 * (count + 2) or offsets[-1] > raw.size or steps_back:
        raise Malformed(f"{where} has texts outside its data")
    return raw


def _statistics(table: Table) -> tuple[float | None, float | None]:
    """Whole-tensor minimum and maximum as calibration leaves them."""
    parameters = table.table("quantization", QUANTIZATION)
    if parameters is None:
        return None, None
    low, high = parameters.vector("min", "<f4"), parameters.vector("max", "<f4")
    if low is None or high is None or len(low) != 1 or len(high) != 1:
        return None, None
    return float(low[0]), float(high[0])


def _quantization(
    where: str, table: Table, dtype: str, shape: tuple[int, ...]
) -> Quantization | None:
    parameters = table.table("quantization", QUANTIZATION)
    if parameters is None:
        return None
    scale, zero = parameters.vector("scale", "<f4"), parameters.vector("zero_point", "<i8")
    axis = parameters.integer("quantized_dimension", "i")
    if scale is None or not len(scale) or not dtype.startswith(("int", "uint")):
        return None
    if zero is None or len(zero) != len(scale):
        raise Malformed(
            f"{where} has {len(scale)} scales and {0 if zero is None else len(zero)} zero points"
        )
    if len(scale) > 1 and not (0 <= axis < len(shape) and shape[axis] == len(scale)):
        raise Malformed(f"{where} of shape {list(shape)} has {len(scale)} scales on axis {axis}")
    _check_parameters(where, scale, zero, dtype)
    return Quantization(scale, zero, axis if len(scale) > 1 else 0)


def _check_parameters(where: str, scale: NDArray[Any], zero: NDArray[Any], dtype: str) -> None:
    if not np.all(np.isfinite(scale) & (scale > 0)):
        raise Malformed(f"{where} has a scale that is not a positive number")
    bits = DTYPES[dtype].bits
    low = -(1 << (bits - 1)) if dtype.startswith("int") else 0
    if zero.min() < low or zero.max() > low + (1 << bits) - 1:
        raise Malformed(f"{where} has a zero point outside {dtype}")


def _with_blocks(tensor: Tensor, table: Table, tensors: Sequence[Tensor]) -> Tensor:
    """Blockwise scales are tensors of their own, so they can be read only after all the others."""
    parameters = table.table("quantization", QUANTIZATION)
    if parameters is None or not parameters.integer("details_type", "B"):
        return tensor
    where = f"tensor {tensor.index} '{tensor.name}'"
    kind = names("QuantizationDetails").get(parameters.integer("details_type", "B"))
    details = parameters.table("details", BLOCKWISE)
    if kind != "BlockwiseQuantization" or details is None:
        raise Malformed(f"{where} is quantized by {kind}, which is not read", NEWER)
    block = details.integer("block_size", "i")
    scale = _block_tensor(where, tensors, details.integer("scales", "i"))
    zero = np.zeros(scale.size, np.int64)
    if details.integer("zero_points", "i") > 0:
        zero = _block_tensor(where, tensors, details.integer("zero_points", "i")).astype(np.int64)
    if block < 1 or scale.size * block != tensor.elements or zero.size != scale.size:
        raise Malformed(f"{where} has {scale.size} scales for blocks of {block}")
    _check_parameters(where, scale, zero, tensor.dtype)
    axis = max(0, len(tensor.shape) - 1)
    return replace(tensor, quantization=Quantization(scale, zero, axis, block))


def _block_tensor(where: str, tensors: Sequence[Tensor], index: int) -> NDArray[Any]:
    data = tensors[index].data if 0 <= index < len(tensors) else None
    if data is None or tensors[index].dtype not in ("float16", "float32", "int8", "int32", "int64"):
        raise Malformed(f"{where} has block scales that are no constant (tensor {index})")
    return data.reshape(-1).astype(np.float32)

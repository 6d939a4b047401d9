"""Change a `.tflite` flatbuffer: unpack to the schema's objects, edit, pack with aligned buffers.

`edgekit.graph.read` checks a file that comes from outside and shows it frozen; the functions here
are for steps that write: ranges, equalised weights, corrected biases, half-precision constants.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit.graph.schema import generated, names

IDENTIFIER = b"TFL3"
ALIGNMENT = 16  # schema.fbs: Buffer.data has force_align 16; vector kernels rely on it
EMPTY = 0  # by the schema's convention buffer 0 holds nothing
STALE = ("min_runtime_version",)  # metadata that no longer holds when op versions change
_DTYPES = {
    "FLOAT32": np.float32,
    "FLOAT16": np.float16,
    "INT8": np.int8,
    "UINT8": np.uint8,
    "INT16": np.int16,
    "INT32": np.int32,
    "INT64": np.int64,
    "BOOL": np.bool_,
}


def unpack(data: bytes) -> Any:
    """The flatbuffer as a mutable `ModelT` of the schema."""
    schema = generated()
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))


def pack(model: Any) -> bytes:
    """The flatbuffer of a `ModelT`; equal objects give equal bytes, buffers start at 16 bytes."""
    builder = _builder()
    builder.Finish(model.Pack(builder), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


def operator_name(model: Any, operator: Any) -> str:
    """`CONV_2D`, ... or `CUSTOM`."""
    code = model.operatorCodes[operator.opcodeIndex]
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    return names("BuiltinOperator").get(number, f"BUILTIN_{number}")


def tensor_name(tensor: Any) -> str:
    """The tensor's name as text."""
    return bytes(tensor.name or b"").decode("utf-8", "replace")


def tensor_type(tensor: Any) -> str:
    """`FLOAT32`, `INT8`, ... as the schema names it."""
    return names("TensorType").get(tensor.type, f"TYPE_{tensor.type}")


def constant(model: Any, tensor: Any) -> np.ndarray | None:
    """The tensor's stored values in its shape, or None where it has none; a copy."""
    raw = model.buffers[tensor.buffer].data
    dtype = _DTYPES.get(tensor_type(tensor))
    if raw is None or len(raw) == 0 or dtype is None:
        return None
    shape = tuple(int(size) for size in tensor.shape) if tensor.shape is not None else ()
    return np.frombuffer(bytes(bytearray(raw)), dtype).reshape(shape).copy()


def set_constant(model: Any, tensor: Any, values: np.ndarray) -> None:
    """Store `values` as the tensor's; the buffer becomes its own, since others may share it."""
    buffer = generated().BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
    tensor.type = _type_number(values.dtype)
    tensor.shape = np.array(values.shape, np.int32)
    if (
        sum(other.buffer == tensor.buffer for graph in model.subgraphs for other in graph.tensors)
        > 1
    ):
        model.buffers.append(buffer)
        tensor.buffer = len(model.buffers) - 1
    else:
        model.buffers[tensor.buffer] = buffer


def set_int4(model: Any, tensor: Any, values: np.ndarray) -> None:
    """Store integers from -8 to 7 in 4 bits each, the first of two in the low bits of a byte."""
    flat = np.pad(values.astype(np.int8).ravel() & 15, (0, values.size % 2)).astype(np.uint8)
    set_constant(model, tensor, flat[0::2] | flat[1::2] << 4)
    tensor.type = generated().TensorType.INT4
    tensor.shape = np.array(values.shape, np.int32)


def set_type(tensor: Any, dtype: type[np.generic]) -> None:
    """Give a tensor without values another type."""
    tensor.type = _type_number(np.dtype(dtype))


def set_scale(tensor: Any, scale: np.ndarray, axis: int) -> None:
    """Declare the tensor symmetrically quantized with these scales (float32 [1] or [channels])."""
    quantization = generated().QuantizationParametersT()
    quantization.scale = np.ascontiguousarray(scale, np.float32)
    quantization.zeroPoint = np.zeros(len(scale), np.int64)
    quantization.quantizedDimension = axis
    tensor.quantization = quantization


def operator_code(model: Any, name: str, version: int) -> int:
    """The index of the operator code, added where the model has none."""
    schema = generated()
    number = getattr(schema.BuiltinOperator, name)
    for index, code in enumerate(model.operatorCodes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == number and code.version == version:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode, code.version = number, version
    code.deprecatedBuiltinCode = min(
        number, schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES
    )
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def set_metadata(model: Any, name: str, value: bytes) -> None:
    """Add a metadata entry."""
    schema = generated()
    entry, buffer = schema.MetadataT(), schema.BufferT()
    buffer.data = np.frombuffer(value, np.uint8)
    model.buffers.append(buffer)
    entry.name, entry.buffer = name.encode(), len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]


def drop_stale(model: Any) -> None:
    """Remove metadata that op versions decide."""
    model.metadata = [
        entry for entry in model.metadata or [] if bytes(entry.name).decode() not in STALE
    ]


def drop_unused(model: Any) -> None:
    """Remove operator codes that no operator uses."""
    used = sorted({op.opcodeIndex for graph in model.subgraphs for op in graph.operators or []})
    place = {old: new for new, old in enumerate(used)}
    model.operatorCodes = [model.operatorCodes[index] for index in used]
    for graph in model.subgraphs:
        for operator in graph.operators or []:
            operator.opcodeIndex = place[operator.opcodeIndex]


def _type_number(dtype: np.dtype[Any]) -> int:
    name = next(name for name, known in _DTYPES.items() if np.dtype(known) == dtype)
    return int(getattr(generated().TensorType, name))


def _builder() -> Any:
    import flatbuffers

    class Builder(flatbuffers.Builder):  # type: ignore[misc]
        """The Python packer ignores `force_align`: byte vectors here are aligned as C++ does."""

        def CreateNumpyVector(self, x: np.ndarray) -> Any:
            if x.dtype != np.uint8:
                return super().CreateNumpyVector(x)
            self.StartVector(1, x.size, ALIGNMENT)
            start: int = self.head - x.size
            self.Bytes[start : start + x.size] = x.tobytes()
            self.head: int = start
            return self.EndVector()

    return Builder(1024)

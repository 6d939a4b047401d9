"""Small ONNX models, one per thing that can go wrong, made with onnx.helper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
IR_OF_OPSET = {7: 3, 8: 3, 9: 4, 10: 5, 11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 17: 8, 18: 8, 20: 9}
Shape = tuple[int | str | None, ...]


class Net:
    """Collects nodes and weights; every `add` returns the name of the tensor it makes."""

    def __init__(self, opset: int = 17, seed: int = 0) -> None:
        self.opset = opset
        self.random = np.random.default_rng(seed)
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def weight(self, *shape: int, scale: float = 0.3, shift: float = 0.0) -> str:
        return self.constant(self.random.normal(shift, scale, shape).astype(np.float32))

    def constant(self, value: Any, dtype: Any = None) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def add(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        index = len(self.nodes)
        names = [f"{kind.lower()}{index}_{i}" for i in range(outputs)]
        domain = attributes.pop("domain", None)
        node = helper.make_node(kind, list(inputs), names, f"{kind}_{index}", domain=domain)
        node.attribute.extend(helper.make_attribute(k, v) for k, v in attributes.items())
        self.nodes.append(node)
        return names[0] if outputs == 1 else names

    def conv(self, x: str, channels: int, out: int, size: int = 3, **attributes: Any) -> str:
        group = attributes.get("group", 1)
        weight = self.weight(out, channels // group, size, size)
        attributes.setdefault("pads", [size // 2] * 4)
        return self.add("Conv", x, weight, self.weight(out), kernel_shape=[size] * 2, **attributes)

    def gemm(self, x: str, features: int, out: int) -> str:
        return self.add("Gemm", x, self.weight(out, features), self.weight(out), transB=1)

    def model(
        self, inputs: dict[str, Shape], *outputs: str, dtype: int = FLOAT, out_type: int = FLOAT
    ) -> ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "zoo",
            [helper.make_tensor_value_info(n, dtype, s) for n, s in inputs.items()],
            [helper.make_tensor_value_info(n, out_type, None) for n in outputs],
            self.weights,
        )
        opset = [helper.make_opsetid("", self.opset)]
        return helper.make_model(
            graph,
            opset_imports=opset,
            ir_version=IR_OF_OPSET.get(self.opset, 10),
            producer_name="zoo",
        )


def cnn(opset: int = 17, shape: Shape = (1, 3, 16, 16)) -> ModelProto:
    """Conv, BatchNormalization, Relu, depthwise, residual Add, pools, Flatten, Gemm, Softmax."""
    net = Net(opset)
    x = net.conv("image", 3, 8, strides=[2, 2])
    stats = [net.weight(8, shift=1.0, scale=0.1) for _ in range(2)]
    mean, variance = net.weight(8), net.weight(8, shift=1.0, scale=0.1)
    x = net.add("Relu", net.add("BatchNormalization", x, stats[0], stats[1], mean, variance))
    y = net.conv(x, 8, 8, group=8)
    x = net.add("Add", x, clip(net, y))
    x = net.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = net.add("Flatten", net.add("GlobalAveragePool", net.conv(x, 8, 12, 1)))
    return net.model({"image": shape}, net.add("Softmax", net.gemm(x, 12, 4), axis=1))


def clip(net: Net, x: str) -> str:
    """ReLU6; from opset 11 its limits are inputs."""
    if net.opset < 11:
        return str(net.add("Clip", x, min=0.0, max=6.0))
    return str(net.add("Clip", x, net.constant(0.0, np.float32), net.constant(6.0, np.float32)))


def mlp() -> ModelProto:
    net = Net()
    x = net.add("Relu", net.gemm("features", 10, 16))
    return net.model({"features": ("N", 10)}, net.gemm(x, 16, 3))


def conv1d() -> ModelProto:
    net = Net()
    x = net.add("Conv", "series", net.weight(8, 6, 5), net.weight(8), pads=[2, 2])
    x = net.add("MaxPool", net.add("Relu", x), kernel_shape=[2], strides=[2])
    x = net.add("Flatten", net.add("GlobalAveragePool", x))
    return net.model({"series": (1, 6, 40)}, net.gemm(x, 8, 4))


def flattened() -> ModelProto:
    """Flatten of a feature map that is not 1x1: the order of the features matters."""
    net = Net()
    x = net.add("Relu", net.conv("image", 2, 5))
    return net.model({"image": (1, 2, 6, 4)}, net.gemm(net.add("Flatten", x), 120, 3))


def image_mlp() -> ModelProto:
    """An image that no convolution sees."""
    net = Net()
    x = net.add("Flatten", "image")
    return net.model({"image": ("batch", 3, 6, 6)}, net.gemm(x, 108, 3))


def prelu() -> ModelProto:
    net = Net()
    x = net.add("PRelu", net.conv("image", 3, 6), net.weight(6, 1, 1))
    return net.model({"image": (1, 3, 8, 8)}, net.add("GlobalMaxPool", x))


def upsampling() -> ModelProto:
    """ConvTranspose, Resize; a channels-first feature map is the output, sizes all differ."""
    net = Net()
    weight, bias = net.weight(3, 6, 2, 2), net.weight(6)
    x = net.add("ConvTranspose", "image", weight, bias, strides=[2, 2], kernel_shape=[2, 2])
    scales = net.constant([1.0, 1.0, 2.0, 2.0], np.float32)
    x = net.add(
        "Resize",
        net.add("Relu", x),
        "",
        scales,
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )
    return net.model({"image": (1, 3, 4, 5)}, net.add("Sigmoid", net.conv(x, 6, 2)))


def cube() -> ModelProto:
    """Channels, height and width are equal: only values tell the layouts apart."""
    net = Net()
    return net.model({"image": (1, 5, 5, 5)}, net.conv("image", 5, 5))


def grouped() -> ModelProto:
    net = Net()
    x = net.add("Relu", net.conv("image", 8, 12, group=4))
    return net.model({"image": (1, 8, 6, 6)}, net.add("GlobalAveragePool", x))


def slices() -> ModelProto:
    """Split, Slice, Concat on channels; HardSwish."""
    net = Net()
    sizes = net.constant([2, 4], np.int64)
    a, b = net.add("Split", net.conv("image", 3, 6), sizes, outputs=2, axis=1)
    starts, ends, axes = (net.constant([v], np.int64) for v in (1, 3, 1))
    b = net.add("Slice", b, starts, ends, axes)
    x = net.add("HardSwish", net.add("Concat", b, a, axis=1))
    return net.model({"image": (1, 3, 7, 9)}, net.add("GlobalAveragePool", net.conv(x, 4, 5)))


def shapes() -> ModelProto:
    """The shape arithmetic PyTorch writes for x.view(x.size(0), -1), and names with slashes."""
    net = Net()
    x = net.conv("image", 3, 4)
    zero = net.constant(0, np.int64)
    batch = net.add("Gather", net.add("Shape", x), zero, axis=0)
    axes = net.constant([0], np.int64)
    parts = [net.add("Unsqueeze", batch, axes), net.constant([-1], np.int64)]
    x = net.add("Reshape", x, net.add("Concat", *parts, axis=0))
    model = net.model({"image": ("batch", 3, 5, 5)}, net.gemm(x, 100, 3))
    for node in model.graph.node:
        node.name = f"/features/{node.name}"
    return model


def normalised() -> ModelProto:
    """A transformer block's feed-forward half on a sequence: LayerNormalization, Gelu by parts."""
    net = Net()
    x = net.add("LayerNormalization", "tokens", net.weight(8, shift=1.0), net.weight(8), axis=-1)
    x = net.add("MatMul", x, net.weight(8, 16))
    root = net.constant(1.4142135, np.float32)
    one, half = net.constant(1.0, np.float32), net.constant(0.5, np.float32)
    erf = net.add("Add", net.add("Erf", net.add("Div", x, root)), one)
    x = net.add("MatMul", net.add("Mul", net.add("Mul", x, erf), half), net.weight(16, 8))
    x = net.add("Add", "tokens", x)
    return net.model({"tokens": (1, 10, 8)}, net.add("ReduceMean", x, axes=[1], keepdims=0))


def lstm() -> ModelProto:
    net = Net(14)
    x = net.add("Transpose", "series", perm=[1, 0, 2])
    weights = [net.weight(1, 32, 6), net.weight(1, 32, 8), net.weight(1, 64)]
    _, h, _ = net.add("LSTM", x, *weights, outputs=3, hidden_size=8)
    x = net.add("Squeeze", h, net.constant([0], np.int64))
    return net.model({"series": (1, 12, 6)}, net.gemm(x, 8, 3))


def gru() -> ModelProto:
    net = Net(14)
    x = net.add("Transpose", "series", perm=[1, 0, 2])
    weights = [net.weight(1, 24, 6), net.weight(1, 24, 8), net.weight(1, 48)]
    _, h = net.add("GRU", x, *weights, outputs=2, hidden_size=8, linear_before_reset=1)
    x = net.add("Squeeze", h, net.constant([0], np.int64))
    return net.model({"series": (1, 12, 6)}, net.gemm(x, 8, 3))


def embedding() -> ModelProto:
    net = Net()
    x = net.add("Gather", net.weight(20, 8), "ids")
    x = net.add("ReduceMean", x, axes=[1], keepdims=0)
    return net.model({"ids": ("N", 6)}, net.gemm(x, 8, 2), dtype=INT64)


def two_in_two_out() -> ModelProto:
    """Inputs and outputs whose names are not in alphabetical order."""
    net = Net()
    x = net.add("Flatten", net.add("GlobalAveragePool", net.conv("z:image", 3, 4)))
    both = net.add("Concat", x, "a/table", axis=1)
    first, second = net.gemm(both, 9, 3), net.add("Sigmoid", net.gemm(both, 9, 2))
    net.nodes[-1].output[0], net.nodes[-3].output[0] = "a:second", "z:first"
    assert first
    assert second
    return net.model({"z:image": (1, 3, 6, 6), "a/table": (1, 5)}, "z:first", "a:second")


def nhwc() -> ModelProto:
    """What tf2onnx writes: an NHWC input and a Transpose."""
    net = Net()
    x = net.add("Transpose", "image", perm=[0, 3, 1, 2])
    x = net.add("GlobalAveragePool", net.conv(x, 3, 6))
    return net.model({"image": (1, 8, 8, 3)}, net.gemm(net.add("Flatten", x), 6, 3))


def volume() -> ModelProto:
    """Conv3D: rank 5."""
    net = Net()
    weight = net.weight(4, 2, 3, 3, 3)
    x = net.add("Conv", "volume", weight, net.weight(4), pads=[1] * 6)
    x = net.add("Flatten", net.add("GlobalAveragePool", net.add("Relu", x)))
    return net.model({"volume": (1, 2, 5, 6, 7)}, net.gemm(x, 4, 2))


def bare_erf() -> ModelProto:
    """Erf outside of a GELU: LiteRT has no such op, so the first attempts fail."""
    net = Net()
    return net.model({"features": (1, 6)}, net.add("Erf", net.gemm("features", 6, 4)))


def determinant() -> ModelProto:
    """onnx2tf knows the operator, LiteRT does not, and there is no other way to write it."""
    net = Net()
    return net.model({"matrix": (1, 4, 4)}, net.add("Det", "matrix"))


def scalar_output() -> ModelProto:
    net = Net()
    x = net.gemm("features", 6, 4)
    return net.model({"features": (1, 6)}, net.add("ReduceSum", x, keepdims=0))


def branch() -> ModelProto:
    """An If whose condition depends on the input."""
    net = Net()
    total = net.add("ReduceSum", "features", keepdims=0)
    condition = net.add("Greater", total, net.constant(0.0, np.float32))
    bodies = {}
    for key, kind in (("then_branch", "Relu"), ("else_branch", "Neg")):
        out = helper.make_tensor_value_info(f"{key}_y", FLOAT, (1, 6))
        node = helper.make_node(kind, ["features"], [f"{key}_y"])
        bodies[key] = helper.make_graph([node], key, [], [out])
    return net.model({"features": (1, 6)}, net.add("If", condition, **bodies))


def loop() -> ModelProto:
    net = Net()
    count = net.constant(3, np.int64)
    body = helper.make_graph(
        [
            helper.make_node("Add", ["x", "x"], ["y"]),
            helper.make_node("Identity", ["go"], ["on"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", INT64, ()),
            helper.make_tensor_value_info("go", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("x", FLOAT, (1, 6)),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, ()),
            helper.make_tensor_value_info("y", FLOAT, (1, 6)),
        ],
    )
    return net.model({"features": (1, 6)}, net.add("Loop", count, "", "features", body=body))


def without_names(model: ModelProto) -> ModelProto:
    for node in model.graph.node:
        node.name = ""
    return model


CONVERTIBLE: dict[str, Callable[[], ModelProto]] = {
    **{f"cnn, opset {n}": lambda n=n: cnn(n) for n in (7, 9, 11, 13, 17, 20, 22)},
    "cnn, dynamic batch": lambda: cnn(shape=("batch", 3, 16, 16)),
    "cnn, nodes without names": lambda: without_names(cnn()),
    "mlp": mlp,
    "1-D convolution": conv1d,
    "flatten of a feature map": flattened,
    "image mlp": image_mlp,
    "prelu": prelu,
    "transposed convolution, resize": upsampling,
    "cube": cube,
    "grouped convolution": grouped,
    "split, slice, concat, hard swish": slices,
    "shape arithmetic, names with slashes": shapes,
    "layer normalization": normalised,
    "lstm": lstm,
    "gru": gru,
    "token ids": embedding,
    "two inputs, two outputs": two_in_two_out,
    "nhwc with a transpose": nhwc,
    "rank 5": volume,
    "scalar output": scalar_output,
    "if": branch,
    "erf": bare_erf,
}

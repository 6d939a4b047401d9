"""Equal ways to write an ONNX graph, from which the converter makes fewer and better LiteRT ops."""

from __future__ import annotations

from typing import Any

import numpy as np


def rewrite(proto: Any) -> Any:
    """Rewrite `proto` in place and return it; the function it computes stays the same."""
    gelu(proto.graph)
    hard_sigmoid(proto)
    return proto


def gelu(graph: Any) -> None:
    """(x * (1 + erf)) * 0.5, as exporters write it, to (x * 0.5) * (1 + erf): LiteRT's GELU."""
    maker = {name: node for node in graph.node for name in node.output}
    for last in graph.node:
        if last.op_type != "Mul":
            continue
        for product, half in (tuple(last.input), tuple(last.input)[::-1]):
            first = maker.get(product)
            if first is None or first.op_type != "Mul" or _scalar(graph, maker, half) != 0.5:
                continue
            erf = [name for name in first.input if _is_one_plus_erf(maker, name)]
            if len(erf) == 1 and _uses(graph, product) == 1:
                x = next(name for name in first.input if name != erf[0])
                first.input[:] = [x, half]
                last.input[:] = [product, erf[0]]
                break


def hard_sigmoid(proto: Any) -> None:
    """HardSigmoid(1/6, 1/2) to relu6(x + 3) / 6, which every runtime has; times x: HARD_SWISH."""
    import onnx

    graph = proto.graph
    opset = next((o.version for o in proto.opset_import if o.domain in ("", "ai.onnx")), 1)
    nodes = []
    for node in graph.node:
        values = {a.name: a.f for a in node.attribute}
        slope = values.get("alpha", 0.2)
        if node.op_type != "HardSigmoid" or abs(slope - 1 / 6) > 1e-6:
            nodes.append(node)
            continue
        if values.get("beta", 0.5) != 0.5:
            nodes.append(node)
            continue
        prefix = f"{node.output[0]}_relu6"
        three, zero, six, sixth = (
            _add_constant(graph, f"{prefix}_{key}", value)
            for key, value in (("3", 3.0), ("0", 0.0), ("6", 6.0), ("sixth", 1 / 6))
        )
        limits = {"min": 0.0, "max": 6.0} if opset < 11 else {}
        clip = [f"{prefix}_sum", *([zero, six] if opset >= 11 else [])]
        make = onnx.helper.make_node
        name = node.name or prefix
        nodes += [
            make("Add", [node.input[0], three], [f"{prefix}_sum"], f"{name}_add"),
            make("Clip", clip, [f"{prefix}_clip"], f"{name}_clip", **limits),
            make("Mul", [f"{prefix}_clip", sixth], [node.output[0]], name),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


def _is_one_plus_erf(maker: dict[str, Any], name: str) -> bool:
    node = maker.get(name)
    if node is None or node.op_type != "Add":
        return False
    return any(maker[i].op_type == "Erf" for i in node.input if i in maker)


def _scalar(graph: Any, maker: dict[str, Any], name: str) -> float | None:
    from onnx import numpy_helper

    tensor = next((t for t in graph.initializer if t.name == name), None)
    node = maker.get(name)
    if tensor is None and node is not None and node.op_type == "Constant":
        tensor = next((a.t for a in node.attribute if a.name == "value"), None)
    if tensor is None:
        return None
    value = numpy_helper.to_array(tensor)
    return float(value.reshape(-1)[0]) if value.size == 1 else None


def _uses(graph: Any, name: str) -> int:
    read = [text for node in graph.node for text in node.input]
    return [*read, *(value.name for value in graph.output)].count(name)


def _add_constant(graph: Any, name: str, value: float) -> str:
    from onnx import numpy_helper

    graph.initializer.append(numpy_helper.from_array(np.array(value, np.float32), name))
    return name

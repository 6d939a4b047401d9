"""The child process that turns an ONNX file into a proved flatbuffer: `python -m ... FILE FOLDER`.

onnx2tf sets global seeds, filters, recursion limits and environment, writes where it runs, and
wants test images from the network; damaged files may abort onnxruntime. All of it stays in here.
The answer is FOLDER/result.json, beside model.tflite.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgekit import _tf
from edgekit.convert import Function, float_tflite
from edgekit.errors import EdgekitError, ModelError
from edgekit.importers import _onnx_file, _onnx_layout, _onnx_prepare
from edgekit.importers._onnx_reference import Reference, open_reference
from edgekit.importers._onnx_rewrite import rewrite
from edgekit.importers.prove import prove
from edgekit.model import TensorSpec


@dataclass(frozen=True)
class Attempt:
    """One way to convert: which copy of the graph, and onnx2tf's settings.

    Attributes:
        name: For the history of the model.
        simplified: Work on the copy that onnxruntime simplified, not on the graph as it is.
        keep: Keep every input as the source has it; a Transpose of our own goes before it.
        options: Arguments of `onnx2tf.convert`.
    """

    name: str
    simplified: bool = True
    keep: bool = False
    options: dict[str, Any] = field(default_factory=dict)


# Unrolled: a WHILE cannot be calibrated (TensorFlow's calibrator crashes on one).
UNROLL = {"enable_rnn_unroll": True}
ATTEMPTS = (
    Attempt("simplified graph", options=UNROLL),
    Attempt("graph as it is", simplified=False, options=UNROLL),
    Attempt("inputs as they are", keep=True, options=UNROLL),
    Attempt(
        "plain operators",
        options={
            "disable_group_convolution": True,
            "replace_to_pseudo_operators": ["erf"],  # a polynomial that errs by 1.5e-7
        },
    ),
)
"""From the smallest result to the safest; the first that proves equal is taken."""


def offline() -> None:
    """Let no Python code of this process reach the network from now on."""

    def refuse(event: str, _: tuple[Any, ...]) -> None:
        if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
            raise PermissionError("a conversion never uses the network")

    sys.addaudithook(refuse)


def check(path: Path) -> tuple[tuple[str, ...], Reference]:
    """Read `path`, refuse what cannot be converted, and run it once in onnxruntime.

    Returns:
        The weight files beside the model, and the reference.

    Raises:
        ModelError: By name; see `_onnx_file` and `_onnx_reference`.
    """
    proto, files = _onnx_file.read(path)
    _onnx_file.refuse(path, proto)
    reference = open_reference(path, proto, _onnx_layout.channels_first(proto))
    reference(reference.rows(0))
    return files, reference


def convert(path: Path, folder: Path) -> dict[str, Any]:
    """Convert `path` into `folder`/model.tflite.

    Returns:
        What the parent needs to make a Model of it.

    Raises:
        ModelError: What is wrong with the file, or the first fault of the first attempt when no
            attempt gives an equal model.
    """
    files, reference = check(path)
    fixed = _onnx_prepare.fixed(reference.proto)
    copies = {False: fixed, True: rewrite(_onnx_prepare.simplified(fixed, folder))}
    first: EdgekitError | None = None
    for attempt in ATTEMPTS:
        try:
            function = _function(copies[attempt.simplified], attempt, reference)
            placed, proof = _proved(function, reference, folder)
        except EdgekitError as error:
            first = first or error
            continue
        return {**_facts(placed, files), "attempt": attempt.name, "proof": proof}
    assert first is not None
    raise _named(first, reference)


def _named(error: EdgekitError, reference: Reference) -> EdgekitError:
    """The error with the file's name, and the node whose TensorFlow op LiteRT lacks."""
    op = re.search(r"no builtin op for (\w+)", error.message)
    nodes = [
        _onnx_file.label(node)
        for node in reference.proto.graph.node
        if op and node.op_type.lower() in op[1].lower()
    ]
    where = ": ".join([reference.path.name, *nodes[:1]])
    if error.message.startswith(where):
        return error
    return type(error)(f"{where}: {error.message}", error.hint)


def _function(proto: Any, attempt: Attempt, reference: Reference) -> Function:
    """What onnx2tf makes of `proto`, called with channels-last tensors under the source's names."""
    copy, sources = _onnx_prepare.renamed(proto)
    safe = {source: name for name, source in sources.items()}
    moved = reference.inputs_moved
    names = [value.name for value in reference.session.get_inputs()]
    keep = [safe[n] for n, first in zip(names, moved, strict=True) if attempt.keep or not first]
    model = _onnx2tf(copy, sources, keep, attempt, reference.path)
    specs = tuple(
        TensorSpec(name, row.shape, row.dtype.name)
        for name, row in zip(names, reference.rows(0), strict=True)
    )

    def call(*tensors: Any) -> Sequence[Any]:
        given = [
            _to_first(t) if attempt.keep and first else t
            for t, first in zip(tensors, moved, strict=True)
        ]
        results = model(given[0] if len(given) == 1 else given, training=False)
        return results if isinstance(results, list | tuple) else [results]

    return Function(call, specs, tuple(value.name for value in reference.session.get_outputs()))


def _onnx2tf(
    proto: Any, sources: dict[str, str], keep: list[str], attempt: Attempt, path: Path
) -> Any:
    """The tf_keras model that onnx2tf makes; its own graph passes on, nothing written."""
    import onnx2tf

    _tf.tf_keras().backend.clear_session()  # its counters end up in the names of tensors
    # It compares layouts with real images where it can; seeded noise does as well, offline.
    onnx2tf.onnx2tf.download_test_image_data = lambda: np.random.default_rng(0).random(
        (20, 128, 128, 3), dtype=np.float32
    )
    try:
        model = onnx2tf.convert(
            onnx_graph=proto,
            output_folder_path="onnx2tf",
            not_use_onnxsim=True,
            not_use_opname_auto_generate=True,
            disable_model_save=True,
            non_verbose=True,
            keep_shape_absolutely_input_names=keep or None,
            **attempt.options,
        )
    except (Exception, SystemExit) as error:
        node = str(getattr(error, "onnx_op_name", None) or "")
        kinds = {n.name: n.op_type for n in proto.graph.node}
        where = f"node '{sources.get(node, node)}' ({kinds.get(node, '?')})" if node else "a node"
        raise ModelError(
            f"{path.name}: {where} cannot be converted: {_onnx_file.first_line(error)}",
            "replace the operator in the source model, or leave it out and compute it in your code",
        ) from error
    return model


def _proved(
    function: Function, reference: Reference, folder: Path
) -> tuple[Reference, dict[str, Any]]:
    """Write the flatbuffer and prove it equal to the reference."""
    tf = _tf.tensorflow()
    data = float_tflite(function)
    rows = reference.rows(1)
    results = [tf.convert_to_tensor(y).numpy() for y in function.call(*map(tf.constant, rows))]
    placed = reference.placed(results, rows)
    proof = prove(data, placed, placed.intermediates)
    (folder / "model.tflite").write_bytes(data)
    return placed, proof


def _to_first(tensor: Any) -> Any:
    last = len(tensor.shape) - 1
    return _tf.tensorflow().transpose(tensor, (0, last, *range(1, last)))


def _facts(reference: Reference, files: tuple[str, ...]) -> dict[str, Any]:
    proto = reference.proto
    return {
        "parameters": _onnx_prepare.parameters(proto),
        "opset": next((o.version for o in proto.opset_import if o.domain in ("", "ai.onnx")), 1),
        "producer": f"{proto.producer_name} {proto.producer_version}".strip(),
        "weight_files": files,
        "inputs_moved": reference.inputs_moved,
        "outputs_moved": reference.outputs_moved,
        "outputs": [value.name for value in reference.session.get_outputs()],
    }


def main(path: Path, folder: Path) -> None:
    """Answer in `folder`/result.json: the facts, or `error` with message and hint."""
    offline()
    try:
        # Only result.json counts; what libraries print is for whoever runs this by hand.
        with contextlib.redirect_stdout(sys.stderr):
            result = convert(path, folder)
    except EdgekitError as error:
        result = {"error": type(error).__name__, "message": error.message, "hint": error.hint}
    (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

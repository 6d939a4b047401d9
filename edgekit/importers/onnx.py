"""ONNX, opsets 7 to 20 (others where they prove equal): through onnx2tf, in a child process.

The child works on copies, never reaches the network, and may crash: this process only reads its
answer. Channels-first inputs (found from the graph) become channels-last; a dynamic batch becomes
1; the flatbuffer is proved equal to onnxruntime running the file as it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from edgekit import errors
from edgekit._run import ToolError, run
from edgekit.errors import DISTRIBUTION, MissingExtra, ModelError
from edgekit.graph.read import read
from edgekit.importers.base import hash_source, model_name, specs
from edgekit.model import Model, Source
from edgekit.problem import Problem

TIMEOUT = 1800.0
NOWHERE = "http://127.0.0.1:9"


def load(path: Path, modules: Sequence[str] = ()) -> Model:
    """Import an ONNX file; weight files it refers to must lie in its folder.

    Args:
        path: The file. It is only read.
        modules: Not used: ONNX knows no Python objects.

    Returns:
        A model of form `tflite`.

    Raises:
        ModelError: Not an ONNX model, damaged, not convertible (the node is named) or not equal
            after conversion (the first node that differs is named).
        MissingExtra: onnx, onnxruntime or onnx2tf is not installed.
    """
    _require("onnx", "onnxruntime", "onnx2tf")
    with tempfile.TemporaryDirectory(prefix="edgekit-onnx-") as folder:
        facts = _child(path, Path(folder))
        data = (Path(folder) / "model.tflite").read_bytes()
    inputs, outputs = specs(read(data, path.name))
    return Model(
        name=model_name(path),
        source=Source(path, _hash(path, facts["weight_files"]), "onnx", facts["parameters"]),
        tflite=data,
        inputs=inputs,
        outputs=outputs,
        channels_first=any(facts["inputs_moved"]),
        proof=facts["proof"],
        history=(_history(facts),),
        problems=_problems(path, facts),
    )


def _child(path: Path, folder: Path) -> dict[str, Any]:
    child = [sys.executable, "-P", "-m", "edgekit.importers._onnx2tf"]
    try:
        run([*child, path.absolute(), folder], cwd=folder, env=_environment(), timeout=TIMEOUT)
        facts: dict[str, Any] = json.loads((folder / "result.json").read_text())
    except (ToolError, OSError, ValueError) as error:
        raise ModelError(
            f"{path.name}: the conversion came to no end: {_why(error)}",
            "check the model with `python -m onnx.checker`, or export it again",
        ) from error
    if "error" in facts:
        raise getattr(errors, facts["error"])(facts["message"], facts["hint"])
    return facts


def _why(error: Exception) -> str:
    """What a tool's failure says, without the interpreter's name."""
    return error.message if isinstance(error, ToolError) else "it left no answer"


def _environment() -> dict[str, str]:
    """This environment, for a child that finds this edgekit, no GPU and no network."""
    root = str(Path(errors.__file__).resolve().parents[1])
    proxies = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **os.environ,
        **dict.fromkeys(proxies, NOWHERE),
        "PYTHONPATH": os.pathsep.join(os.path.abspath(p) for p in paths),
        "PYTHONHASHSEED": "0",
        "TF_USE_LEGACY_KERAS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
    }


def _require(*packages: str) -> None:
    for package in packages:
        if find_spec(package) is None:
            raise MissingExtra(
                f"{package} is not installed", f"pip install '{DISTRIBUTION}' brings it"
            )


def _hash(path: Path, weight_files: list[str]) -> str:
    """Of the file; with weight files, over the sorted (relative path, file hash) pairs."""
    own = hash_source(path)
    if not weight_files:
        return own
    pairs = [(path.name, own), *((f, hash_source(path.parent / f)) for f in weight_files)]
    digest = hashlib.sha256()
    for name, value in sorted(pairs):
        digest.update(f"{name}\0{value}\n".encode())
    return digest.hexdigest()


def _history(facts: dict[str, Any]) -> str:
    maker = f" by {facts['producer']}" if facts["producer"] else ""
    layout = ", channels-first to channels-last" if any(facts["inputs_moved"]) else ""
    return f"import onnx: opset {facts['opset']}{maker}, {facts['attempt']}{layout}"


def _problems(path: Path, facts: dict[str, Any]) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            "note",
            path.name,
            f"output '{name}' is channels-last; in the ONNX file it is channels-first",
            "read it as (1, height, width, channels)",
        )
        for name, moved in zip(facts["outputs"], facts["outputs_moved"], strict=True)
        if moved
    )

"""The manifest, the same whenever the build is repeated, and the report of this one run."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit import __version__, ledger
from edgekit.accuracy import Accuracy
from edgekit.artifact import SCHEMA, Artifact, digest
from edgekit.data.spec import Spec, parse
from edgekit.fidelity import Fidelity
from edgekit.fit import Fit
from edgekit.graph import count
from edgekit.graph.graph import Graph
from edgekit.importers.base import hash_source
from edgekit.plan import AS_IS, Plan
from edgekit.problem import Problem
from edgekit.profile import Profile
from edgekit.quantizers.base import Quantized
from edgekit.runtimes.base import runtime_version
from edgekit.work import Work

LOW_SQNR_DB, LOW_AGREEMENT = 15.0, 97.0
"""Below these the built model is worth a warning: about one answer in thirty changes."""

PACKAGES = (
    "ai-edge-litert",
    "keras",
    "numpy",
    "onnx",
    "onnx2tf",
    "onnxruntime",
    "tensorflow",
    "tf-keras",
    "tflite-micro",
)


@dataclass(frozen=True)
class Result:
    """What was made for one target, before it is written."""

    profile: Profile
    plan: Plan
    quantized: Quantized
    graph: Graph
    runtime: str
    verdict: Fit
    fidelity: Fidelity | None
    accuracy: Accuracy | None
    stand_in: Problem | None


def input_key(work: Work, profile: Profile, plan: Plan) -> str:
    """Hash of everything a build depends on: the same key gives the same manifest."""
    return digest(
        {
            "edgekit": __version__,
            "versions": versions(),
            "profile": profile.to_json(),
            "plan": plan.steps_json(),
            "project": project_json(work, profile),
            "model": work.source_sha256,
            "data": [hash_source(parse(text, work.root).path) for text in _specs(work)],
        }
    )


def describe(work: Work, result: Result, artifacts: list[Artifact], key: str) -> dict[str, Any]:
    """The manifest of a build."""
    model, graph = work.model, result.graph
    before = ledger.entry("float32", model.tflite, work.graph)
    after = ledger.entry(result.plan.scheme, result.quantized.tflite, graph)
    return {
        "schema": SCHEMA,
        "edgekit": __version__,
        "key": key,
        "target": result.profile.name,
        "model": {
            "path": relative(work.project.model.path, work.root),
            "sha256": work.source_sha256,
            "format": model.source.format,
            "parameters": model.source.parameters,
            "macs": count.macs(work.graph),
            "proof": model.proof,
        },
        "plan": result.plan.steps_json(),
        "preprocess": work.preprocess.to_json(),
        "quantization": _quantization(result),
        "calibration": _calibration(work, result),
        "compress": [],
        "seed": work.project.build.seed,
        "built": {"parameters": count.parameters(graph), "macs": count.macs(graph)},
        "fidelity": _fidelity(result.fidelity),
        "accuracy": result.accuracy.to_json() if result.accuracy else None,
        "ledger": [entry.to_json() for entry in (before, after)],
        "artifacts": [artifact.to_json() for artifact in artifacts],
        "fit": result.verdict.to_json(),
        "problems": [problem.to_json() for problem in problems(work, result)],
        "project": project_json(work, result.profile),
        "versions": versions(),
    }


def describe_run(work: Work, result: Result, seconds: float) -> dict[str, Any]:
    """The report: what may differ from run to run, and details for people."""
    return {
        "base": str(work.root.resolve()),
        "seconds": round(seconds, 2),
        "machine": platform.platform(),
        "python": platform.python_version(),
        "history": list(work.model.history),
        "calibration_effects": result.quantized.effects,
        "fidelity": result.fidelity.to_json() if result.fidelity else None,
    }


def problems(work: Work, result: Result) -> list[Problem]:
    """Everything the user should know about a build."""
    found = [
        *work.model.problems,
        *work.data_problems,
        *result.plan.problems,
        *result.quantized.problems,
        *result.verdict.problems,
    ]
    if result.stand_in:
        found.append(result.stand_in)
    if result.fidelity is not None:
        found += [
            *result.fidelity.problems,
            *_low(result.fidelity, work.project.quantize.estimator),
        ]
    elif result.plan.judged:
        found.append(_not_compared(result.plan.scheme == AS_IS))
    return list(dict.fromkeys(found))


def versions() -> dict[str, str]:
    """Installed versions of the packages that have a say in the result."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def relative(path: str, root: Path) -> str:
    """`path` relative to `root`, as the manifest stores it."""
    return os.path.relpath(root / path, root)


def project_json(work: Work, profile: Profile) -> dict[str, Any]:
    """The project for one target with every path relative to the root; the output left out."""
    root, data = work.root, work.project.data
    target = next(name for name in work.project.build.targets if Path(name).name in _names(profile))
    return (
        work.project.with_table("model", path=relative(work.project.model.path, root))
        .with_table(
            "data",
            calibration=tuple(_relative_spec(text, root) for text in data.calibration),
            training=tuple(_relative_spec(text, root) for text in data.training),
            evaluation=tuple(_relative_spec(text, root) for text in data.evaluation),
        )
        .with_table(
            "build",
            targets=(relative(target, root) if target.endswith(".toml") else target,),
            output="",
        )
        .to_json()
    )


def _names(profile: Profile) -> tuple[str, str]:
    return profile.name, f"{profile.name}.toml"


def repeatable(work: Work) -> bool:
    """Whether the key says everything: rows that a Python function yields it cannot know."""
    return not any(parse(text, work.root).module for text in _specs(work))


def _specs(work: Work) -> tuple[str, ...]:
    data = work.project.data
    return (*data.calibration, *data.training, *data.evaluation)


def _relative_spec(text: str, root: Path) -> str:
    spec = parse(text, root)
    if spec.module:
        return text
    path = os.path.relpath(spec.path, root)
    selector = f":{spec.array}" if spec.array or spec.labels else ""
    labels = f",{spec.labels}" if spec.labels else ""
    return f"{path}{selector}{labels}{_slice(spec)}"


def _slice(spec: Spec) -> str:
    if spec.start is None and spec.stop is None:
        return ""
    start, stop = ("" if end is None else end for end in (spec.start, spec.stop))
    return f"[{start}:{stop}]"


def _quantization(result: Result) -> dict[str, Any]:
    return {
        "scheme": result.plan.scheme,
        "runtime": runtime_version(result.runtime),
        "inputs": _tensors(result.graph, result.graph.inputs),
        "outputs": _tensors(result.graph, result.graph.outputs),
    }


def _tensors(graph: Graph, indices: tuple[int, ...]) -> list[dict[str, Any]]:
    described = []
    for tensor in (graph.tensors[index] for index in indices):
        quantization = tensor.quantization
        described.append(
            {
                "name": tensor.name,
                "shape": list(tensor.shape),
                "dtype": tensor.dtype,
                "scale": float(quantization.scale[0]) if quantization else None,
                "zero_point": int(quantization.zero_point[0]) if quantization else None,
            }
        )
    return described


def _calibration(work: Work, result: Result) -> dict[str, Any] | None:
    if work.calibration is None or not result.quantized.estimator:
        return None
    chosen = work.calibration[0]
    specs = [parse(text, work.root) for text in chosen.sources]
    return {
        "sources": [_relative_spec(text, work.root) for text in chosen.sources],
        "slice": [[spec.start, spec.stop] for spec in specs],
        "samples": len(chosen),
        "sha256": chosen.sha256,
        "estimator": result.quantized.estimator,
    }


def _fidelity(fidelity: Fidelity | None) -> dict[str, Any] | None:
    if fidelity is None:
        return None
    full = fidelity.to_json()
    return {key: full[key] for key in ("samples", "top1_agreement", "sqnr_db", "worst", "runtime")}


def _not_compared(quantized_already: bool) -> Problem:
    if quantized_already:
        return Problem(
            "note",
            "fidelity",
            "not measured: the model is quantized already, there is no float model beside it",
            "build from the float model to have the two compared",
        )
    return Problem(
        "warning",
        "fidelity",
        "not measured: calibration uses every row there is, and no evaluation data are given",
        "give more calibration rows than --samples, or --evaluation DATA",
    )


def _low(fidelity: Fidelity, estimator: str) -> list[Problem]:
    """A warning where the built model is far from the float one, with the layer to blame."""
    agreement = fidelity.top1_agreement
    if fidelity.sqnr_db >= LOW_SQNR_DB and (agreement is None or agreement >= LOW_AGREEMENT):
        return []
    how = f"SQNR is {fidelity.sqnr_db:.1f} dB"
    if agreement is not None:
        how += f", the top class agrees on {agreement:.1f} % of {fidelity.samples} rows"
    blamed = [layer for layer in fidelity.layers if layer.why]
    worst = min(blamed, key=lambda layer: layer.sqnr_db, default=None)
    where = f"; first to blame: {worst.op} {worst.name} ({worst.why})" if worst else ""
    mend = "--quantize int16x8 where the target runs it, or more calibration data"
    if estimator != "auto":
        mend = f"--set quantize.estimator=auto tries better ranges and corrections; or {mend}"
    return [Problem("warning", "fidelity", f"far from the float model: {how}{where}", mend)]

"""The manifest, the same whenever the build is repeated, and the report of this one run."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from edgekit import __version__, dynamic, exporting
from edgekit.artifact import SCHEMA, Artifact
from edgekit.c_project.measure import measure
from edgekit.criteria import Measured, criteria
from edgekit.data.spec import parse
from edgekit.evaluate.fidelity import Fidelity
from edgekit.exporting import tools
from edgekit.findings import problems
from edgekit.golden.litert import PATH
from edgekit.graph import count
from edgekit.graph.graph import Graph
from edgekit.identity import located, project_json, relative, relative_spec
from edgekit.result import Result
from edgekit.runtimes.base import runtime_version
from edgekit.steps import ledger, without_passes
from edgekit.tools import versions_of
from edgekit.versions import versions
from edgekit.work import Work


def describe(work: Work, result: Result, artifacts: list[Artifact], key: str) -> dict[str, Any]:
    """The manifest of a build."""
    model, graph, plain = work.model, result.graph, without_passes(work, result)
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
        "preprocess": work.sets.preprocess.to_json(),
        "labels": list(result.labels),
        "quantization": _quantization(result),
        "calibration": _calibration(work, result),
        "compress": [entry.to_json() for entry in work.log(result.plan)],
        "seed": work.project.build.seed,
        "built": {"parameters": count.parameters(graph), "macs": count.macs(graph)},
        "fidelity": _fidelity(result.fidelity),
        "accuracy": result.accuracy.to_json() if result.accuracy else None,
        "criteria": _criteria(work, result),
        "exits": dynamic.exits_told(work, result),
        "gates": dynamic.gates_told(work, result),
        "variants": [each.to_json() for each in result.variants],
        "budget": result.climb.to_json() if result.climb and result.climb.start.limits else None,
        "ledger": [entry.to_json() for entry in ledger(work, result)],
        "without_passes": plain.to_json() if plain else None,
        "artifacts": [artifact.to_json() for artifact in artifacts],
        "c_project": result.made.project.to_json() if result.made.project else None,
        "golden": _golden(result, artifacts),
        "fit": result.verdict.to_json(),
        "problems": [located(problem, work).to_json() for problem in problems(work, result)],
        "project": project_json(work, result.profile),
        "versions": versions(),
        "tools": tools(result.plan),
    }


def _golden(result: Result, artifacts: list[Artifact]) -> dict[str, Any] | None:
    """Of the file of golden vectors; libraries may have their own where it is not written."""
    written = any(artifact.path == PATH for artifact in artifacts)
    return result.golden.to_json() if result.golden and written else None


def describe_run(work: Work, result: Result, seconds: float, built: Path) -> dict[str, Any]:
    """The report: what may differ from run to run, and details for people.

    Args:
        work: What is shared by all targets.
        result: What was made.
        seconds: That it took.
        built: The folder with the files that were written.
    """
    project = result.made.project
    return {
        "base": str(work.root.resolve()),
        "seconds": round(seconds, 2),
        "machine": platform.platform(),
        "python": platform.python_version(),
        "tools": versions_of(exporting.tools(result.plan)),
        "history": list(work.model.history),
        "calibration_effects": result.quantized.effects,
        "training": work.spent.to_json(),
        "budget": list(result.climb.lines) if result.climb else [],
        "fidelity": result.fidelity.to_json() if result.fidelity else None,
        "c_project": measure(project, built) if project else None,
    }


def _criteria(work: Work, result: Result) -> dict[str, Any]:
    """Of the model as it came and of what is built."""
    found = result.accuracy.to_json() if result.accuracy else {}
    sides = [
        (work.graph, work.model.tflite, "float"),
        (result.graph, result.quantized.tflite, "built"),
    ]
    original, built = (
        Measured(
            count.parameters(graph),
            count.macs(graph),
            len(tflite),
            found.get(side),
            found.get("metric", ""),
        )
        for graph, tflite, side in sides
    )
    return criteria(original, built)


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
    if work.sets.calibration is None or not result.quantized.estimator:
        return None
    chosen = work.sets.calibrating(result.samples)
    specs = [parse(text, work.root) for text in chosen.sources]
    return {
        "sources": [relative_spec(text, work.root) for text in chosen.sources],
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

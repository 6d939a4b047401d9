"""A finished build as a person wants to see it."""

from __future__ import annotations

from typing import Any

import click

from edgekit.artifact import Build
from edgekit.cli._common import table


def print_build(build: Build) -> None:
    """Sizes, closeness to the float model, fit, files and what to do next."""
    manifest = build.manifest
    if not build.fresh:
        click.echo(f"{build.folder}: nothing changed, nothing to do (--force builds again)")
        return
    title = f"{manifest['model']['path']} for {manifest['target']}"
    table(title, ("", "parameters", "MACs", "bytes", "gzip"), _sizes(manifest))
    click.echo()
    for name, text in _findings(manifest):
        click.echo(f"{name:<11} {text}")
    for problem in manifest["problems"]:
        click.echo(f"{problem['severity']:<11} {problem['message']}")
        click.echo(f"{'':<11} {problem['hint']}")
    click.echo(f"{'files':<11} {build.folder}/")
    for item in manifest["artifacts"]:
        click.echo(f"{'':<11}   {item['path']:<20} {item['bytes']:>12,} B  {item['kind']}")
    click.echo(
        f"{'next':<11} edgekit inspect {build.tflite}\n{'':<11} edgekit verify {build.folder}"
    )
    click.echo()


def _sizes(manifest: dict[str, Any]) -> list[list[Any]]:
    keys = ("step", "parameters", "macs", "bytes", "gzip")
    return [[entry[key] for key in keys] for entry in manifest["ledger"]]


def _findings(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [("fidelity", _fidelity(manifest["fidelity"]))]
    if manifest["accuracy"]:
        lines.append(("accuracy", _accuracy(manifest["accuracy"])))
    for name in ("flash", "ram"):
        lines += [(name, text) for text in [_memory(manifest["fit"][name])] if text]
    return lines


def _fidelity(fidelity: dict[str, Any] | None) -> str:
    if fidelity is None:
        return "not measured"
    agreement = fidelity["top1_agreement"]
    same = "" if agreement is None else f"top-1 agrees on {agreement:.2f} %, "
    return (
        f"{same}SQNR {fidelity['sqnr_db']:.1f} dB (worst sample {fidelity['worst']['sqnr_db']:.1f})"
        f" on {fidelity['samples']} rows, {fidelity['runtime']}"
    )


def _accuracy(accuracy: dict[str, Any]) -> str:
    low, high = accuracy["interval"]
    unit = " %" if accuracy["metric"] in ("top1", "auc") else ""
    return (
        f"{accuracy['metric']} float {accuracy['float']:.2f}{unit}, built {accuracy['built']:.2f}"
        f"{unit}: drop {accuracy['drop']:.2f} (95 % interval {low:.2f} to {high:.2f})"
        f" on {accuracy['samples']} samples"
    )


def _memory(memory: dict[str, Any]) -> str:
    if memory["need"] is None:
        return ""
    have = f" of {memory['have']:,} B" if memory["have"] else ""
    return f"{memory['need']:,} B{have}, {memory['state']}: {memory['by']}"

"""What there is to say about a network, from its own code, without building it."""

from __future__ import annotations

import dataclasses
from typing import Any

from edgekit.passes._describe import fields_of
from edgekit.zoo.base import Base, Figure


def describe(network: Base) -> dict[str, Any]:
    """Name, title, paper, input, options with their ranges, and figures; JSON-able."""
    first = network.figures[0]
    return {
        "name": network.name,
        "title": network.title,
        "paper": network.paper,
        "input": list(network.shape),
        "classes": network.classes,
        "parameters": first.parameters,
        "macs": first.macs,
        "options": options(network),
        "figures": [_figure(network, figure) for figure in network.figures],
    }


def options(network: Base) -> list[dict[str, Any]]:
    """Key, type, default, help, what a search tries, and the range: ends, or `choices`."""
    fields = dataclasses.fields(network.Options)
    told = fields_of(network.Options)
    return [{**one, **_range(field, one["type"])} for one, field in zip(told, fields, strict=True)]


def _range(field: dataclasses.Field[Any], kind: str) -> dict[str, Any]:
    if "choices" in field.metadata:
        return {"choices": list(field.metadata["choices"])}
    if isinstance(field.default, bool):
        return {"choices": [False, True]}
    if isinstance(field.default, str):
        return {"choices": kind.split(" | ")}
    return {"least": field.metadata["least"], "most": field.metadata["most"]}


def _figure(network: Base, figure: Figure) -> dict[str, Any]:
    parameters, macs = figure.published
    return {
        "options": dict(figure.options),
        "input": list(figure.shape or network.shape),
        "parameters": figure.parameters,
        "macs": figure.macs,
        "published_parameters": parameters,
        "published_macs": macs,
        "source": figure.source,
    }

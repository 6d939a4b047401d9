"""The options of `edgekit build` that concern compression and its budget."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from edgekit.project import Project

TITLE = "Compression"
_OPTIONS = (
    click.option(
        "--compress",
        metavar="SPEC",
        help="Passes in order, pass[:value][:key=value]...[,pass...]; `edgekit passes` lists them.",
    ),
    click.option(
        "--max-drop",
        type=click.FloatRange(min=0),
        metavar="POINTS",
        help="Budget: accuracy lost at most, on labelled data.",
    ),
    click.option(
        "--min-agreement",
        type=click.FloatRange(0, 100),
        metavar="PERCENT",
        help="Budget: decisions like the float model's, at least.",
    ),
    click.option("--strict", is_flag=True, help="Refuse a budget that the data cannot prove."),
    click.option("--no-ladder", is_flag=True, help="Refuse a broken budget at once."),
    click.option("--resume", is_flag=True, help="Go on after the last pass that was finished."),
)
_NAMES = ("compress", "max_drop", "min_agreement", "strict", "no_ladder", "resume")


def compression(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of this file."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def with_compression(project: Project, given: dict[str, Any]) -> Project:
    """`project` with what the options say; they go before edgekit.toml."""
    if given["compress"] is not None:
        project = project.with_compress(given["compress"])
    return project.with_table(
        "budget",
        accuracy_drop=given["max_drop"],
        agreement=given["min_agreement"],
        strict=given["strict"] or None,
        ladder=False if given["no_ladder"] else None,
    )


class BuildCommand(click.Command):
    """A command whose help shows the options of this file under a title of their own."""

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections of the help."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": [], TITLE: []}
        for parameter in self.get_params(context):
            record = parameter.get_help_record(context)
            if record is not None:
                sections[TITLE if parameter.name in _NAMES else "Options"].append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)

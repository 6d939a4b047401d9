"""`edgekit report`: builds, runs, analyses and studies as a page, a comment, JSON, JUnit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli._common import common, json_option, verbosity
from edgekit.errors import OutputError, UsageError

if TYPE_CHECKING:
    from edgekit.reports.base import Report

FORMATS = ("html", "markdown", "junit")
"""Those that are files: modules of `edgekit.reports`, and options of this command."""


@click.command(name="report")
@click.argument("paths", nargs=-1, metavar="BUILD|RUN|SENSITIVITY|STUDY...")
@click.option("--html", metavar="FILE", help="Write one page with everything in it.")
@click.option("--markdown", metavar="FILE", help="Write a comment for a pull request.")
@click.option("--junit", metavar="FILE", help="Write test results for continuous integration.")
@json_option
@common
@click.pass_context
def command(
    context: click.Context, /, paths: tuple[str, ...], as_json: bool, **files: str | None
) -> None:
    """Show what builds, benches, analyses and searches found: the verdict first, then all figures.

    A path is a folder that one of them wrote, or a folder of such folders. A run is shown with the
    build of its model. The exit code is 3 where a build does not fit or a budget is broken, 4 where
    a device computed something else.

    \b
    edgekit report build/digits-rpi4 runs/digits-rpi4-pi-001 --html digits.html
    edgekit report build runs --markdown comment.md --junit checks.xml
    """
    from edgekit.cli._progress import make_progress
    from edgekit.reports._gather import gather

    if not paths:
        raise UsageError("nothing to report on", "edgekit report build/MODEL-TARGET [runs/RUN ...]")
    progress = make_progress(verbosity())
    try:
        report = gather([Path(path) for path in paths], progress)
        wanted = [(name, path) for name in FORMATS if (path := files[name])]
        for name, path in wanted:
            progress.step(f"writing {path}")
            _write(report, name, path)
    finally:
        progress.close()
    if as_json:
        from edgekit.reports.json import render as as_text

        click.echo(as_text(report), nl=False)
    elif not wanted:
        from edgekit.reports.table import render

        click.echo(render(report), nl=False)
    for _, path in wanted:
        click.echo(f"written: {path}", err=as_json)
    context.exit(report.exit_code)


def _write(report: Report, name: str, path: str) -> None:
    from edgekit._discover import load

    text = load("reports", name).render(report)
    try:
        Path(path).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        why = error.strerror or str(error)
        raise OutputError(f"{path} cannot be written: {why}", "choose another file") from error

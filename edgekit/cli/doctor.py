"""`edgekit doctor`: what is installed, what is missing, and the command that installs it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli._common import common, emit, json_option
from edgekit.cli._table import table

if TYPE_CHECKING:
    from edgekit.doctor import Diagnosis, Finding


@click.command(name="doctor")
@click.option("--lab", type=click.Path(), metavar="FILE", help="Default: lab.toml here, or yours.")
@json_option
@common
@click.pass_context
def command(context: click.Context, lab: str | None, as_json: bool) -> None:
    """Check packages, extras, tools and your lab, and say how to mend what is missing.

    Exit code 2 when something that the default install needs is missing or wrong.
    """
    from edgekit.doctor import diagnose
    from edgekit.harness.lab import load_lab
    from edgekit.harness.reachable import check_lab

    diagnosis, desk = diagnose(), check_lab(load_lab(Path(lab) if lab else None))
    if as_json:
        emit({**diagnosis.to_json(), "lab": [asdict(finding) for finding in desk]})
    else:
        _show(diagnosis, desk)
    context.exit(0 if diagnosis.ok else 2)


def _show(diagnosis: Diagnosis, desk: tuple[Finding, ...]) -> None:
    facts = diagnosis.platform
    click.echo(f"{facts['system']} {facts['machine']}, Python {facts['python']}\n")
    sections = (
        ("Packages", "range", (*diagnosis.packages, *diagnosis.conflicts)),
        ("Extras", "packages", diagnosis.extras),
        ("Tools", "for", diagnosis.tools),
        ("Lab", "driver", desk),
    )
    for title, wanted, findings in sections:
        if not findings:
            continue
        table(
            title,
            ("name", "state", "version", wanted),
            [(f.name, f.state, f.version, f.wanted) for f in findings],
        )
        for finding in findings:
            if finding.hint:
                click.echo(f"  {finding.name}: {finding.hint}")
        click.echo()
    if diagnosis.ok:
        click.echo("everything the default install needs is here")
    else:
        names = ", ".join(finding.name for finding in diagnosis.broken)
        click.echo(f"the default install is not whole: {names}")

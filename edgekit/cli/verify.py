"""`edgekit verify`: is this build what its manifest says, and does it build again alike?"""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli._common import common, emit, json_option, verbosity


@click.command(name="verify")
@click.argument("build", metavar="BUILD")
@click.option("--no-rebuild", is_flag=True, help="Check hashes only.")
@json_option
@common
def command(build: str, no_rebuild: bool, as_json: bool) -> None:
    """Check the hashes of BUILD, then build it again and compare every byte."""
    from edgekit.cli._progress import make_progress
    from edgekit.verify import verify

    progress = make_progress(verbosity())
    try:
        result = verify(Path(build), rebuild=not no_rebuild, progress=progress)
    finally:
        progress.close()
    if as_json:
        emit(result)
    else:
        click.echo(f"{build}: {result['artifacts']} artifacts are what the manifest says")
        if result["rebuilt"]:
            click.echo(f"{build}: built again, byte for byte the same")

"""`edgekit bench`: what a build costs on a device, and whether the device computes it right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli._common import common, emit, json_option, verbosity

if TYPE_CHECKING:
    from edgekit.bench import Report


@click.command(name="bench")
@click.argument("build", metavar="BUILD")
@click.option("--device", required=True, metavar="NAME", help="Driver (`edgekit devices`).")
@click.option("--core", metavar="CORE", help="Emulate this core instead of the build's own.")
@click.option(
    "-n",
    "--inferences",
    type=click.IntRange(min=1),
    help="Golden vectors to run; default: all of the build's.",
)
@json_option
@common
@click.pass_context
def command(
    context: click.Context,
    build: str,
    device: str,
    core: str | None,
    inferences: int | None,
    as_json: bool,
) -> None:
    """Run the folder BUILD on a device, compare its outputs, and measure it.

    \b
    edgekit bench build/digits-cortex-m4 --device qemu
    edgekit bench build/digits-cortex-m4 --device qemu --core cortex-m7 --json
    """
    from edgekit.artifact import Build
    from edgekit.bench import bench
    from edgekit.cli._progress import make_progress

    given = {"core": core, "inferences": inferences}
    options = {name: value for name, value in given.items() if value is not None}
    loaded = Build.load(Path(build))
    progress = make_progress(verbosity())
    try:
        report = bench(loaded, device, options, progress)
    finally:
        progress.close()
    _show(report, build, as_json)
    context.exit(0 if report.golden.ok else 4)


def _show(report: Report, build: str, as_json: bool) -> None:
    if report.golden.ok:
        if as_json:
            emit(report.to_json())
        else:
            from edgekit.cli._bench_report import print_report

            print_report(report)
        return
    message, hint = _wrong(report, build)
    click.echo(f"error: {message}\nhint: {hint}", err=True)
    if as_json:
        emit({**report.to_json(), "error": message, "hint": hint, "exit_code": 4})


def _wrong(report: Report, build: str) -> tuple[str, str]:
    golden = report.golden
    wrong = f"{golden.mismatched:,} of {golden.compared:,} output values of {build} are wrong"
    if not golden.mismatched:
        wrong = f"{build} misbehaves"
    detail = f": {golden.detail}" if golden.detail else ""
    return f"{wrong} on {report.device}{detail}", "build it again with --force, then report this"

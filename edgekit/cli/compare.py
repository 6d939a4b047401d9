"""`edgekit compare`: two runs of `edgekit bench` side by side; exit code 3 on a regression."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli._common import common, emit, json_option
from edgekit.cli._table import table
from edgekit.cli._values import SHARE

if TYPE_CHECKING:
    from edgekit.measure.comparison import Change


@click.command(name="compare")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option(
    "--max-regression",
    type=SHARE,
    default="3%",
    metavar="SHARE",
    help="What B may be worse by; default: 3%.",
)
@click.option("--other-model", is_flag=True, help="Compare runs of two different models, too.")
@json_option
@common
@click.pass_context
def command(
    context: click.Context,
    first: str,
    second: str,
    max_regression: float,
    other_model: bool,
    as_json: bool,
) -> None:
    """Compare the runs A and B: folders that edgekit bench wrote, or what bench --json printed.

    A figure of B is a regression where it is worse than that of A by more than is allowed and the
    interval of their ratio leaves no doubt that it is worse. Then the exit code is 3.

    \b
    edgekit compare runs/digits-rpi4-pi-001 runs/digits-rpi4-pi-002 --max-regression 3%
    """
    from edgekit.harness.run_folder import read_report, read_samples
    from edgekit.measure.comparison import compare, refuse_other, scopes_apart

    paths = Path(first), Path(second)
    before, after = (read_report(path) for path in paths)
    refuse_other(before, after, other_model)
    samples = read_samples(paths[0]), read_samples(paths[1])
    changes = compare(before, after, samples, max_regression)
    worse = [change.figure for change in changes if change.regression]
    if as_json:
        emit(
            {
                "changes": [change.to_json() for change in changes],
                "max_regression": max_regression,
                "regressions": worse,
                "validity": [before["validity"], after["validity"]],
            }
        )
    else:
        _show(changes, worse, max_regression)
        if left_out := scopes_apart(before, after):
            click.echo(left_out)
        for name, report in zip("AB", (before, after), strict=True):
            if report["codes"]:
                click.echo(f"{name} is {report['validity']}: {', '.join(report['codes'])}")
    context.exit(3 if worse else 0)


def _show(changes: list[Change], worse: list[str], allowed: float) -> None:
    rows = [
        (one.figure, _figure(one.before), _figure(one.after), f"{one.ratio:.3f}", _span(one))
        for one in changes
    ]
    table("", ("figure", "A", "B", "B / A", "95 % interval"), rows)
    if not changes:
        click.echo("the runs have no figure in common")
    elif worse:
        click.echo(f"regression: {', '.join(worse)} (more than {100 * allowed:g} % is not allowed)")
    else:
        click.echo(f"no regression of more than {100 * allowed:g} %")


def _figure(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _span(change: Change) -> str:
    if change.low is None or change.high is None:
        return "exact" if isinstance(change.before, int) else "unknown"
    return f"{change.low:.3f} to {change.high:.3f}"

"""`edgekit bench`: what a build costs on a device, and whether the device computes it right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._common import common, emit, json_option, verbosity
from edgekit.cli._values import DURATION, key_values

if TYPE_CHECKING:
    from edgekit.harness.report import Report

SECONDS, QUICK_WINDOWS, QUICK_SECONDS = 1.0, 3, 0.2
OPTIONS = ("threads", "delegate", "core")
"""Options of drivers that have one of the command's own."""


@click.command(name="bench")
@click.argument("build", metavar="BUILD")
@click.option(
    "--device", required=True, metavar="NAME", help="Of lab.toml, or a driver (`edgekit devices`)."
)
@click.option("--power", default="", metavar="METER", help="Of lab.toml, or a meter: adds energy.")
@click.option(
    "-o", "--option", "options", multiple=True, metavar="KEY=VALUE", help="For the device."
)
@click.option("--meter-option", multiple=True, metavar="KEY=VALUE", help="For the meter.")
@click.option("--threads", type=click.IntRange(min=1), help="Of LiteRT; default: 1.")
@click.option("--delegate", metavar="PATH", help="Its library there; on Android gpu or npu.")
@click.option("--core", metavar="CORE", help="Emulate this core instead of the build's own.")
@click.option("-n", "--inferences", type=click.IntRange(min=1), help="Least in each window.")
@click.option("--windows", type=click.IntRange(min=1), default=5, help="Processes; default: 5.")
@click.option("--seconds", type=DURATION, metavar="TIME", help="Least time of each; default: 1s.")
@click.option("--quick", is_flag=True, help="Three short windows, to see whether it works.")
@click.option("--sustained", type=DURATION, metavar="TIME", help="Go on so long without a pause.")
@click.option(
    "--idle", type=DURATION, metavar="TIME", help="Record the idle device before: net energy."
)
@click.option("--channel", default="", metavar="NAME", help="Digital input that marks windows.")
@click.option("--lab", type=click.Path(), metavar="FILE", help="Default: lab.toml here, or yours.")
@click.option("--output", default="runs", metavar="FOLDER", help="For samples; default: runs.")
@json_option
@common
@click.pass_context
def command(context: click.Context, /, build: str, as_json: bool, **given: Any) -> None:
    """Run the folder BUILD on a device, compare its outputs, and measure it.

    \b
    edgekit bench build/digits-linux-x86_64 --device host
    edgekit bench build/digits-rpi4 --device pi --power shunt
    edgekit bench build/digits-cortex-m4 --device qemu --core cortex-m7 --json
    """
    from edgekit.cli._progress import make_progress
    from edgekit.harness.api import bench_one

    progress = make_progress(verbosity())
    try:
        report = bench_one(build, given.pop("device"), progress=progress, **_wanted(given))
    finally:
        progress.close()
    _show(report, build, as_json)
    context.exit(0 if report.golden.ok else 4)


def _wanted(given: dict[str, Any]) -> dict[str, Any]:
    """The options of the command as arguments of `edgekit.bench`."""
    options = key_values("--option", given.pop("options"))
    options |= {name: text for name in OPTIONS if (text := given.pop(name)) is not None}
    quick = given["quick"]
    if quick:
        given["windows"] = QUICK_WINDOWS
    given["seconds"] = given["seconds"] or (QUICK_SECONDS if quick else SECONDS)
    meter_options = key_values("--meter-option", given.pop("meter_option"))
    times = {name: given.pop(name) or 0.0 for name in ("sustained", "idle")}
    return {**given, **times, "options": options, "meter_options": meter_options}


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

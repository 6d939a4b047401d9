"""`edgekit energy`: energy of an inference from a recorded power trace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgekit.cli._common import common, emit, json_option
from edgekit.errors import UsageError

if TYPE_CHECKING:
    from edgekit.measure.spans import Span

REFUSED = "samples were lost in every window"
HINT = "record again, or give windows without gaps (--marks)"


@click.command(name="energy")
@click.argument("trace", metavar="TRACE", type=click.Path(path_type=Path))
@click.option(
    "--marks",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Windows: pairs of seconds on the trace's clock, JSON or lines of start,end.",
)
@click.option(
    "--channel",
    metavar="NAME[=LEVEL]",
    help="Windows: a digital channel, active high, low or a pulse at either end.",
)
@click.option("-n", "--inferences", type=click.IntRange(min=1), metavar="N", help="In each window.")
@click.option(
    "--idle", "idle_text", metavar="START:END", help="Seconds recorded as idle, for net figures."
)
@click.option(
    "--voltage",
    type=click.FloatRange(min=0, min_open=True),
    metavar="V",
    help="Of the supply, where the trace has current alone.",
)
@json_option
@common
@click.pass_context
def command(
    context: click.Context,
    trace: Path,
    marks: Path | None,
    channel: str | None,
    inferences: int | None,
    idle_text: str | None,
    voltage: float | None,
    as_json: bool,
) -> None:
    """Compute the energy of an inference from the recorded power trace TRACE.

    TRACE is an npz, csv, LPM01A (.bin) or JLS file, or a folder with one. Windows are those of
    --marks or --channel, else what the file tells, else its only changing channel, else all of it.

    \b
    edgekit energy trace.csv --channel D0 --inferences 100
    edgekit energy trace1-energy.bin --marks trace1-timestamps.json --inferences 300 --json
    """
    from edgekit.measure.recorded import energy_of, windows_of, with_voltage
    from edgekit.power._files.marks import read_marks
    from edgekit.power._files.read import read_recording

    if marks and channel:
        raise UsageError("both --marks and --channel say where windows are", "give one of them")
    recording = read_recording(trace)
    if voltage is not None:
        recording = with_voltage(recording, voltage)
    spans, by = (read_marks(marks), marks.name) if marks else windows_of(recording, channel)
    energy = energy_of(recording, spans, inferences, _span(idle_text))
    refused = all(window.gross_j is None for window in energy.windows)
    if as_json:
        wrong = {"error": REFUSED, "hint": HINT, "exit_code": 1} if refused else {}
        emit({**energy.to_json(), "windows_by": by, **wrong})
    else:
        from edgekit.cli._energy_report import print_energy

        print_energy(energy, recording.trace, by)
    if refused:
        click.echo(f"error: {REFUSED}\nhint: {HINT}", err=True)
        context.exit(1)


def _span(text: str | None) -> Span | None:
    from edgekit.measure.spans import Span

    if text is None:
        return None
    try:
        start, end = (float(part) for part in text.split(":"))
    except ValueError:
        hint = "give seconds on the clock of the trace: --idle 0.5:2.5"
        raise UsageError(f"--idle is '{text}'", hint) from None
    return Span(start, end)

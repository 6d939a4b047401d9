"""The `edgekit` command: one file a command, found because it lies here.

Only this package prints and exits. Exit codes: 0 ok, 1 the model or data, 2 usage or a missing
extra, 3 the target or a budget, 4 the device.
"""

from __future__ import annotations

import difflib
import importlib
import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from edgekit import __version__
from edgekit.errors import DISK_FULL, EdgekitError, UsageError


class Commands(click.Group):
    """The commands on disk, imported when one is asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Names of the files of this folder that do not begin with `_`."""
        files = Path(__file__).parent.glob("[!_]*.py")
        return sorted(file.stem.replace("_", "-") for file in files)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import the command `name`."""
        if name not in self.list_commands(context):
            return None
        module = importlib.import_module(f"edgekit.cli.{name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but an unknown name gets its nearest neighbour as a hint."""
        if args and not args[0].startswith("-") and self.get_command(context, args[0]) is None:
            raise UsageError(f"no such command: {args[0]}", _near(args[0], self, context))
        return super().resolve_command(context, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="edgekit %(version)s")
def group() -> None:
    """From a trained model to a small, calibrated, proved artifact for phones, boards and MCUs.

    \b
    edgekit build model.keras --target rpi4 --calibration images/ --preprocess unit
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code and never raise for bad input."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    try:
        result = group.main(argv, prog_name="edgekit", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except (Exception, KeyboardInterrupt) as error:
        if "--debug" in argv and not isinstance(error, click.exceptions.NoArgsIsHelpError):
            raise
        return _report(error, argv)


def entry() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names that the terminal cannot show
    for name in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(name) == signal.SIG_DFL:  # nohup's stays as it is
            signal.signal(name, _end)
    code = main()
    sys.stdout.flush()
    sys.exit(code)


def _end(number: int, _: object) -> NoReturn:
    """Unwind, so that devices and meters are left as they were found, and folders go."""
    sys.exit(128 + number)


def _report(error: BaseException, argv: Sequence[str]) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
        return 2
    if isinstance(error, KeyboardInterrupt | click.Abort):
        click.echo("interrupted", err=True)
        return 130
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    message, hint, code = _explain(error, argv)
    click.echo(f"error: {message}\nhint: {hint}", err=True)
    if "--json" in argv:
        click.echo(json.dumps({"error": message, "hint": hint, "exit_code": code}))
    return code


def _explain(error: BaseException, argv: Sequence[str]) -> tuple[str, str, int]:
    if isinstance(error, EdgekitError):
        return _near_paths(error.message), _near_paths(error.hint), error.exit_code
    if isinstance(error, click.ClickException):
        return _click_message(error), _click_hint(error, argv), 2
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        where = f" ({error.filename})" if error.filename else ""
        return f"no space left to write{where}", "free space, or choose another --output", 2
    if isinstance(error, MemoryError):
        return "out of memory", "use a smaller model, fewer --samples or a larger machine", 1
    text = " ".join(str(error).split())[:300]
    return (
        f"internal error: {type(error).__name__}: {text}",
        "this is a bug in edgekit: run again with --debug and report what it prints",
        1,
    )


def _near_paths(text: str) -> str:
    """Paths below this folder as the user would type them."""
    here = Path.cwd()
    return text if here == Path("/") else text.replace(f"{here}/", "")


def _click_message(error: click.ClickException) -> str:
    """As our own: lower case, no full stop, and what is near is the hint's business."""
    if isinstance(error, click.NoSuchOption):
        return f"no such option: {error.option_name}"
    text = " ".join(error.format_message().split()).removesuffix(".")
    return text[:1].lower() + text[1:]


def _click_hint(error: click.ClickException, argv: Sequence[str]) -> str:
    near = getattr(error, "possibilities", None)
    if near:
        return f"did you mean {' or '.join(sorted(near))}?"
    command = f" {argv[0]}" if argv and not argv[0].startswith("-") else ""
    return f"see: edgekit{command} --help"


def _near(name: str, commands: Commands, context: click.Context) -> str:
    names = commands.list_commands(context)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {close[0]}?" if close else f"commands: {', '.join(names)}"

"""Run a tool: a command as a list, its output, a timeout, one error type. Never a shell."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgekit.errors import EdgekitError


@dataclass(frozen=True)
class Finished:
    """A tool that ended well: what it wrote, as text."""

    stdout: str
    stderr: str


class ToolError(EdgekitError):
    """A tool is missing, failed, crashed or took too long.

    Attributes:
        returncode: Of the tool; negative for the signal that ended it; None when it never ended
            by itself (not found, timeout).
        missing: Whether the tool could not be started at all.
        stdout: What it wrote until then.
        stderr: The same for standard error.
    """

    def __init__(
        self,
        message: str,
        hint: str,
        *,
        returncode: int | None = None,
        missing: bool = False,
        stdout: str = "",
        stderr: str = "",
    ) -> None:
        super().__init__(message, hint)
        self.returncode = returncode
        self.missing = missing
        self.stdout = stdout
        self.stderr = stderr


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 60.0,
    stdin: bytes | None = None,
) -> Finished:
    """Run `command` and wait for it.

    Args:
        command: Program and arguments; no shell ever sees them.
        cwd: Folder to run in; default: this process's.
        env: The whole environment; default: this process's.
        timeout: Seconds, then the tool and all its children are killed.
        stdin: What the tool reads; default: nothing.

    Raises:
        ToolError: The tool cannot be started, exits with another code than 0, is ended by a
            signal, or takes longer than `timeout`.
    """
    words = [str(word) for word in command]
    process = _start(words, cwd, env)
    try:
        output = process.communicate(stdin or b"", timeout=timeout)
    except subprocess.TimeoutExpired:
        output = _kill(process)
        raise ToolError(
            f"{_name(words)} took longer than {timeout:g} s and was stopped",
            "try again when the machine is less busy, or with a smaller input",
            stdout=_text(output[0]),
            stderr=_text(output[1]),
        ) from None
    except BaseException:
        _kill(process)
        raise
    out, err = _text(output[0]), _text(output[1])
    if process.returncode != 0:
        raise ToolError(
            f"{_name(words)} {_ending(process.returncode)}{_last_line(err or out)}",
            f"run it by itself to see all it says: {' '.join(words)}",
            returncode=process.returncode,
            stdout=out,
            stderr=err,
        )
    return Finished(out, err)


def _start(
    words: list[str], cwd: Path | None, env: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    try:
        # A session of its own: a timeout or Ctrl-C then ends the tool with all its children.
        return subprocess.Popen(
            words, cwd=cwd, env=env, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
    except (OSError, ValueError) as error:
        raise ToolError(
            f"{words[0]} cannot be started: {error}",
            f"install {_name(words)} or put it on PATH",
            missing=True,
        ) from error


def _kill(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()


def _ending(code: int) -> str:
    if code > 0:
        return f"failed with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _name(words: list[str]) -> str:
    return Path(words[0]).name


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f": {lines[-1][:300]}" if lines else ""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgekit._run import ToolError, run


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_output_of_both_streams_comes_back() -> None:
    finished = run(python("import sys; print('out'); print('err', file=sys.stderr)"))
    assert (finished.stdout, finished.stderr) == ("out\n", "err\n")


def test_no_shell_sees_the_words() -> None:
    text = "$(echo no); `echo no` * > x"
    assert run([*python("import sys; print(sys.argv[1])"), text]).stdout == text + "\n"


def test_stdin_folder_and_environment_reach_the_tool(tmp_path: Path) -> None:
    code = "import os, sys; print(sys.stdin.read(), os.getcwd(), os.environ['A'])"
    finished = run(python(code), stdin=b"in", cwd=tmp_path, env={**os.environ, "A": "b"})
    assert finished.stdout.split() == ["in", os.path.realpath(tmp_path), "b"]


def test_a_tool_that_reads_nothing_may_get_much() -> None:
    assert run(python("pass"), stdin=b"x" * 1_000_000).stdout == ""


@pytest.mark.parametrize(
    ("code", "returncode", "says"),
    [
        pytest.param("import sys; sys.exit('the reason')", 1, "the reason", id="exit code"),
        pytest.param("import os; os.abort()", -signal.SIGABRT, "SIGABRT", id="abort"),
        pytest.param("import os; os.kill(os.getpid(), 40)", -40, "40", id="signal without a name"),
    ],
)
def test_failure_is_one_error(code: str, returncode: int, says: str) -> None:
    with pytest.raises(ToolError) as caught:
        run(python(code))
    assert caught.value.returncode == returncode
    assert says in caught.value.message
    assert not caught.value.missing


def test_missing_tool_is_named() -> None:
    with pytest.raises(ToolError, match="no-such-tool-here") as caught:
        run(["no-such-tool-here", "x"])
    assert caught.value.missing
    assert caught.value.returncode is None


def test_timeout_ends_the_tool_and_its_children() -> None:
    child = "import subprocess, sys, time; p = subprocess.Popen(['sleep', '60']);"
    began = time.monotonic()
    with pytest.raises(ToolError, match="longer than 1 s") as caught:
        run(python(child + "print(p.pid, flush=True); time.sleep(60)"), timeout=1)
    assert time.monotonic() - began < 20
    time.sleep(0.2)
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", caught.value.stdout.strip()], capture_output=True, check=False
    ).stdout
    assert not state.strip() or state.strip().startswith(b"Z")

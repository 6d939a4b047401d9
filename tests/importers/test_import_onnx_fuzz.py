"""Damaged ONNX files through all that runs before TensorFlow: reading, refusing, onnxruntime."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import onnx_zoo
import pytest

from edgekit._run import run
from edgekit.errors import ModelError
from edgekit.importers import onnx as importer

VARIANTS = 300
RUNNER = """
import os, signal, sys
from pathlib import Path
import onnx, onnxruntime
from edgekit.errors import ModelError
from edgekit.importers import _onnx2tf

def outcome(path):
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    signal.alarm(60)
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    try:
        _onnx2tf.check(path)
        os._exit(0)
    except ModelError as error:
        os._exit(1 if error.message.startswith(path.name) and error.hint else 2)
    except BaseException:
        os._exit(3)

for path in sorted(Path(sys.argv[1]).glob('*.onnx')):
    print(path.name, outcome(path), flush=True)
"""


def variants(data: bytes, seed: int) -> list[bytes]:
    """Truncated, bit-flipped, overwritten and shortened copies."""
    random = np.random.default_rng(seed)
    found = []
    for index in range(VARIANTS):
        copy = np.frombuffer(data, np.uint8).copy()
        at = int(random.integers(0, len(copy)))
        if index % 4 == 0:
            copy = copy[:at]
        elif index % 4 == 1:
            for place in random.integers(0, len(copy), random.integers(1, 9)):
                copy[place] ^= 1 << int(random.integers(0, 8))
        elif index % 4 == 2:
            copy[at : at + 16] = random.integers(0, 256, len(copy[at : at + 16]))
        else:
            copy = np.delete(copy, slice(at, at + int(random.integers(1, 40))))
        found.append(copy.tobytes())
    return found


def test_a_crash_in_the_child_is_a_model_error_here(tmp_path: Path) -> None:
    """What a child that onnxruntime aborts looks like to the parent: killed, no answer."""
    path = tmp_path / "net.onnx"
    os.mkfifo(path)  # reading it waits for ever, so the child is there to be killed

    def kill() -> None:
        own, child = os.getpid(), 0
        while not child:
            time.sleep(0.05)
            for task in Path(f"/proc/{own}/task").iterdir():
                children = (task / "children").read_text().split()
                child = child or next(
                    (int(c) for c in children if b"_onnx2tf" in _command(int(c))), 0
                )
        os.kill(child, signal.SIGABRT)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        with pytest.raises(ModelError, match=r"net\.onnx: .*SIGABRT"):
            importer.load(path)
    finally:
        thread.join()


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["cnn, opset 11", "shape arithmetic, names with slashes", "two inputs, two outputs"]
)
def test_damaged_files_are_model_errors(tmp_path: Path, name: str) -> None:
    data = onnx_zoo.CONVERTIBLE[name]().SerializeToString()
    for index, variant in enumerate(variants(data, seed=len(data))):
        (tmp_path / f"{index:04}.onnx").write_bytes(variant)
    env = importer._environment()
    text = run([sys.executable, "-c", RUNNER, tmp_path], env=env, timeout=1200).stdout
    outcomes = dict(line.split() for line in text.splitlines())
    assert len(outcomes) == VARIANTS
    # A negative code is a signal; an abort of onnxruntime ends the child only, which is its use.
    bad = {file: code for file, code in outcomes.items() if code not in ("0", "1", "-6", "-11")}
    assert not bad
    assert sum(code == "1" for code in outcomes.values()) > VARIANTS // 3

"""Random int8 graphs through the compiler, against the tflite-micro wheel, bit for bit.

    python scripts/compiler_fuzz.py [--count 2000] [--seed 0] [--core cortex-m4] [--device qemu]

On the host the C is built under sanitizers and runs beside the host twins; in QEMU the firmware
has guard words around arena, input and output. Stops at the first graph that is wrong, with the
command that repeats it, and exits with 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "compiler")]

from c_project import check  # noqa: E402
from random_graphs import KINDS, random_graph  # noqa: E402

from edgekit.c_project.make import make_project  # noqa: E402
from edgekit.c_project.project import FOLDER  # noqa: E402
from edgekit.compiler.cores import core_of  # noqa: E402
from edgekit.devices._cortex_m.machines import CORES  # noqa: E402
from edgekit.devices.base import Job  # noqa: E402
from edgekit.devices.qemu import Driver  # noqa: E402
from edgekit.errors import EdgekitError  # noqa: E402
from edgekit.exporters.c_project import files  # noqa: E402
from edgekit.graph.read import read  # noqa: E402


def on_host(seeds: list[int], core: str) -> None:
    """Graphs in one program of this machine; raises where an output differs."""
    with tempfile.TemporaryDirectory() as folder:
        check([random_graph(seed) for seed in seeds], core, Path(folder))


def in_qemu(seeds: list[int], core: str) -> None:
    """The same as firmware, one after the other."""
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            _run(random_graph(seed), core, Path(folder))


def _run(model: bytes, core: str, folder: Path) -> None:
    graph = read(model, "random.tflite")
    made = make_project("random", model, graph, core, core_of(core))
    assert made.project is not None, made.problems[0].message
    (folder / FOLDER).mkdir()
    for name, text in files(made.project).items():
        (folder / FOLDER / name).write_text(text, encoding="ascii")
    with Driver() as driver:
        driver.deploy(Job(folder, made.project.to_json(), options={"core": core}))
        golden = driver.check()
    wrong = f"{golden.mismatched} of {golden.compared} bytes differ {golden.detail}"
    assert golden.ok, wrong


DEVICES: dict[str, tuple[Callable[[list[int], str], None], int]] = {
    "host": (on_host, 20),
    "qemu": (in_qemu, 1),
}
"""What runs graphs, and how many at once."""


def first_wrong(seeds: list[int], run: Callable[[list[int], str], None], core: str) -> str:
    """The first seed of a batch that is wrong alone, with what is; empty where none is."""
    try:
        run(seeds, core)
    except (AssertionError, EdgekitError) as error:
        if len(seeds) == 1:
            return f"{KINDS[seeds[0] % len(KINDS)].__name__}, seed {seeds[0]}: {error}"
        alone = (first_wrong([seed], run, core) for seed in seeds)
        return next(filter(None, alone), f"seeds {seeds} together: {error}")
    return ""


def main() -> None:
    """Parse, run, say how far it is."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0, help="of the first graph")
    parser.add_argument("--core", choices=["portable", *CORES], default="cortex-m4")
    parser.add_argument("--device", choices=DEVICES, default="host")
    given = parser.parse_args()
    if given.device == "qemu" and given.core not in CORES:
        parser.error(f"QEMU has no core of that name, but {', '.join(CORES)}")
    run, batch = DEVICES[given.device]
    began, end = time.monotonic(), given.seed + given.count
    for first in range(given.seed, end, batch):
        wrong = first_wrong(list(range(first, min(first + batch, end))), run, given.core)
        if wrong:
            print(wrong)
            again = wrong.partition("seed ")[2].partition(":")[0]
            if again.isdigit():
                how = f"--count 1 --seed {again} --core {given.core} --device {given.device}"
                print(f"again: python scripts/compiler_fuzz.py {how}")
            sys.exit(1)
        done = min(first + batch, end) - given.seed
        print(f"{done:,} of {given.count:,}, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{given.count:,} graphs on {given.core}, {given.device}: each bit as tflite-micro's")


if __name__ == "__main__":
    main()

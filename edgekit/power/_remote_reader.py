"""Reads files on another machine at an interval, for `_remote`; needs Python 3 alone.

Arguments: seconds between readings, then paths. A reading is a line `row TIME TOOK VALUE...`, of
`time.monotonic` there; a line on standard input is answered with `pong TIME`; its end ends this.
"""

import os
import select
import sys
import time


def main() -> None:
    """Read until standard input ends."""
    interval, paths = float(sys.argv[1]), sys.argv[2:]
    due = time.monotonic()
    while True:
        wait = max(0.0, due - time.monotonic())
        if select.select([0], [], [], wait)[0]:
            asked = os.read(0, 4096)
            if not asked:
                return
            for _ in range(asked.count(b"\n")):
                print("pong", time.monotonic(), flush=True)
            continue
        before = time.monotonic()
        try:
            values = [open(path).read().strip() for path in paths]  # noqa: SIM115
        except OSError as error:
            print("failed", error.filename, error.strerror, flush=True)
            return
        after = time.monotonic()
        print("row", (before + after) / 2, after - before, *values, flush=True)
        due = max(due + interval, after)


main()

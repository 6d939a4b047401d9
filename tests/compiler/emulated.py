"""Models as C on an emulated core, with golden vectors of tflite-micro."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from c_project import compiled, random_rows, reference, write

from edgekit.compiler.compiled import Compiled
from edgekit.devices._cortex_m.measured import Measured
from edgekit.devices.qemu import measure


def check_emulated(model: bytes, core: str, folder: Path, count: int = 2) -> Measured:
    """What was measured; fails where an output byte or a guard word is wrong."""
    rows = random_rows(model, count)
    taken, given = ([each[0].tobytes() for each in kind] for kind in (rows, reference(model, rows)))
    return run_emulated(compiled(model, core), core, folder, taken, given)


def run_emulated(
    made: Compiled, core: str, folder: Path, taken: Sequence[bytes], given: Sequence[bytes]
) -> Measured:
    """The same for a model that is compiled, with prefix `m`: its input and output as bytes."""
    project = folder / "c_project"
    project.mkdir()
    write(made, project, "m")
    head = f"#include <stdint.h>\n#define M_GOLDEN_COUNT {len(taken)}\n"
    text = head + _golden("input", taken) + _golden("output", given)
    (project / "m_golden.h").write_text(text)
    layers = [
        {"symbol": symbol, "name": layer.name, "op": layer.kind, "macs": layer.operation.macs()}
        for symbol, layer in zip(made.text.symbols, made.program.layers, strict=True)
    ]
    manifest = {"prefix": "m", "folder": "c_project", "core": core, "cflags": ["-O2"]}
    found = measure(folder, {**manifest, "layers": layers})
    assert found.mismatched == 0
    assert [each.compared for each in found.spoken.vectors] == [len(given[0])] * len(taken)
    assert not any(each.overwritten for each in found.spoken.vectors)
    return found


def _golden(what: str, rows: Sequence[bytes]) -> str:
    """The vectors as a constant."""
    text = ",".join("{" + ",".join(map(str, row)) + "}" for row in rows)
    head = f"static const uint8_t m_golden_{what}[{len(rows)}][{len(rows[0])}]"
    return f"{head} = {{{text}}};\n"

"""Models as C on an emulated core, with golden vectors of tflite-micro."""

from __future__ import annotations

from pathlib import Path

from c_project import compiled, random_rows, reference, write

from edgekit.devices._cortex_m.measured import Measured
from edgekit.devices.qemu import measure


def check_emulated(model: bytes, core: str, folder: Path, count: int = 2) -> Measured:
    """What was measured; fails where an output byte or a guard word is wrong."""
    made = compiled(model, core)
    rows = random_rows(model, count)
    project = folder / "c_project"
    project.mkdir()
    write(made, project, "m")
    wanted = reference(model, rows)
    head = f"#include <stdint.h>\n#define M_GOLDEN_COUNT {len(rows)}\n"
    taken, given = ([each[0].tobytes() for each in kind] for kind in (rows, wanted))
    text = head + _golden("input", taken) + _golden("output", given)
    (project / "m_golden.h").write_text(text)
    layers = [
        {"symbol": symbol, "name": layer.name, "op": layer.kind, "macs": layer.operation.macs()}
        for symbol, layer in zip(made.text.symbols, made.program.layers, strict=True)
    ]
    manifest = {"prefix": "m", "folder": "c_project", "core": core, "cflags": ["-O2"]}
    found = measure(folder, {**manifest, "layers": layers})
    assert found.mismatched == 0
    assert [each.compared for each in found.spoken.vectors] == [len(given[0])] * len(rows)
    assert not any(each.overwritten for each in found.spoken.vectors)
    return found


def _golden(what: str, rows: list[bytes]) -> str:
    """The vectors as a constant."""
    text = ",".join("{" + ",".join(map(str, row)) + "}" for row in rows)
    head = f"static const uint8_t m_golden_{what}[{len(rows)}][{len(rows[0])}]"
    return f"{head} = {{{text}}};\n"

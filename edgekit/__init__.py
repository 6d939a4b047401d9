"""edgekit: from a trained model to a small, calibrated, proved artifact for edge devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from edgekit.artifact import Build
    from edgekit.harness.report import Report
    from edgekit.reports.base import Report as Summary
    from edgekit.sensitivities.result import Sensitivity


def build(model: Any, target: str, **options: Any) -> Build:
    """Build `model` for one `target`; the same names as the options of `edgekit build`.

    Args:
        model: Path of a `.keras`, `.h5`, SavedModel, `.onnx` or `.tflite` model.
        target: Name of a target (`edgekit targets`) or path of a TOML file.
        **options: `calibration`, `training`, `evaluation` (one specification or several),
            `output`, `quantize`, `preprocess`, `samples`, `fidelity` (False: skip), `metric`,
            `labels` (path), `modules`, `seed`, `export` (one name or several), `optimize`,
            `force`, `compress` (short form, or tables as in `edgekit.toml`), `fine_tune` (a
            table), `max_drop`, `min_agreement`, `min_sqnr`, `strict`, `ladder`, `resume`,
            `set={"table.key": value}`, and with `quantize="auto"` `device` (its name).

    Returns:
        The build: folder, manifest and report.

    Raises:
        EdgekitError: Whatever the command would have said, with `message` and `hint`.
    """
    return build_all(model, [target], **options)[0]


def build_all(model: Any, targets: list[str], **options: Any) -> list[Build]:
    """Build `model` for several targets, sharing the work that is the same; see `build`."""
    from edgekit.api import build_many
    from edgekit.harness.timer import BenchTimer

    timer = BenchTimer(options.pop("device", None) or "", options.get("progress"))
    return build_many(model, targets, timer=timer, **options)


def bench(build: Any, device: str, **wanted: Any) -> Report:
    """Measure a finished build on a device; the same names as the options of `edgekit bench`.

    Args:
        build: Folder of a build, or what `build` returned.
        device: Name of a device of `lab.toml`, or of a driver (`edgekit devices`).
        **wanted: `options` of the device and `meter_options` of the meter (mappings), `power`
            (name of a meter), `channel`, `windows`, `seconds`, `inferences`, `quick`, `sustained`,
            `idle` (seconds), `lab` (path), `output` (folder; without it no samples are kept), and
            `progress`.

    Returns:
        The report; `to_json()` is what `edgekit bench --json` prints.

    Raises:
        EdgekitError: Whatever the command would have said, with `message` and `hint`.
    """
    from edgekit.harness.api import bench_one

    return bench_one(build, device, **wanted)


def sensitivity(model: Any, **options: Any) -> Sensitivity:
    """Change one layer of a model at a time and measure what that costs; nothing is trained.

    Args:
        model: Path of a float model, as for `build`.
        **options: `calibration`, `evaluation` (one specification or several), `preprocess`,
            `samples`, `kinds` (some of prune, quantize, activations, remove), `levels` (shares),
            `metric`, `modules`, `seed`, `output` (folder or `.json`; without it no file is
            written), `resume`, and `progress`.

    Returns:
        The curves; `edgekit.sensitivities.allocate` parts an amount among layers by them.

    Raises:
        EdgekitError: Whatever the command would have said, with `message` and `hint`.
    """
    from edgekit.sensitivities.api import analyse_one

    return analyse_one(model, **options)


def report(*paths: Any) -> Summary:
    """What builds, benches, analyses and searches found, as `edgekit report` shows it.

    Args:
        *paths: Folders that they wrote, or folders of such folders.

    Returns:
        The report; `edgekit.reports.html.render(report)` is the page, and so on.

    Raises:
        EdgekitError: Whatever the command would have said, with `message` and `hint`.
    """
    from pathlib import Path

    from edgekit.reports._gather import gather

    return gather([Path(path) for path in paths])


__all__ = ["__version__", "bench", "build", "build_all", "report", "sensitivity"]

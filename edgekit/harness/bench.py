"""The bench loop: deploy a build, prove that the device computes what it should, measure.

The manifest is all that comes over from the build: nothing here imports what builds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from edgekit.artifact import Build
from edgekit.criteria import of_manifest
from edgekit.devices.base import Board, Device, Job
from edgekit.equipment import equipment_name
from edgekit.errors import ModelError
from edgekit.harness.board import board_of
from edgekit.harness.exclusive import exclusive
from edgekit.harness.lab import Lab
from edgekit.harness.report import Report
from edgekit.harness.run_folder import RunFolder
from edgekit.harness.wanted import NO_METER, Wanted, refuse_senseless
from edgekit.harness.windows import Session, Timed
from edgekit.measure.verdict import judge
from edgekit.progress import Progress

if TYPE_CHECKING:
    from edgekit.harness.metering import Metering
    from edgekit.power.base import PowerMeter

MISMATCH = "golden_mismatch"
SETTINGS = ("threads", "delegate", "kernels", "core")
"""Options that say how a device runs, not which one it is."""
FACTS = ("pj_per_cycle", "clock_mhz")


def bench(
    build: Build, wanted: Wanted, lab: Lab | None = None, progress: Progress | None = None
) -> Report:
    """Measure `build` on a device.

    Args:
        build: A finished build.
        wanted: Device, meter, and how much.
        lab: Names of devices and meters; None: drivers only.
        progress: Told each step.

    Raises:
        UsageError: No such device, or an option that it does not take.
        ModelError: A file is not what the manifest says: the figures would be of something else.
        EdgekitError: As driver and meter say.
    """
    lab = lab or Lab()
    driver, options = lab.device(wanted.device)
    refuse_senseless(wanted, driver)
    if damaged := build.damaged():
        hint = "build it again with --force: figures are for what the manifest describes"
        raise ModelError(f"{build.folder}: {'; '.join(damaged)}", hint)
    board = board_of(build.manifest["target"])
    wanted = _fitted(wanted, driver)
    job = Job(build.folder, build.manifest, board, {**options, **wanted.options})
    with driver() as device, contextlib.ExitStack() as held:
        device.assign(job)
        held.enter_context(exclusive(device.identity()))
        metering = _metering(wanted, lab, board)
        if metering:
            held.enter_context(metering)
        folder = held.enter_context(RunFolder(wanted.output, _name(build, wanted)))
        session = Session(device, metering, folder, progress or Progress())
        report = _measure(session, job, wanted)
        folder.finish(report.to_json())
    return report


def _fitted(wanted: Wanted, driver: type[Device]) -> Wanted:
    """With what the driver has options for among these."""
    for name in ("inferences", "quick"):
        value = getattr(wanted, name)
        if value and name in driver.options:
            wanted = replace(wanted, options={name: value, **wanted.options})
    if wanted.inferences and "inferences" not in driver.options:
        return replace(wanted, request=replace(wanted.request, inferences=wanted.inferences))
    return wanted


def _measure(session: Session, job: Job, wanted: Wanted) -> Report:
    device = session.device
    session.progress.step(f"deploy to {wanted.device}")
    device.deploy(job)
    session.progress.step("run the golden vectors")
    report = Report(
        device=wanted.device,
        driver=equipment_name(type(device)),
        kind=device.kind,
        target=job.manifest["target"],
        model_sha256=model_sha256(job.manifest),
        golden=device.check(),
        meter=wanted.meter,
        board=job.board,
        folder=str(session.folder.path or ""),
        model=of_manifest(job.manifest),
    )
    if not report.golden.ok:
        return replace(report, codes=(MISMATCH,))
    session.progress.step("measure")
    report = replace(report, emulated=device.emulated())
    timed = _windows(session, wanted) if "latency" in device.figures else []
    environment = _environment(device, timed)
    report = replace(report, environment=environment, settings=_settings(device, environment))
    return _figures(report, session, timed, bool(wanted.sustained_s))


def _windows(session: Session, wanted: Wanted) -> list[Timed]:
    if session.metering and wanted.idle_s:
        session.progress.note(f"recording {wanted.idle_s:g} s of the idle device")
        session.metering.record_idle(wanted.idle_s)
    if wanted.sustained_s:
        return session.sustain(wanted.request, wanted.sustained_s)
    return session.take(wanted.request, wanted.windows)


def _figures(report: Report, session: Session, timed: Sequence[Timed], sustained: bool) -> Report:
    """The report with all that was timed, and what may be believed of it."""
    reconnected = session.device.reconnected
    if not timed:
        return replace(report, codes=judge([], None, reconnected, report.golden.codes))
    from edgekit.measure.latency import summarise
    from edgekit.measure.sustained import over_time

    windows = [one.window for one in timed]
    energies = [one.energy for one in timed if one.energy]
    energy = session.metering.combined(energies) if session.metering else None
    latency = summarise([window.latency_ms for window in windows])
    curve = over_time(windows, [_energy_mj(one) for one in timed]) if sustained else None
    others = (*report.golden.codes, *(energy.codes if energy else ()))
    codes = judge(windows, latency, reconnected, others)
    return replace(report, latency=latency, energy=energy, sustained=curve, codes=codes)


def _energy_mj(timed: Timed) -> float | None:
    found = timed.energy.per_inference_uj if timed.energy else None
    return None if found is None else found / 1e3


def _metering(wanted: Wanted, lab: Lab, board: Board | None) -> Metering | None:
    if wanted.meter in NO_METER:
        return None
    from edgekit.harness.metering import Metering

    meter, options = lab.meter(wanted.meter)
    given = {**options, **wanted.meter_options}
    return Metering(meter(given or _known_of(board, meter)), wanted.channel)


def _known_of(board: Board | None, meter: type[PowerMeter]) -> dict[str, Any]:
    """Facts of the board that a meter can be told, where it was told nothing."""
    facts = {name: getattr(board, name, None) for name in FACTS if name in meter.options}
    return {} if None in facts.values() else facts


def _settings(device: Device, environment: Mapping[str, Any]) -> dict[str, Any]:
    """As the device says it ran: a default that was named is no other setting."""
    told = {**device.job.options, **environment}
    return {key: told.get(key) for key in SETTINGS if key in device.options}


def _environment(device: Device, timed: Sequence[Timed]) -> dict[str, Any]:
    found = dict(device.environment())
    if timed:
        windows = [one.window for one in timed]
        found["before"] = asdict(windows[0].before)
        found["after"] = asdict(windows[-1].after)
        found["init_ms"] = [window.init_ms for window in windows]
        found["first_ms"] = [window.first_ms for window in windows]
    return found


def model_sha256(manifest: Mapping[str, Any]) -> str:
    """Of what runs on a device: the flatbuffer, which the C is made of, too."""
    named = {item["path"]: item["sha256"] for item in manifest["artifacts"]}
    return str(named.get("model.tflite") or manifest.get("key", ""))


def _name(build: Build, wanted: Wanted) -> str:
    return f"{build.folder.resolve().name}-{wanted.device}"

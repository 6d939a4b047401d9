"""The host driver: real models, real processes, what goes wrong."""

from __future__ import annotations

import hashlib
import os
import signal
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from litert_builds import small_model, write_build
from made_tflite import Made, one_op

from edgekit.devices._litert import device as litert_device
from edgekit.devices.base import Job, Request, Window
from edgekit.devices.host import Driver
from edgekit.errors import DeviceError, ModelError, TargetError, UsageError

SHORT = Request(seconds=0.2, warmup_seconds=0.05, most_seconds=5)


def workers() -> list[psutil.Process]:
    """Workers that this process has started and that still run."""
    children = psutil.Process().children(recursive=True)
    return [each for each in children if any("worker.py" in word for word in each.cmdline())]


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Any:
    yield
    assert workers() == []


def deployed(folder: Path, manifest: Mapping[str, Any], **options: Any) -> Driver:
    driver = Driver()
    driver.deploy(Job(folder, manifest, None, options))
    return driver


def timed(folder: Path, data: bytes, request: Request = SHORT, **options: Any) -> Window:
    with deployed(folder, write_build(folder, data), **options) as driver:
        assert driver.check().ok
        return driver.run(request)


@pytest.mark.parametrize("dtype", ["INT8", "FLOAT32"])
def test_golden_vectors_match_by_reference_and_by_timed_kernels(tmp_path: Path, dtype: str) -> None:
    with deployed(tmp_path, write_build(tmp_path, small_model(dtype))) as driver:
        found = driver.check()
    assert (found.vectors, found.compared, found.mismatched) == (8, 2 * 8 * 64, 0)
    assert found.tolerance == {"INT8": 2.0, "FLOAT32": 1e-4}[dtype]
    assert found.ok


def test_window_is_what_was_asked_for(tmp_path: Path) -> None:
    told: list[float] = []
    request = Request(0.5, 0.05, 10, 5, samples=told.extend)
    began = time.monotonic()
    window = timed(tmp_path, small_model(), request)
    assert tuple(told) == window.latency_ms
    assert len(told) == window.inferences > 1000
    assert 0.5 <= window.end_s - window.start_s < 1.5
    assert sum(told) / 1e3 <= window.end_s - window.start_s
    assert began < window.start_s < window.end_s < time.monotonic()
    assert 0 < window.clock_error_s < 0.005
    assert window.first_ms
    assert window.init_ms
    assert window.before.processors == os.cpu_count()
    assert window.after.load is not None
    assert window.codes == ()


def test_number_of_inferences_goes_before_the_time_and_the_limit_before_both(
    tmp_path: Path,
) -> None:
    many = timed(tmp_path, small_model(), Request(0, 0, 5000, 30))
    assert many.inferences == 5000
    limited = timed(tmp_path, small_model(), Request(60, 0, 1, 0.5))
    assert 0.2 < limited.end_s - limited.start_s < 1.5


def test_environment_says_what_ran(tmp_path: Path) -> None:
    manifest = write_build(tmp_path, small_model())
    with deployed(tmp_path, manifest, threads=2, kernels="plain") as driver:
        assert driver.check().ok
        found = driver.environment()
    assert (found["threads"], found["kernels"], found["delegate"]) == (2, "plain", None)
    assert found["runtime"].startswith("ai-edge-litert 2.")
    assert found["processor"]


def test_wrong_values_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    manifest = write_build(tmp_path, small_model())
    with np.load(tmp_path / "golden.npz") as stored:
        arrays = dict(stored)
    right = int(arrays["output_0"][2, 0, 7])
    arrays["output_0"][2, 0, 7] ^= 1
    np.savez(tmp_path / "golden.npz", **arrays)
    with deployed(tmp_path, manifest) as driver:
        found = driver.check()
    assert (found.mismatched, found.ok) == (1, False)  # within the tolerance of other kernels
    assert found.detail == (
        f"golden vector 2: output 0 [0, 7] is {right}, should be {right ^ 1} (reference kernels)"
    )


def test_build_without_golden_vectors_is_measured_all_the_same(tmp_path: Path) -> None:
    manifest = write_build(tmp_path, small_model())
    del manifest["golden"]
    with deployed(tmp_path, manifest) as driver:
        found = driver.check()
        assert (found.vectors, found.codes, found.ok) == (0, ("no_golden",), True)
        assert driver.run(SHORT).inferences


def test_damaged_golden_vectors_are_named(tmp_path: Path) -> None:
    manifest = write_build(tmp_path, small_model())
    manifest["golden"]["vectors"] = 7
    with deployed(tmp_path, manifest) as driver, pytest.raises(ModelError, match="not as many"):
        driver.check()


def test_another_model_than_the_manifest_s_is_not_timed(tmp_path: Path) -> None:
    manifest = write_build(tmp_path, small_model())
    (tmp_path / "model.tflite").write_bytes(small_model(size=65))
    with deployed(tmp_path, manifest) as driver, pytest.raises(DeviceError, match="not that of"):
        driver.check()


def test_model_that_the_runtime_refuses_is_named(tmp_path: Path) -> None:
    manifest = write_build(tmp_path, small_model())
    data = one_op("CUSTOM", [Made("x", (1, 4)), Made("y", (1, 4))], custom="Mine")
    (tmp_path / "model.tflite").write_bytes(data)
    manifest["artifacts"][0]["sha256"] = hashlib.sha256(data).hexdigest()
    with deployed(tmp_path, manifest) as driver, pytest.raises(TargetError, match="Mine"):
        driver.check()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threads": 0}, "threads = 0 is no count"),
        ({"threads": "two"}, "not a whole number"),
        ({"kernels": "fast"}, "no kernels 'fast'"),
        ({"kernels": "reference", "delegate": "x.so"}, "exclude each other"),
        ({"cores": 2}, "takes no option 'cores'"),
    ],
)
def test_option_that_cannot_be_used(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    manifest = write_build(tmp_path, small_model())
    with Driver() as driver, pytest.raises(UsageError, match=message):
        driver.deploy(Job(tmp_path, manifest, None, options))


def test_delegate_that_does_not_load_is_named(tmp_path: Path) -> None:
    manifest = write_build(tmp_path, small_model())
    with (
        deployed(tmp_path, manifest, delegate="/nowhere/lib.so") as driver,
        pytest.raises(UsageError, match=r"delegate cannot be used: /nowhere/lib.so"),
    ):
        driver.check()


def test_build_without_a_flatbuffer_says_so(tmp_path: Path) -> None:
    with Driver() as driver, pytest.raises(ModelError, match=r"has no \.tflite"):
        driver.deploy(Job(tmp_path, {"target": "rpi4", "artifacts": []}))


def to_workers(number: int) -> Callable[[object], None]:
    """Sends a signal to the worker when its first samples come."""

    def act(_: object) -> None:
        for worker in workers():
            worker.send_signal(number)

    return act


def test_killed_worker_is_taken_for_a_lack_of_memory(tmp_path: Path) -> None:
    with deployed(tmp_path, write_build(tmp_path, small_model())) as driver:
        with pytest.raises(DeviceError, match="killed by signal 9") as caught:
            driver.run(Request(seconds=20, samples=to_workers(signal.SIGKILL)))
        assert "memory" in caught.value.hint
        assert driver.run(SHORT).inferences  # the next is not affected


def test_worker_that_hangs_is_named_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litert_device, "LATE_S", 0.5)
    with deployed(tmp_path, write_build(tmp_path, small_model())) as driver:
        with pytest.raises(DeviceError, match="the worker hangs, waiting for 'window'"):
            driver.run(Request(20, most_seconds=2, samples=to_workers(signal.SIGSTOP)))
        assert workers() == []


def test_worker_ends_when_terminated(tmp_path: Path) -> None:
    with (
        deployed(tmp_path, write_build(tmp_path, small_model())) as driver,
        pytest.raises(DeviceError, match=r"ended in the middle \(signal 15\)"),
    ):
        driver.run(Request(seconds=20, samples=to_workers(signal.SIGTERM)))


def test_folder_of_its_own_is_removed(tmp_path: Path) -> None:
    driver = deployed(tmp_path, write_build(tmp_path, small_model()))
    copy = Path(driver._model)
    assert copy.exists()
    driver.close()
    driver.close()
    assert not copy.parent.exists()


def test_folder_for_temporary_files_may_have_spaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "my own files"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    with deployed(tmp_path, write_build(tmp_path, small_model())) as driver:
        assert driver.check().ok


@pytest.mark.parametrize(
    "name", ["kws_dscnn/kws_ref_model_int8.tflite", "ic_resnet8/pretrainedResnet_float.tflite"]
)
def test_real_models(tmp_path: Path, real_models: Path, name: str) -> None:
    data = (real_models / name).read_bytes()
    windows = [timed(tmp_path, data, Request(seconds=0.5)) for _ in range(2)]
    medians = [statistics.median(window.latency_ms) for window in windows]
    assert medians[0] == pytest.approx(medians[1], rel=0.5)

"""The driver on a real adbd: a whole bench, files, exit codes, one bench at a time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import Desk
from digits_example import edgekit_in
from phone import Phone

from edgekit.devices._adb.client import Adb
from edgekit.devices._adb.files import FOLDER
from edgekit.devices.adb import Driver
from edgekit.devices.base import NO_GOLDEN, Request
from edgekit.errors import DeviceError, MissingExtra, TargetError, UsageError

SHORT = Request(seconds=0.1, warmup_seconds=0.05, inferences=5, most_seconds=20)


def cached(phone: Phone) -> set[str]:
    return set(phone.shell(f"ls {FOLDER}").split()) - {"lock", "owner"}


def test_bench_from_command_to_report(desk: Desk, tmp_path: Path) -> None:
    lines = [f"{key} = {json.dumps(value)}" for key, value in desk.options.items()]
    (tmp_path / "lab.toml").write_text('[devices.phone]\ndriver = "adb"\n' + "\n".join(lines))
    words = ("bench", str(desk.build.folder), "--device", "phone", "--json", "--seconds", "0.3s")
    done = edgekit_in(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["kind"], report["golden"]["compared"] >= 20) == ("android", True)
    assert report["golden"]["mismatched"] == 0
    assert len(report["latency"]["windows_ms"]) == 5
    assert 0 < report["latency"]["median_ms"] < 50
    told = report["environment"]
    assert (told["worker"], told["runtime"], told["machine"]) == ("native", "libLiteRt", "x86_64")
    assert len(told["library_sha256"]) == 64
    # Debian's adbd has no Android around it
    assert told["model"] is told["android"] is told["abi"] is None
    assert told["after"]["charging"] is told["after"]["throttled"] is None


def test_golden_vectors_of_a_build_that_states_no_tolerance(desk: Desk) -> None:
    stated = desk.build.manifest["golden"]
    manifest = {**desk.build.manifest, "golden": {**stated, "tolerance": [None]}}
    with Driver() as driver:
        driver.deploy(replace(desk.job(), manifest=manifest))
        golden = driver.check()
    assert (golden.ok, golden.compared, golden.codes) == (True, 0, (NO_GOLDEN,))


def test_device_that_computes_something_else(desk: Desk, tmp_path: Path) -> None:
    with np.load(desk.build.folder / "golden.npz") as stored:
        arrays = dict(stored)
    arrays["output_0"] = np.roll(arrays["output_0"], 5, axis=-1)
    np.savez(tmp_path / "golden.npz", **arrays)
    model = (desk.build.folder / "model.tflite").read_bytes()
    (tmp_path / "model.tflite").write_bytes(model)
    with Driver() as driver:
        driver.deploy(replace(desk.job(), folder=tmp_path))
        golden = driver.check()
    assert not golden.ok
    assert golden.mismatched >= 8
    assert "(default kernels)" in golden.detail


@pytest.mark.parametrize("kernels", ["default", "plain"])
def test_kernels_and_threads_compute_what_they_should(desk: Desk, kernels: str) -> None:
    with Driver() as driver:
        driver.deploy(desk.job(kernels=kernels, threads=2))
        assert driver.check().ok
        assert driver.run(SHORT).latency_ms
        told = driver.environment()
    assert (told["kernels"], told["threads"]) == (kernels, 2)


@pytest.mark.parametrize("delegate", ["gpu", "npu"])
def test_accelerator_that_is_not_there_is_never_replaced_by_the_cpu(
    desk: Desk, delegate: str
) -> None:
    with Driver() as driver:
        driver.deploy(desk.job(delegate=delegate))
        with pytest.raises(
            UsageError, match=f"the {delegate} is not there, or does not run all of the model"
        ):
            driver.check()


def test_files_go_once_and_only_whole(desk: Desk) -> None:
    desk.phone.shell(f"rm -rf {FOLDER}")
    with Driver() as driver:
        driver.deploy(desk.job())
        first = cached(desk.phone)
        desk.phone.shell(f"touch -d '2001-01-01' {FOLDER}/*")
        driver.deploy(desk.job())
    assert len(first) == 3  # model, runtime, worker; nothing half
    assert all(len(name) == 64 for name in first)
    assert cached(desk.phone) == first
    years = desk.phone.shell(f"cd {FOLDER} && stat -c %y ?????????*").splitlines()
    assert {year[:4] for year in years} == {"2001"}


def test_damaged_file_there_is_replaced(desk: Desk) -> None:
    with Driver() as driver:
        driver.deploy(desk.job())
        sha256 = next(
            a["sha256"] for a in desk.build.manifest["artifacts"] if a["kind"] == "tflite"
        )
        desk.phone.shell(f"echo more >>{FOLDER}/{sha256}")
        with pytest.raises(DeviceError, match="the model there is not that of the build"):
            driver.check()
        driver.deploy(desk.job())
        assert driver.check().ok


def test_second_bench_is_refused_until_the_first_is_done(desk: Desk) -> None:
    with Driver() as first, Driver() as second:
        first.deploy(desk.job())
        with pytest.raises(DeviceError, match="another bench is running there") as caught:
            second.deploy(desk.job())
        assert caught.value.exit_code == 4
        assert first.check().ok
        first.close()
        second.deploy(desk.job())
        assert second.check().ok


def test_commands_and_files(phone: Phone, tmp_path: Path) -> None:
    adb = Adb(str(phone.adb), phone.serial)
    assert adb.shell("echo out; echo err >&2; exit 7") == (7, "out\nerr\n")
    assert adb.shell("echo -n edgekit-code:5") == (0, "edgekit-code:5")
    (tmp_path / "sent").write_bytes(content := bytes(range(256)) * 4096)
    adb.push(tmp_path / "sent", "/data/local/tmp/sent")
    adb.pull("/data/local/tmp/sent", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == content
    with pytest.raises(DeviceError, match=r"/data/nothing cannot be read: .* No such"):
        adb.pull("/data/nothing", tmp_path / "nothing")
    with pytest.raises(DeviceError, match="took longer"):
        adb.shell("sleep 2", seconds=0.3)
    assert phone.quiet(8)


def test_which_device_is_meant(desk: Desk) -> None:
    assert desk.driver().identity() == f"adb {desk.phone.serial}"
    alone = {key: value for key, value in desk.options.items() if key != "serial"}
    job = desk.job()
    with Driver() as driver:
        driver.deploy(replace(job, options=alone))
        assert driver.identity() == f"adb {desk.phone.serial}"
    with (
        Driver() as driver,
        pytest.raises(DeviceError, match="adb sees no device nobody") as caught,
    ):
        driver.deploy(desk.job(serial="nobody"))
    assert caught.value.hint == f"it sees {desk.phone.serial}"
    desk.phone("disconnect", desk.phone.serial)
    with Driver() as driver, pytest.raises(DeviceError, match=r"adb sees no device$"):
        driver.deploy(replace(job, options=alone))
    with Driver() as driver:  # host:port is connected
        driver.deploy(job)


def test_doctor_reaches_the_phone(desk: Desk) -> None:
    with Driver() as driver:
        driver.reach(desk.options)
    with Driver() as driver, pytest.raises(DeviceError, match="adb sees no device nobody"):
        driver.reach({**desk.options, "serial": "nobody"})


def test_what_cannot_be_used_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANDROID_NDK_HOME", raising=False)
    wrong = [
        ({"kernels": "reference"}, UsageError, "no reference kernels"),
        ({"delegate": "tpu"}, UsageError, "no accelerator 'tpu'"),
        ({"runtime": "/nowhere.so"}, UsageError, "runtime = '/nowhere.so' is no file"),
        ({"runtime": ""}, UsageError, "no LiteRT to run on the device"),
        ({"worker": ""}, MissingExtra, "no Android NDK"),
        ({"ndk": "/usr", "worker": ""}, UsageError, "/usr is no Android NDK"),
    ]
    for options, kind, message in wrong:
        with Driver() as driver, pytest.raises(kind, match=message):
            driver.deploy(desk.job(**options))
    with Driver() as driver:
        driver.deploy(desk.job(runtime="/bin/true"))
        with pytest.raises(MissingExtra, match="the runtime cannot be loaded") as caught:
            driver.check()
        assert "AAR" in caught.value.hint


def test_model_that_the_runtime_does_not_take(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"no flatbuffer at all")
    artifact = {"kind": "tflite", "path": "model.tflite", "sha256": ""}
    manifest = {"target": "android", "artifacts": [artifact]}
    job = desk.job()
    with Driver() as driver:
        driver.deploy(replace(job, folder=tmp_path, manifest=manifest))
        with pytest.raises(TargetError, match="the runtime there refuses the model"):
            driver.check()


def test_adb_that_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert Driver.plugged_in() == []
    with pytest.raises(MissingExtra, match="not installed: adb") as caught:
        Driver.accept({})
    assert caught.value.hint == "sudo apt-get install adb"
    assert Driver.accept({"adb": "/opt/adb"}) == {"adb": "/opt/adb"}

"""Need against have: flash and RAM of a microcontroller, against firmware that was measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.c_project.sizes import Sizes
from edgekit.graph.read import read
from edgekit.runtimes.base import Arena
from edgekit.target.fit import Fit, fit
from edgekit.target.profile import load_profile

KWS, IC, VWW = (
    "kws_dscnn/kws_ref_model_int8.tflite",
    "ic_resnet8/pretrainedResnet_int8.tflite",
    "vww_mobilenetv1/vww_96_int8.tflite",
)
# What tflite-micro takes on x86-64.
ARENAS = {
    KWS: Arena(24272, 16000, 8272),
    IC: Arena(55984, 49152, 6832),
    VWW: Arena(103680, 73728, 29952),
}
# Firmware of TensorFlow Lite Micro with CMSIS-NN and int8 registrations, gcc 12.2: flash with the
# model; arena, .data and .bss; stack of one inference.
MEASURED = [
    ("cortex-m4", KWS, 106_888, 23_380 + 940),
    ("cortex-m4", IC, 149_252, 55_560 + 940),
    ("cortex-m4", VWW, 386_240, 101_268 + 940),
    ("cortex-m7", KWS, 105_272, 23_380 + 924),
    ("cortex-m7", IC, 147_864, 55_556 + 924),
    ("cortex-m3", KWS, 100_528, 23_380 + 876),
    ("cortex-m3", IC, 143_012, 55_544 + 876),
    ("cortex-m55", KWS, 98_232, 27_908 + 1_076),
    ("cortex-m55", IC, 139_528, 55_588 + 1_032),
]


def verdict(
    real_models: Path, name: str, target: str, arena: Arena | None = None, path: str = ""
) -> Fit:
    model = (real_models / name).read_bytes()
    return fit(read(model), model, load_profile(path or target), arena)


def board(folder: Path, flash: int, ram: int) -> str:
    path = folder / "small.toml"
    path.write_text(
        f'title = "s"\nextends = "cortex-m4"\n[memory]\nflash_bytes = {flash}\nram_bytes = {ram}\n',
        encoding="utf-8",
    )
    return str(path)


@pytest.mark.parametrize(("target", "name", "flash", "ram"), MEASURED)
def test_estimate_covers_measured_firmware_and_stays_near(
    real_models: Path, target: str, name: str, flash: int, ram: int
) -> None:
    found = verdict(real_models, name, target, ARENAS[name])
    assert found.flash.need is not None
    assert found.ram.need is not None
    assert flash <= found.flash.need <= 1.1 * flash
    assert ram <= found.ram.need <= 1.3 * ram


def test_float_models_need_the_larger_kernels(real_models: Path) -> None:
    name = "ic_resnet8/pretrainedResnet_float.tflite"
    found = verdict(real_models, name, "cortex-m4")
    assert found.flash.need == (real_models / name).stat().st_size + 83_736
    assert "float and int16" in found.flash.by


def test_other_kinds_of_op_are_added(real_models: Path) -> None:
    name = "tflm_examples/mnist_lstm_int8.tflite"
    found = verdict(real_models, name, "cortex-m4")
    assert "x 7,192 B for other kinds of op" in found.flash.by


def test_generic_core_has_needs_but_no_verdict(real_models: Path) -> None:
    found = verdict(real_models, KWS, "cortex-m4", ARENAS[KWS])
    assert found.fits is None
    assert found.problems == ()
    assert found.to_json() == {
        "fits": None,
        "flash": {
            "need": 106_888,
            "have": None,
            "state": "estimated",
            "by": found.flash.by,
        },
        "ram": {"need": 26_172, "have": None, "state": "estimated", "by": found.ram.by},
    }


def test_board_with_room_fits(real_models: Path) -> None:
    found = verdict(real_models, VWW, "nucleo-l4r5zi", ARENAS[VWW])
    assert found.fits is True
    assert (found.flash.have, found.ram.have) == (2_097_152, 655_360)


def test_without_a_run_of_tflite_micro_the_ram_is_unknown(real_models: Path) -> None:
    found = verdict(real_models, KWS, "nucleo-l4r5zi")
    assert found.ram.need is None
    assert "unknown" in found.ram.by
    assert found.fits is True


@pytest.mark.parametrize(
    ("flash", "ram", "severity", "message"),
    [
        pytest.param(
            65_536,
            262_144,
            "error",
            "flash of small: needs 106,888 B, has 65,536 B (estimated)",
            id="flash too small",
        ),
        pytest.param(
            1_048_576,
            16_384,
            "error",
            "RAM of small: needs 26,172 B, has 16,384 B (estimated)",
            id="RAM too small",
        ),
        pytest.param(
            1_048_576,
            26_173,
            "warning",
            "RAM of small: needs 26,172 B, has 26,173 B: tight",
            id="RAM just enough",
        ),
    ],
)
def test_memory_that_does_not_suffice_is_named_with_a_mend(
    real_models: Path, tmp_path: Path, flash: int, ram: int, severity: str, message: str
) -> None:
    found = verdict(real_models, KWS, "", ARENAS[KWS], path=board(tmp_path, flash, ram))
    assert [(item.severity, item.message) for item in found.problems] == [(severity, message)]
    assert found.problems[0].hint
    assert found.fits is (severity == "warning")


C = Sizes(constants=20_000, code=8_000, arena=9_000, stack=1_000)


def verdict_as_c(real_models: Path, sizes: Sizes, path: str) -> Fit:
    model = (real_models / KWS).read_bytes()
    return fit(read(model), model, load_profile(path), ARENAS[KWS], sizes)


def test_the_model_as_c_is_judged_beside_the_interpreter(real_models: Path) -> None:
    found = verdict_as_c(real_models, C, "nucleo-l4r5zi")
    assert found.c_project is not None
    assert (found.c_project.flash.need, found.c_project.ram.need) == (28_000, 10_000)
    assert found.c_project.flash.state == found.c_project.ram.state == "estimated"
    assert found.to_json()["c_project"]["fits"] is True
    assert found.problems == ()


def test_it_is_enough_that_the_c_fits(real_models: Path, tmp_path: Path) -> None:
    found = verdict_as_c(real_models, C, board(tmp_path, 65_536, 16_384))
    assert found.fits is True
    assert [(item.severity, item.message) for item in found.problems] == [
        (
            "warning",
            "with TensorFlow Lite Micro, flash of small: needs 106,888 B, has 65,536 B (estimated)",
        ),
        (
            "warning",
            "with TensorFlow Lite Micro, RAM of small: needs 26,172 B, has 16,384 B (estimated)",
        ),
    ]
    assert "c_project/" in found.problems[0].hint


def test_it_is_enough_that_the_interpreter_fits(real_models: Path, tmp_path: Path) -> None:
    large = Sizes(constants=400_000, code=8_000, arena=9_000, stack=1_000)
    found = verdict_as_c(real_models, large, board(tmp_path, 262_144, 65_536))
    assert found.fits is True
    ((severity, message, hint),) = [
        (item.severity, item.message, item.hint) for item in found.problems
    ]
    assert severity == "warning"
    assert message == "as C, flash of small: needs 408,000 B, has 262,144 B (estimated)"
    assert hint == "use TensorFlow Lite Micro, which fits"


def test_where_neither_fits_there_is_an_error(real_models: Path, tmp_path: Path) -> None:
    found = verdict_as_c(real_models, C, board(tmp_path, 16_384, 65_536))
    assert found.fits is False
    assert [item.severity for item in found.problems] == ["error", "error"]
    assert found.problems[0].message.startswith("as C, flash of small: needs 28,000 B")


@pytest.mark.parametrize(("target", "more"), [("cortex-m4", 0), ("cortex-m55", 5_284)])
def test_arena_for_the_interpreter_has_a_margin(real_models: Path, target: str, more: int) -> None:
    found = verdict(real_models, KWS, target, ARENAS[KWS])
    assert found.arena_bytes == -(-(24_272 + 24_272 // 16 + more) // 16) * 16
    assert verdict(real_models, KWS, target).arena_bytes is None
    assert verdict(real_models, KWS, "rpi4", ARENAS[KWS]).arena_bytes is None


def test_ops_that_cannot_run_decide_the_verdict(real_models: Path) -> None:
    name = "kws_dscnn/kws_ref_model_dynrange.tflite"
    found = verdict(real_models, name, "nucleo-l4r5zi")
    assert found.fits is False
    assert "dynamic-range" in found.problems[0].message


def test_linux_counts_the_file_alone(real_models: Path) -> None:
    found = verdict(real_models, KWS, "rpi4")
    assert (found.flash.need, found.flash.state) == (53_936, "measured")
    assert (found.ram.need, found.fits) == (None, None)

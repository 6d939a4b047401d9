from pathlib import Path

import numpy as np
import pytest
from small_nets import Net, as_model, rows_of

from edgekit._discover import names
from edgekit.errors import ModelError, UsageError
from edgekit.quantizers.base import QuantizeOptions, load

FLOAT = as_model(Net(4).dense(np.eye(4)).tflite())
ROWS = rows_of(np.eye(4))
ALL = ["dynamic", "float16", "float32", "int16x8", "int4", "int8"]


def test_the_quantizers_are_found_by_file_name() -> None:
    assert names("quantizers") == ALL
    assert [load(name).name for name in ALL] == ALL


def test_an_unknown_quantizer_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="int7") as caught:
        load("int7")
    assert "int8" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("int8", "int16"), ("int16x8", "int8"), ("float16", "int8"), ("dynamic", "uint8")],
)
def test_types_that_do_not_go_with_a_quantizer_are_refused(name: str, dtype: str) -> None:
    with pytest.raises(UsageError, match=f"{dtype} does not go with {name}"):
        load(name).quantize(FLOAT, ROWS, QuantizeOptions(input_dtype=dtype))


@pytest.mark.parametrize("name", ["int8", "int16x8", "float16", "dynamic"])
@pytest.mark.parametrize(
    "path",
    ["kws_dscnn/kws_ref_model_int8.tflite", "kws_dscnn/kws_ref_model_dynrange.tflite"],
    ids=["int8", "dynamic range"],
)
def test_a_quantized_model_is_refused(real_models: Path, path: str, name: str) -> None:
    model = as_model((real_models / path).read_bytes(), "kws")
    with pytest.raises(ModelError, match=r"kws.tflite is quantized already \(int8\)"):
        load(name).quantize(model, ROWS, QuantizeOptions())


def test_half_precision_counts_as_quantized() -> None:
    half = load("float16").quantize(FLOAT, ROWS, QuantizeOptions())
    with pytest.raises(ModelError, match="float16"):
        load("int8").quantize(as_model(half.tflite), ROWS, QuantizeOptions())


def test_float32_gives_the_flatbuffer_as_it_is(real_models: Path) -> None:
    result = load("float32").quantize(FLOAT, ROWS, QuantizeOptions())
    assert (result.tflite, result.problems) == (FLOAT.tflite, ())
    model = as_model((real_models / "kws_dscnn/kws_ref_model_int8.tflite").read_bytes())
    result = load("float32").quantize(model, ROWS, QuantizeOptions())
    assert result.tflite == model.tflite
    assert "exported as it is" in result.problems[0].message

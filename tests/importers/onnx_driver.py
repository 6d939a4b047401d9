"""Convert many ONNX files in one process (TensorFlow is imported once): a script for the tests.

`python onnx_driver.py FOLDER`: FOLDER/<n>.onnx to FOLDER/<n>/model.tflite and result.json.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from edgekit.errors import EdgekitError
from edgekit.importers import _onnx2tf


def main(folder: Path) -> None:
    _onnx2tf.offline()
    for path in sorted(folder.glob("*.onnx")):
        out = folder / path.stem
        out.mkdir()
        try:
            result = _onnx2tf.convert(path, out)
        except EdgekitError as error:
            result = {"error": f"{error.message} | {error.hint}"}
        (out / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

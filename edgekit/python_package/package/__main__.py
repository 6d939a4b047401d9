"""Runs the model on a picture, an .npy file, or its golden vectors."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ._contract import interface
from ._model import Model

TOP = 5


def main() -> int:
    """Exit code: 0 ok, 1 the data or the self test, 2 usage or what is not installed."""
    parser = argparse.ArgumentParser(prog=(__package__ or "model"), description=__doc__)
    parser.add_argument("file", nargs="*", help="a picture, or an .npy file with one row")
    parser.add_argument("--self-test", action="store_true", help="run the golden vectors")
    parser.add_argument("--threads", type=int, help="threads of the interpreter")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    given = parser.parse_args()
    if not (given.file or given.self_test):
        parser.error("give a file, or --self-test")
    try:
        model = Model(given.threads)
        code = _tested(model, given.json) if given.self_test else 0
        if given.file:
            outputs = model.predict(*(_row(Path(file)) for file in given.file))
            _print(outputs if isinstance(outputs, tuple) else (outputs,), given.json)
        return code
    except ModuleNotFoundError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (OSError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _tested(model: Model, as_json: bool) -> int:
    found = model.self_test()
    if as_json:
        print(json.dumps({"self_test": found is None, "first": found and found.__dict__}))
    elif found is None:
        print("self test passed: the golden vectors give what they must")
    else:
        print(
            f"self test failed: vector {found.vector}, output {found.output}, element "
            f"{found.element}: {found.got:g} instead of {found.wanted:g}"
        )
    return 0 if found is None else 1


def _print(outputs: tuple[np.ndarray, ...], as_json: bool) -> None:
    names = interface().labels
    if as_json:
        scores = [output.tolist() for output in outputs]
        print(json.dumps({"outputs": scores, "labels": list(names)}, ensure_ascii=False))
        return
    for output in outputs:
        flat = output.ravel()
        if not names or len(flat) != len(names):
            print(np.array2string(output, precision=6, threshold=64))
            continue
        for place in np.argsort(-flat, kind="stable")[:TOP]:
            print(f"{flat[place]:12.6g}  {names[place]}")


def _row(path: Path) -> Any:
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    try:
        from PIL import Image, ImageOps
    except ModuleNotFoundError:
        raise ModuleNotFoundError("Pillow, which reads pictures, is not installed") from None
    shape = interface().inputs[0].shape[1:]
    with Image.open(path) as picture:
        upright = ImageOps.exif_transpose(picture)
        grey = len(shape) == 2 or shape[-1] == 1
        if upright.mode.startswith("I"):  # more than 8 bits, and grey
            pixels = np.asarray(upright)
            return pixels if len(shape) == 2 else np.repeat(pixels[..., None], shape[-1], axis=2)
        pixels = np.asarray(upright.convert("RGB").convert("L") if grey else upright.convert("RGB"))
    return pixels[..., None] if grey and len(shape) == 3 else pixels


if __name__ == "__main__":
    sys.exit(main())

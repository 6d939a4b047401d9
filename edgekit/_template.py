"""The commented `edgekit.toml` that `edgekit init` writes."""

from __future__ import annotations

from pathlib import Path

from edgekit.errors import UsageError


def write_template(path: Path, model: str, targets: tuple[str, ...], force: bool) -> Path:
    """Write a commented project file.

    Raises:
        UsageError: The file is there already and `force` is not given.
    """
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", "edit it, or overwrite it with --force")
    quoted = ", ".join(_toml_string(target) for target in targets)
    text = _TEMPLATE.replace("@model@", f"{_toml_string(model):<22}")
    text = text.replace("@targets@", f"{f'[{quoted}]':<19}")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "choose a folder you can write") from error
    return path


def _toml_string(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_TEMPLATE = """\
# What edgekit build makes, and from what. Every key can be set on the command line, too:
# edgekit build --set quantize.estimator=mse

[model]
path = @model@ # .keras, .h5, SavedModel folder, .onnx or .tflite
# name = "digits"             # what programs call it; default: the file's name
# labels = "labels.txt"       # names of the classes, a line each: apps and phones show them
# modules = ["my_layers"]     # imported first; they register custom layers with
                              # @keras.saving.register_keras_serializable()

[data]
# PATH[:array[,labels]][[start:stop]]: npz, npy, csv, a folder of images, wav or npy files,
# or python:module:function. Parts follow one another.
calibration = []              # unlabeled, e.g. ["data.npz:x[:100]"]
evaluation = []               # labels give accuracy, e.g. ["data.npz:x,y[100:]"]
# training = []               # for compression, best with labels; default: the calibration data
preprocess = "raw"            # raw, unit (x/255), symmetric (x/127.5-1), imagenet,
                              # or scale=0.5847,offset=-48.5301  (value = x * scale + offset)
samples = 200                 # the most that calibration uses
# held_out = 0.2              # share of the training rows, by hash, to judge on instead

[build]
targets = @targets@ # edgekit targets lists them; a path of your own TOML works, too
# output = "build/model-rpi4" # default: build/<model>-<target>
# export = ["c_project"]      # written besides what the target wants, or refused if it cannot be
seed = 0

[compile]
optimize = "balanced"         # the C of a microcontroller: size, balanced, speed

[quantize]
# scheme = "int8"             # int8, int4, int16x8, float16, dynamic, float32, or auto: the
                              # fastest; default: the target's
estimator = "minmax"          # minmax, percentile, mse, entropy, or auto: the best of them
equalise = "auto"             # cross-layer equalisation: off, on, auto (kept where it helps)
bias_correct = "auto"         # bias correction: off, on, auto (kept where it helps)
per_channel = true
# keep_int16 = ["conv2d_3"]   # layers of an int8 build that stay in more bits
# keep_float = ["dense"]
# sparse = "auto"             # TFLite's sparse encoding: off, auto (where a run proves it)
# dead = "off"                # channels that change nothing stay in an int8 build
# sensitivity = "build/model-sensitivity"  # says which layers a broken budget gives more bits first

[io]
# input = "float32"           # dtype of the built model's inputs; default: the target's
# output = "float32"

[fidelity]
enabled = true
samples = 200                 # the most rows that built and float model are compared on
# metric = "top1"             # top1, mse, mae, auc, python:module:function; default: by the task

# Compression, pass after pass, as with --compress prune:0.6,cluster:16,qat. What each one can be
# told: edgekit passes NAME.
# [[compress]]
# pass = "prune"
# sparsity = 0.6
# fine_tune = { epochs = 10 } # for this pass, on top of [fine_tune]
#
# [[compress]]
# pass = "quantize_aware"     # the last one: it learns the ranges of int8

# [fine_tune]                 # of all passes; what is not set is decided from the size of the data
# epochs = 20
# learning_rate = 0.002
# batch = 32
# patience = 5                # epochs without progress on rows kept apart, before it stops
# max_minutes = 30
# augment = ["auto"]          # or ["flip", "shift=2", "noise=0.02", "mix=0.5"], or ["none"]
# temperature = 4.0           # of the original model's scores, which are learned from
# label_weight = 0.1          # share of the labels, where there are any

# [search]                    # what edgekit search looks for; docs/search.md
# objectives = ["drop", "latency"]
# max_flash = "64K"           # of 1,024 bytes; also max_ram, max_bytes, max_gzip, max_macs
# max_latency = "80ms"        # also max_energy
# max_drop = "1%"             # points; also min_accuracy, min_agreement
# passes = ["remove", "prune", "cluster", "quantize_aware"]
# trials = 50
# [search.space]              # values in place of those that the passes declare
# remove.macs = ["off", 0.7, 0.5]
# compile.optimize = ["size", "speed"]

# [budget]                    # what the build may cost against the float model; default: no limit
# accuracy_drop = 1.0         # points, on labelled data
# agreement = 98.0            # percent of decisions alike, at least
# sqnr = 20.0                 # signal to quantization noise, dB, at least
# strict = false              # whether a budget that the data cannot prove is broken
# ladder = true               # whether other options are tried when it is broken
"""

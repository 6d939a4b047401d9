"""Do the values suit the model? By what it is known to want, its answers, or the values alone."""

from __future__ import annotations

from dataclasses import replace

from edgekit.data.convention import Judgement, Predict, Response, conventions, is_bytes, judge
from edgekit.data.prepare import INTEGERS, Prepared
from edgekit.data.statistics import Statistics
from edgekit.preprocess import OPTION, Preprocess
from edgekit.problem import Problem


def check_values(
    rows: Prepared,
    preprocess: Preprocess,
    seen: Statistics,
    predict: Predict | None,
    expected: tuple[float, float] | None,
    option: str,
) -> list[Problem]:
    """One problem at most, by the strongest evidence there is.

    Args:
        rows: Model-ready rows.
        preprocess: As declared.
        seen: What a pass over `rows` gathered.
        predict: The float model, or None.
        expected: (least, largest) value that the model is known to want, or None.
        option: Named in the messages.
    """
    if all(spec.dtype in INTEGERS for spec in rows.inputs):
        return []  # token and class numbers have no scale
    if expected is not None:
        return _against(expected, seen, option)
    judgement = Judgement("unknown")
    if predict is not None and len(rows.inputs) == 1:
        judgement = judge(rows, predict, _candidates(rows, preprocess, seen))
    if judgement.kind == "fine":
        return []
    if judgement.response is None or judgement.kind == "unknown":
        return _by_range(rows, preprocess, seen, option)
    return [_told(judgement, judgement.response, preprocess, option)]


def _candidates(rows: Prepared, preprocess: Preprocess, seen: Statistics) -> tuple[Preprocess, ...]:
    channels = rows.inputs[0].shape[-1]
    usual = conventions(seen.low, seen.high, seen.whole, channels, rows.samples.affine)
    kept = {key: getattr(preprocess, key) for key in ("layout", "resize", "dtype")}
    return tuple(replace(item, **kept) for item in usual)


def _told(judgement: Judgement, response: Response, preprocess: Preprocess, option: str) -> Problem:
    declared = f"with {OPTION} {preprocess.to_text()} the float model"
    likely, better = judgement.likely, judgement.better
    if judgement.kind == "saturated":
        message = (
            f"{declared} is absurdly sure of itself (its second class has a probability of "
            f"1e{response.runner_up:.0f}): the values look too large for it"
        )
    elif judgement.kind == "flat":
        message = (
            f"{declared} gives nearly the same scores to every sample: "
            "the values look too small or shifted for it"
        )
    else:
        message = f"{declared} sees the samples as {response.spread:.1f} classes"
        if likely is not None and better is not None:
            message += f", with {likely.to_text()} as {better.spread:.1f}"
    hint = f"declare what the model was trained on, for example {OPTION} unit (x/255)"
    if likely is not None:
        hint = (
            f"most likely it was trained on {OPTION} {likely.to_text()}; "
            f"if you are sure of {preprocess.to_text()}, all is well"
        )
    return Problem("warning", option, message, hint)


def _against(expected: tuple[float, float], seen: Statistics, option: str) -> list[Problem]:
    """Ready values outside of what is wanted by half its width, or in a fiftieth of it."""
    low, high = (float(bound) for bound in (seen.ready[0][0].min(), seen.ready[0][1].max()))
    least, largest = expected
    width = largest - least
    inside = low >= least - 0.5 * width and high <= largest + 0.5 * width
    if inside and high - low >= 0.02 * width:
        return []
    message = (
        f"after preprocessing the values go from {low:g} to {high:g}, "
        f"and the model wants about {least:g} to {largest:g}"
    )
    return [Problem("warning", option, message, _scaling_hint(seen, expected))]


def _scaling_hint(seen: Statistics, expected: tuple[float, float]) -> str:
    if is_bytes(seen.low, seen.high, seen.whole):
        named = {(0.0, 1.0): "unit", (-1.0, 1.0): "symmetric", (0.0, 255.0): "raw"}
        if expected in named:
            return f"write {OPTION} {named[expected]}"
    return f"write {OPTION} scale=...,offset=... so that they do: value = x * scale + offset"


def _by_range(
    rows: Prepared, preprocess: Preprocess, seen: Statistics, option: str
) -> list[Problem]:
    """What the raw values alone say; the model could not be asked."""
    span = f"{seen.low:g}..{seen.high:g}"
    if seen.high <= 1 and seen.low >= -1 and 0 < preprocess.scale < 1 / 60:
        message = (
            f"the values already lie in {span}, and {OPTION} {preprocess.to_text()} divides "
            f"them by {1 / preprocess.scale:g} once more"
        )
        return [Problem("warning", option, message, f"write {OPTION} raw, or give 0..255")]
    if not preprocess.identity:
        return []
    if is_bytes(seen.low, seen.high, seen.whole):
        message = (
            f"the values are whole numbers {span} and reach the model unscaled ({OPTION} raw), "
            "while most models of pictures want 0..1"
        )
        hint = (
            f"write {OPTION} unit if the model was trained on x/255; "
            "if it was trained on 0..255, or scales its input itself, all is well"
        )
        return [Problem("warning", option, message, hint)]
    affine = rows.samples.affine
    if rows.samples.dtype != "int8" and affine is None:
        return []
    message = f"the values are quantized codes {span} and reach the float model as they are"
    hint = f"write {OPTION} scale=S,offset=O so that x * S + O is what it was trained on"
    if affine is not None:
        likely = conventions(seen.low, seen.high, seen.whole, 0, affine)[0]
        hint = f"scale and zero_point lie beside them: write {OPTION} {likely.to_text()}"
    return [Problem("warning", option, message, hint)]

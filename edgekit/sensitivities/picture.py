"""The analysis as a picture (SVG 1.1): a table for each kind, darker where it costs more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from edgekit.sensitivities.result import KINDS, Curve, Kind, Point, Sensitivity
from edgekit.sensitivities.shade import level, shade, unit

_CELL, _ROW, _LETTER, _MARGIN, _HEAD = 62, 20, 7.2, 16, 20
_LONGEST = 44
# ColorBrewer's OrRd, seven classes, which colour-blind people tell apart (Harrower and Brewer 2003)
_COLOURS = ("#fef0d9", "#fdd49e", "#fdbb84", "#fc8d59", "#ef6548", "#d7301f", "#990000")
_DARK = 5
"""From this colour on letters are white."""
_TOLD = "distance of the scores from the original's, from a thousandth of the largest up to it"


def picture(sensitivity: Sensitivity) -> str:
    """The SVG, the same for the same analysis."""
    left = _MARGIN + _LETTER * max(len(_name(curve)) for curve in sensitivity.curves) + 10
    title, legend = _title(sensitivity), _MARGIN + _ROW * len(_COLOURS) + 8
    right = max(_MARGIN + _LETTER * len(title), legend + _LETTER * len(_TOLD))
    parts, top = [_text(_MARGIN, _MARGIN + 12.0, title, bold=True)], _MARGIN + 12.0
    for kind in sensitivity.kinds:
        curves = sensitivity.of(kind)
        levels = tuple(dict.fromkeys(p.level for curve in curves for p in curve.points))
        parts += _panel(sensitivity, kind, levels, left, top + 2 * _HEAD)
        top += 3 * _HEAD + _ROW * len(curves) + 6
        right = max(right, left + _CELL * len(levels))
    parts += _legend(top + _HEAD, legend)
    size = f'width="{right + _MARGIN:.0f}" height="{top + 2 * _HEAD + _MARGIN:.0f}"'
    font = 'font-family="DejaVu Sans, Arial, sans-serif" font-size="11"'
    ground = '<rect width="100%" height="100%" fill="white"/>'
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>', ground, *parts, "</svg>", ""]
    )


def _title(found: Sensitivity) -> str:
    original = f"{found.original:g}{unit(found.metric)}"
    return (
        f"{found.model}: {found.metric} with one layer changed, nothing trained "
        f"(original {original}, {found.samples:,} rows)"
    )


def _panel(
    sensitivity: Sensitivity, kind: Kind, levels: Sequence[float], left: float, top: float
) -> Iterator[str]:
    yield _text(_MARGIN, top, f"{kind}: {KINDS[kind]}", bold=True)
    for column, value in enumerate(levels):
        place = left + (column + 0.5) * _CELL, top + _HEAD
        yield _text(*place, level(kind, value), middle=True)
    for row, curve in enumerate(sensitivity.of(kind)):
        y = top + _HEAD + 6 + row * _ROW
        yield _text(_MARGIN, y + 14, _name(curve))
        for point in curve.points:
            x = left + levels.index(point.level) * _CELL
            yield from _cell(x, y, point, shade(sensitivity, point))


def _cell(x: float, y: float, point: Point, dark: float) -> Iterator[str]:
    number = min(int(dark * len(_COLOURS)), len(_COLOURS) - 1)
    size = f'width="{_CELL - 1}" height="{_ROW - 1}"'
    colour = "white" if number >= _DARK else "black"
    yield (
        f'<rect x="{x:.1f}" y="{y:.1f}" {size} fill="{_COLOURS[number]}">'
        f"<title>loss {point.loss:g}</title></rect>"
    )
    yield _text(x + _CELL / 2, y + 14, f"{point.metric:.4g}", middle=True, colour=colour)


def _legend(y: float, beside: float) -> Iterator[str]:
    for number, colour in enumerate(_COLOURS):
        x = _MARGIN + number * _ROW
        yield f'<rect x="{x}" y="{y:.1f}" width="{_ROW}" height="10" fill="{colour}"/>'
    yield _text(beside, y + 9, _TOLD)


def _name(curve: Curve) -> str:
    more = f" +{len(curve.layers) - 1}" if len(curve.layers) > 1 else ""
    name = curve.layer if len(curve.layer) <= _LONGEST else f"…{curve.layer[1 - _LONGEST :]}"
    return name + more


def _text(
    x: float,
    y: float,
    text: str,
    bold: bool = False,
    middle: bool = False,
    colour: str = "black",
) -> str:
    style = (' font-weight="bold"' if bold else "") + (' text-anchor="middle"' if middle else "")
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}"{style}>{escape(text)}</text>'

"""How `product_quantize` works: a code book of blocks for each layer, found, then trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.bridge.lift import LiftedLayer, lift
from edgekit.bridge.weights import KINDS
from edgekit.errors import ModelError
from edgekit.passes import _wrapped as wrapped
from edgekit.passes._chosen import choose_layers, notes, sort_out
from edgekit.passes._keep import code_scale, one_factor, positive
from edgekit.passes._moments import shared
from edgekit.passes._product_layer import ProductBook
from edgekit.passes._product_options import ProductOptions
from edgekit.passes._solve import LARGEST, fits
from edgekit.passes.base import Candidate, Context
from edgekit.passes.promises import Promise
from edgekit.problem import Problem

LEARNING_RATE = 5e-4
_BLOCKS_A_CODE = 4
"""A code stands for so many blocks on average, at least: as in the paper, section 4.1."""


@dataclass(frozen=True)
class Size:
    """Of a layer's code book.

    Attributes:
        codes: Blocks in it.
        length: Weights in a block.
    """

    codes: int
    length: int


def product_quantized(
    name: str, candidate: Candidate, options: ProductOptions, context: Context
) -> Candidate:
    """The candidate with shared blocks, and the promise of how many; `name` is for the log.

    Raises:
        EdgekitError: As `Base.run`.
    """
    sizes, problems = plan(lift(candidate.tflite).layers, options)
    planned, books = wrapped.training(context, LEARNING_RATE), {}

    def wrap(layer: LiftedLayer) -> Any:
        if layer.name not in sizes:
            return layer.layer
        if options.factors == "layer":
            one_factor(layer)
        size = sizes[layer.name]
        books[layer.name] = ProductBook(layer, size.codes, size.length)
        return books[layer.name].wrapper

    lifted, plain = lift(candidate.tflite, wrap=wrap), lift(candidate.tflite, form="folded")
    count = f"{len(books)} layer{'s' * (len(books) > 1)}"
    context.progress.step(f"choosing blocks for {count}")
    for number, book in enumerate(books.values()):
        book.fit(*shared(book.layer, lifted, plain, context.rows), context.seed + number)
        context.progress.advance(number + 1, len(books))
    layers = [book.layer for book in books.values()]
    trained = wrapped.train(
        candidate,
        context,
        lifted,
        planned,
        holding=books,
        above_zero=positive(layers),
        constant=positive(layers) if options.factors == "layer" else (),
        title=f"training the blocks of {count}",
    )
    for book in books.values():
        book.strip()
    told = {each: _told(book) for each, book in books.items()}
    return wrapped.finish(
        candidate,
        lifted,
        entry=wrapped.make_entry(name, options, planned, trained, told),
        promises=[_promise(book, options) for book in books.values()],
        scales={layer.kernel: code_scale(layer) for layer in layers},
        problems=problems,
    )


def plan(
    layers: Sequence[LiftedLayer], options: ProductOptions
) -> tuple[Mapping[str, Size], list[Problem]]:
    """Layer name -> the size of its code book, and notes about layers that get none.

    Raises:
        ModelError: No layer can get one.
        UsageError: The user named a layer that cannot.
    """
    wanted = choose_layers(layers, options)
    found, unfit, fit = sort_out(layers, options, wanted, _why)
    if not fit:
        first = found[0]
        raise ModelError(
            f"no layer can have a code book of blocks: {first.name} ({first.kind}) "
            f"{unfit[first.name]}",
            "leave product_quantize out, or choose other layers or shorter blocks",
        )
    sizes = {layer.name: _size(layer, wanted[layer.name]) for layer in fit}
    return sizes, notes("product_quantize", found, unfit)


def _size(layer: LiftedLayer, own: ProductOptions) -> Size:
    inputs, outputs = layer.kernel_array()[..., 0].size, layer.kernel_array().shape[-1]
    length = next(n for n in range(min(own.block, inputs), 0, -1) if inputs % n == 0)
    return Size(min(own.codes, inputs // length * outputs // _BLOCKS_A_CODE), length)


def _why(layer: LiftedLayer, own: ProductOptions) -> str:
    """Why a layer cannot have a code book of blocks, "" where it can."""
    if not fits(layer):
        return (
            f"is no matrix times patches of its input ({layer.kind}), or has more than {LARGEST:,} "
            "inputs"
        )
    size = _size(layer, own)
    if size.length < 2:
        return f"has inputs that cannot be parted into blocks of {own.block} or fewer"
    if size.codes < 2:
        return "has too few weights for a code book of blocks"
    return ""


def _told(book: ProductBook) -> dict[str, float]:
    """Blocks in the book and their length, and bits a weight in int8, the book counted."""
    index_bits = (book.codes - 1).bit_length()
    weights = book.layer.kernel_array().size
    stored = weights // book.length * index_bits + 8 * book.codes * book.length
    return {
        "codes": float(book.codes),
        "block": float(book.length),
        "bits": round(stored / weights, 3),
    }


def _promise(book: ProductBook, options: ProductOptions) -> Promise:
    """In integers of all channels; of each channel where float weights are times its factor."""
    layer, whole = book.layer, options.factors == "layer"
    assert KINDS[layer.op.name].channel == 0, "blocks lie in a row where outputs come first"
    return Promise(
        layer.name,
        layer.kernel,
        "blocks",
        book.codes,
        per="tensor" if whole else "channel",
        block=(1, book.length),
    )

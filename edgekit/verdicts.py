"""What compression did not bring on a target, and what would: in words, from measured sizes.

Pruned and clustered models are sold as small, and their users find the same file, as slow as
before (tensorflow/model-optimization#173, #611, #722).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from edgekit.ledger import Entry
from edgekit.problem import Problem
from edgekit.target.profile import Profile

MORE_ZEROS = 0.05
"""Share of the weights; fewer new zeros than that are by the way."""
SHARED = 0.5
"""Fewer different values than this, for each weight that is not zero, are a code book."""
_READ_SPARSE = ("float32", "float16")  # of int8 files none was smaller and ran right in trials
_PAYS = 0.98  # of the bytes before: what is above that saves nothing
_TRAVELS = {
    "android": "in the app's download, where package or store compress it",
    "ios": "in the app's download, where package or store compress it",
    "web": "in the download, where the server compresses it",
    "linux": "in transfers that are compressed",
    "mcu": "in updates that are sent compressed",
}


def verdicts(
    entries: Sequence[Entry],
    profile: Profile,
    plain: Entry | None = None,
    as_c: Mapping[str, str] | None = None,
) -> list[Problem]:
    """Notes on what zeros and shared values bring on the target.

    Args:
        entries: In order: the imported model, each pass, and last what was built.
        profile: The target.
        plain: What is built without the passes, in the same number format, where that is known;
            sizes are then compared with it, else among the float models.
        as_c: By pass, what it brings in the model as C, which needs no interpreter; None: there is
            no such model.
    """
    floats = list(entries[:-1])
    if len(floats) < 2:
        return []
    notes: list[Problem] = []
    for gained, note in ((_zeros_came, _of_zeros), (_values_shared, _of_code_book)):
        steps = [pair for pair in pairwise(floats) if gained(*pair)]
        if not steps:
            continue
        before, after, sizes = steps[0][0], steps[-1][1], ""
        if plain:
            before = replace(plain, step=f"{entries[-1].step} without passes")
            after = replace(entries[-1], step=f"{entries[-1].step} with all passes")
        if not plain or not notes:  # what all passes save together is said once
            sizes = f"; {_download(before, after, profile)}"
        notes.append(note(sizes, entries[-1], profile))
    if as_c is None:
        return notes
    return [*(_with_c(note, profile, as_c) for note in notes), *_flash(notes, plain, entries[-1])]


def _with_c(note: Problem, profile: Profile, as_c: Mapping[str, str]) -> Problem:
    """The note: of the interpreter alone, then what the model as C gains."""
    message = note.message.replace(f"on {profile.name}", f"with {profile.runtime.title}", 1)
    return replace(note, message=f"{message}; in the C project {as_c[note.where]}")


def _flash(notes: Sequence[Problem], plain: Entry | None, built: Entry) -> list[Problem]:
    """What all passes together did to the flash of the model as C."""
    if not notes or plain is None or plain.flash is None or built.flash is None:
        return []
    change = built.flash - plain.flash
    says = f"{abs(change):,} B {'less' if change < 0 else 'more'}" if change else "as much"
    message = (
        f"the C project takes {plain.flash:,} B of flash without passes and {built.flash:,} B with "
        f"them, {says} (constants and code, code estimated)"
    )
    hint = "edgekit bench measures flash and time; --optimize size takes time for less flash"
    return [Problem("note", "c_project", message, hint)]


def _zeros_came(before: Entry, after: Entry) -> bool:
    return after.weights.sparsity - before.weights.sparsity >= MORE_ZEROS


def _values_shared(before: Entry, after: Entry) -> bool:
    """Zeros alone leave fewer values, too, but as many as there are other weights."""
    return _variety(before) > SHARED >= _variety(after)


def _variety(entry: Entry) -> float:
    return entry.weights.entries / max(1, entry.weights.elements - entry.weights.zeros)


def _of_zeros(sizes: str, built: Entry, profile: Profile) -> Problem:
    weights = built.weights
    zeros = f"{100 * weights.sparsity:.0f} % of the weights are zero"
    if weights.sparse:
        return Problem(
            "note",
            "prune",
            f"{zeros}; the file stores some kernels sparse, and the runtime unpacks them: "
            f"no faster on {profile.name}{sizes}",
            "fewer channels or layers make a model faster",
        )
    stored = f"{zeros}, and the .tflite stores each of them ({built.bytes:,} B)"
    csr = (
        f"without zeros (as CSR) the weights would take {weights.csr:,} B, now {weights.dense:,} B"
    )
    if profile.family == "mcu":
        brings = f"on {profile.name} that saves no flash, no RAM and no time"
        hint = "fewer channels or layers save all three; "
        hint += f"{csr}, which {profile.runtime.title} cannot read"
    else:
        brings = f"on {profile.name} that saves no memory and no time"
        hint = f"fewer channels or layers save both; {csr}"
        if weights.csr < weights.dense and built.step in _READ_SPARSE:
            hint += ": --set quantize.sparse=auto tries the encoding that TensorFlow Lite has"
    return Problem("note", "prune", f"{stored}: {brings}{sizes}", hint)


def _of_code_book(sizes: str, built: Entry, profile: Profile) -> Problem:
    weights = built.weights
    few = f"the weights share few values (at most {weights.distinct_channel:,} in a channel)"
    message = (
        f"{few}, and the .tflite stores each weight in full ({built.bytes:,} B): on {profile.name} "
        f"that saves no {'flash' if profile.family == 'mcu' else 'memory'} and no time{sizes}"
    )
    book = f"with code books the weights would take {weights.code_book:,} B"
    book += f" in place of {weights.dense:,} B"
    hint = f"{book}, which {profile.runtime.title} does not read"
    if profile.runtime.name == "tflite-micro":
        hint = f"{book}: tflite-micro reads such files where the firmware is built for its "
        hint += "compression, and then unpacks the weights into RAM"
    return Problem("note", "cluster", message, hint)


def _download(before: Entry, after: Entry, profile: Profile) -> str:
    sizes = f"gzip {before.gzip:,} B ({before.step}) -> {after.gzip:,} B ({after.step})"
    if after.gzip >= _PAYS * before.gzip:
        return f"it does not pay when compressed, either: {sizes}"
    return f"it pays {_TRAVELS[profile.family]}: {sizes}"

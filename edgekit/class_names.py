"""Names of the classes, a line each, in the order of the model's scores."""

from __future__ import annotations

from pathlib import Path

from edgekit.errors import DataError
from edgekit.graph.graph import Tensor

OPTION = "--labels"


def read_names(path: Path) -> tuple[str, ...]:
    """The lines of a text file; empty lines at its end do not count.

    Raises:
        DataError: It cannot be read, or a line is empty.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").rstrip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: cannot be read: {error}", f"{OPTION} wants a UTF-8 text file, a name a line"
        ) from error
    names = tuple(line.strip() for line in lines)
    if not names or "" in names:
        line = names.index("") + 1 if names else 1
        raise DataError(f"{path}: line {line} is empty", "write a name for each class, in order")
    return names


def check_names(names: tuple[str, ...], outputs: tuple[Tensor, ...], where: str) -> None:
    """Refuse names that are not one for each score of an output; one score has two classes.

    Raises:
        DataError: The count fits no output.
    """
    scores = [tensor.shape[-1] if tensor.shape else 1 for tensor in outputs]
    if not names or len(names) in [max(count, 2) for count in scores]:
        return
    shapes = " and ".join(str(list(tensor.shape)) for tensor in outputs)
    wanted = " or ".join(str(max(count, 2)) for count in scores)
    raise DataError(
        f"{where} has {len(names)} names for a model with outputs of shape {shapes}",
        f"write {wanted} names, in the order of the scores",
    )

"""From what lies on disk to a report: subjects with their verdicts, then the sections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from edgekit.errors import ModelError
from edgekit.progress import Progress
from edgekit.reports._sections import (
    front,
    history,
    latency,
    layers,
    ledger,
    memory,
    power,
    problems,
    sensitivity,
    study,
)
from edgekit.reports._sources import Sources, read
from edgekit.reports._subjects import subjects
from edgekit.reports.base import Report, Section


def gather(paths: Sequence[Path], progress: Progress | None = None) -> Report:
    """Read what was given and make the report of it.

    Args:
        paths: Folders that edgekit build, bench, sensitivity or search wrote.
        progress: Told each step.

    Raises:
        UsageError: There is nothing of ours at a path.
        ModelError, DataError: It is damaged.
    """
    progress = progress or Progress()
    progress.step("reading what was found")
    sources = read(paths)
    title = _title(sources)
    with _damaged(title):
        found = subjects(sources)
    return Report(title, found, tuple(_sections(sources)))


def _sections(sources: Sources) -> list[Section]:
    made: list[Section] = [*front.sections(sources), *history.sections(sources)]
    for one in sources.studies:
        with _damaged(one.name):
            made += study.sections(one)
    for item in sources.items:
        for part in (problems, ledger, layers, memory, latency, power):
            with _damaged(item.name):
                made += part.sections(item)
    for analysis in sources.analyses:
        made += sensitivity.sections(analysis)
    names: dict[str, int] = {}
    return [_numbered(section, names) for section in made]


@contextmanager
def _damaged(name: str) -> Iterator[None]:
    """A file that lacks what this edgekit writes is a fault of the file, and told so."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        why = f"{type(error).__name__}: {error}"
        hint = "build or bench it again with this edgekit"
        raise ModelError(f"{name}: damaged, or of another edgekit ({why})", hint) from error


def _numbered(section: Section, seen: dict[str, int]) -> Section:
    """With a name of its own: `layers`, `layers-2`, ..."""
    seen[section.name] = count = seen.get(section.name, 0) + 1
    return section if count == 1 else replace(section, name=f"{section.name}-{count}")


def _title(sources: Sources) -> str:
    names = [each.name for each in sources.studies]
    names += [item.name for item in sources.items]
    names += [analysis.name for analysis in sources.analyses]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more

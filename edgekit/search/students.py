"""Networks of the zoo as part of a space: which one learns in the model's place, and how it is cut.

`distill.student` says which networks there are. What each declares for a search (its width, depth,
kernel, shortcuts) is a choice that matters only where it is the student: `zoo.NETWORK.OPTION`. In
`[search.space]` `zoo.width` stands for that option of all students that have it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from edgekit._discover import did_you_mean
from edgekit.errors import UsageError
from edgekit.passes.base import searched
from edgekit.zoo._spec import PREFIX, is_spec, parse
from edgekit.zoo.base import Base

if TYPE_CHECKING:
    from edgekit.model import Model

STUDENT = "distill.student"
TABLE = "zoo"
Option = tuple[str, tuple[Any, ...], int, tuple[str, ...]]
"""Name, values, place of the default among them or 0, and students for which it matters."""


def options(students: Sequence[Any], listed: dict[str, tuple[Any, ...]]) -> list[Option]:
    """The options of all networks among `students`; what is `listed` of them is taken out of it.

    Args:
        students: Values of `distill.student`.
        listed: Values by name, as `[search.space]` has them.

    Raises:
        UsageError: Values for a network that is no student, or an option that none has.
    """
    networks = {spec: parse(spec)[0] for spec in students if is_spec(str(spec))}
    own = {key: listed.pop(key) for key in list(listed) if key.partition(".")[0] == TABLE}
    _refuse_unknown(own, {each.name: each for each in networks.values()})
    found: dict[str, Option] = {}
    for network in networks.values():
        specs = tuple(spec for spec, other in networks.items() if other.name == network.name)
        for name, values, begin in _of_network(network, own):
            key = name.rpartition(".")[2]
            free = tuple(spec for spec in specs if key not in _settings(spec))
            if free:
                found[name] = name, values, begin, free
    return list(found.values())


def _of_network(
    network: Base, own: Mapping[str, tuple[Any, ...]]
) -> Iterator[tuple[str, tuple[Any, ...], int]]:
    declared = searched(network.Options)
    for key, item in network.Options.__dataclass_fields__.items():
        name = f"{TABLE}.{network.name}.{key}"
        values = own.get(name) or own.get(f"{TABLE}.{key}")
        if values:
            yield name, values, 0
        elif len(values := declared.get(key, ())) > 1:
            yield name, values, values.index(item.default)


def _refuse_unknown(own: Mapping[str, Any], networks: Mapping[str, Base]) -> None:
    for name in own:
        _, *network, key = name.split(".")
        if not networks or (network and network[0] not in networks):
            raise UsageError(
                f"[search.space] {name} is of a student, and none of that name is listed",
                f'name distill in [search] passes, and write {STUDENT} = ["off", "zoo:resnet8"]',
            )
        of = [networks[network[0]]] if network else list(networks.values())
        keys = [key for each in of for key in each.Options.__dataclass_fields__]
        if key not in keys:
            whose = " or ".join(each.name for each in of)
            raise UsageError(
                f"[search.space] {name}: {whose} has no option '{key}'", did_you_mean(key, keys)
            )


def chosen(choices: Mapping[str, Any]) -> str:
    """The student in one word, `zoo:NETWORK/OPTION=VALUE`; "" where none of the zoo is chosen."""
    spec = str(choices.get(STUDENT, ""))
    if not is_spec(spec):
        return ""
    begins = f"{TABLE}.{parse(spec)[0].name}."
    taken = {name.removeprefix(begins): v for name, v in choices.items() if name.startswith(begins)}
    return "/".join([spec, *(f"{key}={_text(value)}" for key, value in taken.items())])


def refuse_unfit(students: Sequence[Any], model: Model) -> None:
    """Raise UsageError for a network of the zoo that cannot stand for `model`."""
    from edgekit.graph.read import read
    from edgekit.zoo._student import shapes_of

    specs = [spec for spec in map(str, students) if is_spec(spec)]
    for spec in specs:
        shapes_of(spec, read(model.tflite))


def _settings(spec: str) -> set[str]:
    """Options that a student has already."""
    return {setting.partition("=")[0] for setting in spec.removeprefix(PREFIX).split("/")[1:]}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

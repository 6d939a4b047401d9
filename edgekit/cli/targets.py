"""`edgekit targets`: what can be built for, and every fact of a target with its source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli._common import common, emit, json_option
from edgekit.cli._table import table

if TYPE_CHECKING:
    from edgekit.target.profile import Profile


@click.command()
@click.argument("name", required=False)
@json_option
@common
def command(name: str | None, as_json: bool) -> None:
    """List the targets, or show every fact of one, with its source.

    NAME is a target's name or the path of a TOML file; $EDGEKIT_TARGETS names folders of your own.
    """
    from edgekit.target.profile import load_profile, profile_names

    if name is None:
        profiles = [load_profile(item) for item in profile_names()]
        _list(profiles, as_json)
    elif as_json:
        emit(load_profile(name).to_json())
    else:
        _show(load_profile(name))


def _list(profiles: list[Profile], as_json: bool) -> None:
    rows = [_summary(profile) for profile in profiles]
    if as_json:
        emit(rows)
        return
    table("", ("target", "core", "flash", "RAM", "title"), map(_cells, profiles))
    click.echo("\nedgekit targets NAME shows every fact of one, with its source")


def _cells(profile: Profile) -> list[str]:
    return [
        profile.name,
        profile.processor.core,
        _size(profile.flash_bytes),
        _size(profile.ram_bytes),
        profile.title,
    ]


def _summary(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "title": profile.title,
        "core": profile.processor.core,
        "flash_bytes": profile.flash_bytes,
        "ram_bytes": profile.ram_bytes,
        "runtime": f"{profile.runtime.name} {profile.runtime.version}",
        "quantizer": profile.quantizers[0],
    }


def _show(profile: Profile) -> None:
    table(f"{profile.name}: {profile.title}", ["", ""], list(_facts(profile)))
    sources = {**profile.runtime.sources, **profile.sources}
    click.echo()
    table("Sources", ["", ""], [[key, text] for key, text in sources.items()])


def _facts(profile: Profile) -> Iterator[list[str]]:
    processor, runtime = profile.processor, profile.runtime
    if profile.aliases:
        yield ["also called", ", ".join(profile.aliases)]
    yield ["family", profile.family]
    yield ["core", f"{processor.cores} x {processor.core}" if processor.cores else processor.core]
    yield ["clock", f"{processor.clock_mhz} MHz" if processor.clock_mhz else "-"]
    yield ["FPU", processor.fpu]
    yield ["vector", "DSP" if processor.dsp and processor.vector == "none" else processor.vector]
    yield ["flash", _size(profile.flash_bytes)]
    yield ["RAM", _size(profile.ram_bytes)]
    yield ["energy", f"{profile.pj_per_cycle} pJ a cycle" if profile.pj_per_cycle else "-"]
    yield ["runtime", f"{runtime.title} ({runtime.package})"]
    yield ["evaluated with", profile.evaluate_with]
    yield ["quantizers", ", ".join(profile.quantizers)]
    ends = f"{profile.input_dtype}, {profile.output_dtype}"
    yield ["input, output", f"{ends} (possible: {', '.join(profile.io_types)})"]
    yield ["exporters", ", ".join(profile.exporters)]
    yield ["device", profile.device or "-"]
    yield ["operators", ", ".join(_op(profile, op) for op in runtime.ops)]
    if "c_project" in profile.exporters:
        yield ["operators in C", ", ".join(_compiled())]
    yield ["custom operators", ", ".join(runtime.custom) or "-"]


def _compiled() -> list[str]:
    """The operators that the compiler knows, which a C project may have."""
    from edgekit.compiler.lower import VIEWS, operators

    return sorted({*operators(), *VIEWS})


def _op(profile: Profile, op: str) -> str:
    """The operator with the highest version that the runtime has, where there is a choice."""
    highest = profile.runtime.versions.get(op, (1, 1))[1]
    return op if highest == 1 else f"{op}<={highest}"


def _size(count: int | None) -> str:
    if count is None:
        return "-"
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if count % unit == 0 or count >= 10 * unit:
            return (
                f"{count / unit:,.10g} {name}"
                if count % unit == 0
                else f"{count / unit:,.0f} {name}"
            )
    return f"{count} B"

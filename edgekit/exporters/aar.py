"""An Android library (AAR) of the model with Java around it, its source, and a Gradle script.

The source tree is always written, and is all that the Gradle script needs. The archive is compiled
with `javac`; without one there is none, and the build says so. LiteRT itself is not bundled: the
`.pom` declares it.
Source: https://developer.android.com/studio/projects/android-library#aar-contents
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from edgekit.android.archive import archive
from edgekit.android.compile import JAVAC, classes_jar, compiler
from edgekit.android.names import GROUP, Names, names_of
from edgekit.android.sources import TYPES, java_sources
from edgekit.exporters._files import write
from edgekit.exporters.base import ExportInput
from edgekit.problem import Problem
from edgekit.target.io_check import library_problems
from edgekit.tools import TOOLS, install_hint

FOLDER = "android"
SCRIPT = "edgekit.gradle"
LITERT = "2.3.0"
"""Of com.google.ai.edge.litert:litert, whose Interpreter runs the model."""
MIN_SDK = 24
"""What its archive declares (2.3.0)."""


class Exporter:
    """Writes `android/` (Java and assets), `<name>.aar`, `<name>.pom` and `edgekit.gradle`."""

    kind = "aar"
    golden = True
    metadata = True
    tools = (JAVAC,)

    def problems(self, build_input: ExportInput) -> list[Problem]:
        """What stands against a library, or keeps it from being compiled."""
        graph, taker = build_input.graph, "LiteRT's Java interface"
        if refused := library_problems(graph, self.kind, "Android library", TYPES, taker):
            return refused
        return [] if compiler() else [_no_compiler()]

    def export(self, build_input: ExportInput, folder: Path) -> list[Path]:
        """Write the source, and the archive where there is a compiler."""
        names = names_of(build_input.name)
        golden = build_input.golden
        sources = java_sources(build_input.interface, names, golden)
        assets = {names.asset: build_input.tflite}
        if golden is not None:
            assets[names.golden] = golden.to_bytes()
        place = names.package.replace(".", "/")
        written = {
            SCRIPT: _library(SCRIPT, names, build_input).encode(),
            f"{names.word}.pom": _library("library.pom", names, build_input).encode(),
            **{f"{FOLDER}/java/{place}/{name}": text.encode() for name, text in sources.items()},
            **{f"{FOLDER}/assets/{name}": content for name, content in assets.items()},
        }
        if compiler():
            jar = classes_jar(sources, names.package)
            written[f"{names.word}.aar"] = _aar(names, build_input, jar, assets)
        return write(folder, written)


def _no_compiler() -> Problem:
    tool = next(tool for tool in TOOLS if tool.name == JAVAC)
    return Problem(
        "warning",
        Exporter.kind,
        "no Android library was compiled: there is no Java compiler (javac)",
        f"{install_hint(tool)}, then build again; or use the source in {FOLDER}/ with {SCRIPT}",
    )


def _aar(names: Names, given: ExportInput, jar: bytes, assets: Mapping[str, bytes]) -> bytes:
    texts = {
        "AndroidManifest.xml": _library("AndroidManifest.xml", names, given),
        "R.txt": "",
        "proguard.txt": _library("proguard.txt", names, given),
        "META-INF/com/android/build/gradle/aar-metadata.properties": _library(
            "aar-metadata.properties", names, given
        ),
    }
    entries = {
        "classes.jar": jar,
        **{name: text.encode() for name, text in texts.items()},
        **{f"assets/{name}": content for name, content in assets.items()},
    }
    return archive(entries, aligned=".tflite")


def _library(template: str, names: Names, given: ExportInput) -> str:
    """A file of the library with what it asks for filled in."""
    text = (files("edgekit.android") / "library" / template).read_text(encoding="utf-8")
    values = {
        "package": names.package,
        "word": names.word,
        "group": GROUP,
        "version": given.interface.sha256[:12],
        "min_sdk": str(MIN_SDK),
        "litert": LITERT,
    }
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text

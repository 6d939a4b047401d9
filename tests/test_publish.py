from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgekit import publish
from edgekit.errors import OutputError


def write_build(folder: Path, content: str, extra: tuple[str, ...] = ()) -> None:
    with publish.staged(folder) as stage:
        names = ("model.tflite", *extra)
        for name in names:
            (stage / name).parent.mkdir(exist_ok=True)
            (stage / name).write_text(content)
        manifest = {"artifacts": [{"path": name} for name in names], "content": content}
        (stage / publish.MANIFEST).write_text(json.dumps(manifest))


@pytest.fixture(params=["exchange", "rename one by one"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With and without the system call that exchanges two folders."""
    if request.param != "exchange":

        def refuse(one: Path, other: Path) -> None:
            raise OSError("no exchange on this file system")

        monkeypatch.setattr(publish, "_exchange", refuse)
    return str(request.param)


def test_new_folder(tmp_path: Path, system: str) -> None:
    write_build(tmp_path / "a" / "b", "one")
    assert (tmp_path / "a" / "b" / "model.tflite").read_text() == "one"
    assert os.listdir(tmp_path / "a") == ["b"]


def test_second_build_replaces_and_keeps_foreign_files(tmp_path: Path, system: str) -> None:
    folder = tmp_path / "b"
    write_build(folder, "one")
    (folder / "notes.txt").write_text("mine")
    (folder / "bench").mkdir()
    (folder / "bench" / "run.json").write_text("mine")
    write_build(folder, "two")
    assert (folder / "model.tflite").read_text() == "two"
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "bench" / "run.json").read_text() == "mine"
    assert os.listdir(tmp_path) == ["b"]


def test_files_of_others_in_a_folder_of_ours_are_kept(tmp_path: Path, system: str) -> None:
    folder = tmp_path / "b"
    write_build(folder, "one", extra=("c/old.c", "c/main.c", "d/only.c"))
    (folder / "c" / "build" / "x").mkdir(parents=True)
    (folder / "c" / "build" / "x" / "lib.a").write_text("mine")
    (folder / "c" / "notes.txt").write_text("mine")
    write_build(folder, "two", extra=("c/new.c", "c/main.c"))
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    assert names == [
        *("c/build/x/lib.a", "c/main.c", "c/new.c", "c/notes.txt"),
        *("manifest.json", "model.tflite"),
    ]
    assert (folder / "c" / "notes.txt").read_text() == "mine"
    assert (folder / "c" / "main.c").read_text() == "two"
    assert not (folder / "d").exists()
    write_build(folder, "three")
    assert (folder / "c" / "build" / "x" / "lib.a").read_text() == "mine"
    assert not (folder / "c" / "main.c").exists()
    with pytest.raises(OutputError, match=r"c/notes\.txt is not edgekit's"):
        write_build(folder, "four", extra=("c/notes.txt",))


def test_a_manifest_that_names_files_elsewhere_deletes_none(tmp_path: Path, system: str) -> None:
    write_build(tmp_path / "b", "one")
    (tmp_path / "precious").write_text("mine")
    paths = [{"path": name} for name in ("../precious", str(tmp_path / "precious"), "..")]
    (tmp_path / "b" / publish.MANIFEST).write_text(json.dumps({"artifacts": paths}))
    (tmp_path / "b" / "model.tflite").unlink()
    write_build(tmp_path / "b", "two")
    assert (tmp_path / "precious").read_text() == "mine"


def test_artifacts_that_are_no_longer_made_are_dropped(tmp_path: Path, system: str) -> None:
    write_build(tmp_path / "b", "one", extra=("old.c",))
    write_build(tmp_path / "b", "two")
    assert sorted(os.listdir(tmp_path / "b")) == ["manifest.json", "model.tflite"]


def test_foreign_file_of_the_same_name_is_not_overwritten(tmp_path: Path, system: str) -> None:
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "model.tflite").write_text("the user's")
    with pytest.raises(OutputError, match=r"model\.tflite is not edgekit's"):
        write_build(folder, "one")
    assert (folder / "model.tflite").read_text() == "the user's"
    assert os.listdir(tmp_path) == ["b"]


def test_manifest_of_another_kind_is_not_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"name": "a web app"}')
    with pytest.raises(OutputError, match=r"manifest\.json is not edgekit's"):
        write_build(folder, "one")
    assert os.listdir(folder) == ["manifest.json"]


def test_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write_build(tmp_path / "link", "one")
    write_build(tmp_path / "link", "two")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "model.tflite").read_text() == "two"
    assert sorted(os.listdir(tmp_path)) == ["link", "real"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_mounted_folder(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "edgekit-test", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this system does not let us mount")
    try:
        (folder / "notes.txt").write_text("mine")
        write_build(folder, "one")
        write_build(folder, "two")
        assert (folder / "model.tflite").read_text() == "two"
        assert sorted(os.listdir(folder)) == ["manifest.json", "model.tflite", "notes.txt"]
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_only_its_own_abandoned_stages_are_swept(tmp_path: Path) -> None:
    (tmp_path / ".b.abandone.new").mkdir()
    (tmp_path / ".b.c.abandone.new").mkdir()
    (tmp_path / ".b.notes.new").mkdir()
    with publish.staged(tmp_path / "b") as held:
        write_build(tmp_path / "b", "by a build that does not see our lock")
        assert held.is_dir()
        assert not (tmp_path / ".b.abandone.new").exists()
    assert sorted(os.listdir(tmp_path)) == [".b.c.abandone.new", ".b.notes.new", "b"]


@pytest.mark.parametrize("place", ["file", "file/b", "file/b/c"])
def test_check_refuses_at_once(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="file: exists and is not a folder"):
        publish.check(tmp_path / place)
    publish.check(tmp_path / "new" / "b")
    assert os.listdir(tmp_path) == ["file"], "nothing is made"


def test_failure_leaves_the_last_build(tmp_path: Path) -> None:
    write_build(tmp_path / "b", "one")

    def fail() -> None:
        with publish.staged(tmp_path / "b") as stage:
            (stage / "model.tflite").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (tmp_path / "b" / "model.tflite").read_text() == "one"
    assert os.listdir(tmp_path) == ["b"]


def test_output_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("x")
    with pytest.raises(OutputError, match="not a folder"):
        write_build(tmp_path / "b", "one")


def test_current_folder_is_not_pulled_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inode = tmp_path.stat().st_ino
    (tmp_path / "notes.txt").write_text("mine")
    write_build(tmp_path, "one")
    write_build(tmp_path, "two")
    assert tmp_path.stat().st_ino == inode
    assert (tmp_path / "model.tflite").read_text() == "two"
    assert (tmp_path / "notes.txt").read_text() == "mine"


KILLED = """
import json, sys
from pathlib import Path
from edgekit import publish
folder = Path(sys.argv[1])
for number in range(100_000):
    with publish.staged(folder) as stage:
        for name in "abcdefgh":
            (stage / name).write_text(str(number))
        paths = [{"path": name} for name in "abcdefgh"]
        (stage / publish.MANIFEST).write_text(json.dumps({"artifacts": paths, "n": number}))
    print(number, flush=True)
"""


def test_killed_at_any_moment_leaves_a_whole_build(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    for attempt in range(15):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            time.sleep(0.003 * attempt)
            child.kill()
        number = json.loads((folder / publish.MANIFEST).read_text())["n"]
        assert {(folder / name).read_text() for name in "abcdefgh"} == {str(number)}
    write_build(folder, "after")
    assert os.listdir(tmp_path) == ["b"], "what killed builds left is swept"


def _hold(folder: Path, seconds: float, log: Path) -> None:
    waited = []
    with publish.lock(folder, lambda: waited.append(True)), open(log, "a") as handle:
        print("in", file=handle, flush=True)
        time.sleep(seconds)
        print("out", file=handle, flush=True)


def test_two_builds_into_one_folder_take_turns(tmp_path: Path) -> None:
    log = tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_hold, args=(tmp_path / "b", 0.3, log)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert log.read_text().split() == ["in", "out"] * 3


def test_nothing_is_put_beside_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert publish.beside(Path()) == tmp_path.resolve()
    assert publish.beside(tmp_path / "new") == tmp_path.resolve()

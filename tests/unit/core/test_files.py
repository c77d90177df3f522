"""Files are there whole or not at all; a disk that is full, read-only or in the way is one line
with its path.
"""

import errno
import os
import resource
from pathlib import Path

import pytest

from tests.support.tflite.small import small_tflite
from tinyrobust.core.errors import UsageError
from tinyrobust.core.files import CACHE_REMEDY, made_folder, replacing, write_whole
from tinyrobust.host.runs.asking.questions import journaled
from tinyrobust.models.plan.bundle import build
from tinyrobust.models.plan.c_sources import emit_all


def full(most):
    """As a full disk: a write beyond ``most`` bytes of a file fails."""
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))


@pytest.fixture
def limit():
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield full
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_is_replaced_whole_and_its_folder_made(tmp_path):
    path = tmp_path / "a" / "b"
    assert write_whole(path, b"old") == path
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_file_and_folder_are_synced_before_it_counts_as_written(tmp_path, monkeypatch):
    order = []
    real, renamed = os.fsync, Path.replace
    monkeypatch.setattr(
        os, "fsync", lambda fd: (order.append(Path(f"/proc/self/fd/{fd}").readlink()), real(fd))
    )
    monkeypatch.setattr(
        Path, "replace", lambda self, to: (order.append("renamed"), renamed(self, to))
    )
    write_whole(tmp_path / "file", b"x")
    assert [Path(step).name for step in order] == [
        f".file.{os.getpid()}.tmp",
        "renamed",
        tmp_path.name,
    ]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EDQUOT])
def test_a_disk_that_refuses_is_one_line_and_leaves_the_old_file(tmp_path, number):
    path = write_whole(tmp_path / "file", b"old")

    def fill():
        with replacing(path, "do this") as file:
            file.write(b"new")
            raise OSError(number, os.strerror(number))

    with pytest.raises(UsageError) as error:
        fill()
    assert str(error.value) == f"{path}: {os.strerror(number)}: do this"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"old"


def test_what_else_goes_wrong_leaves_the_old_file_too(tmp_path):
    path = write_whole(tmp_path / "file", b"old")

    def fail():
        with replacing(path) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"old"


def test_a_folder_in_the_place_of_the_file_is_one_line(tmp_path):
    with pytest.raises(UsageError, match=f"{tmp_path}: Is a directory"):
        write_whole(tmp_path, b"x")


CACHES = {
    "bundle": lambda folder: build(small_tflite(), folder),
    "journal": lambda folder: journaled(None, "m", folder, print),
    "folder": lambda folder: made_folder(folder / "x", CACHE_REMEDY),
}


@pytest.mark.parametrize("make", CACHES.values(), ids=CACHES)
def test_a_cache_that_is_no_folder_is_one_line_with_the_path(tmp_path, make):
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(
        UsageError, match=rf"{tmp_path}/cache.*(Not a directory|File exists): .*TINYROBUST_CACHE$"
    ):
        make(tmp_path / "cache")


def test_a_full_cache_is_one_line_and_leaves_no_half_of_a_bundle(tmp_path, limit):
    limit(100)
    with pytest.raises(UsageError, match=r"model\.tflite: File too large: .*TINYROBUST_CACHE$"):
        build(small_tflite(), tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_full_disk_is_one_line_where_c_sources_are_written(tmp_path, limit):
    bundle = build(small_tflite(), tmp_path / "cache")
    limit(len(bundle.tflite) + 10)
    with pytest.raises(UsageError, match=r"export/model_data\.cc: File too large"):
        emit_all(bundle, tmp_path / "export")


def test_a_cache_where_nobody_may_write_is_one_line():
    with pytest.raises(UsageError, match=r"^/proc/tinyrobust/bundles/.*: .*TINYROBUST_CACHE$"):
        build(small_tflite(), Path("/proc/tinyrobust"))

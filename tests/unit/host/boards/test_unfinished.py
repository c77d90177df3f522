"""Half a file is never taken for a whole one."""

import struct

import pytest

from tinyrobust.host.boards.unfinished import drop_broken, started_over


def elf(sections=2, section_bytes=40):
    """An ELF object as the linker sees it: header, content, section headers last."""
    content = b"code" * 5
    header = b"\x7fELF\x01\x01\x01" + bytes(9)
    header += struct.pack("<HHIIII", 1, 40, 1, 0, 0, 52 + len(content))
    header += struct.pack("<IHHHHHH", 0, 52, 0, 0, section_bytes, sections, 1)
    return header + content + bytes(sections * section_bytes)


def archive(*members):
    packed = b"!<arch>\n"
    for member in members:
        packed += b"a.o/".ljust(16) + b"0".ljust(32) + str(len(member)).encode().ljust(10) + b"`\n"
        packed += member + b"\n" * (len(member) % 2)
    return packed


@pytest.fixture
def cache(tmp_path):
    for name in ("6B", "A0"):
        (tmp_path / name).mkdir()
    (tmp_path / ".sconsign311.dblite").write_bytes(b"")
    (tmp_path / "config").write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    "whole",
    [elf(), archive(elf(), b"odd"), archive()],
    ids=["object", "archive", "no members"],
)
def test_every_part_of_a_file_is_dropped_and_the_file_is_kept(cache, whole):
    magic_alone = len(b"!<arch>\n") if whole.startswith(b"!") else None
    # An archive of fewer members is one as well.
    between = {magic_alone, len(archive(elf()))} if magic_alone else set()
    for size in range(len(whole)):
        (cache / "6B" / "part").write_bytes(whole[:size])
        assert drop_broken(cache) == (size not in between), size
    (cache / "A0" / "whole").write_bytes(whole)
    (cache / "6B" / "part").unlink(missing_ok=True)
    assert drop_broken(cache) == 0
    assert sorted(path.name for path in cache.rglob("*") if path.is_file()) == [
        ".sconsign311.dblite",
        "config",
        "whole",
    ]


def test_zeros_are_no_object(cache):
    """What a file system gives back of a file that was not yet on the disk at a power cut."""
    (cache / "6B" / "zeros").write_bytes(bytes(4096))
    assert drop_broken(cache) == 1
    assert drop_broken(cache / "there-is-none") == 0


def test_a_build_that_was_cut_short_starts_over(tmp_path):
    folder, marks = tmp_path / "build" / "board", tmp_path / "unfinished"
    folder.mkdir(parents=True)
    done = folder / "done.o"
    done.touch()
    with started_over(folder, marks):
        assert done.exists()
    cut_short = started_over(folder, marks)
    cut_short.__enter__()
    (folder / "half.o").touch()
    cut_short.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert (folder / "half.o").exists()
    with started_over(folder.with_name("another"), marks):
        assert done.exists()
    with started_over(folder, marks):
        assert not folder.exists()
        folder.mkdir()
        done.touch()
    with started_over(folder, marks):
        assert done.exists()

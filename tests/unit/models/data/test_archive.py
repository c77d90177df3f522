"""Archives are read whole or refused; what is in them never reaches the disk."""

import gzip
import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.served import tar_gz
from tinyrobust.core.errors import UsageError
from tinyrobust.models.data.download import files

FILES = {"a/one.bin": bytes(range(256)) * 40, "two.txt": b"two", "empty": b""}
ARCHIVE = tar_gz(FILES)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("archive") / "a.tar.gz"


def test_files_come_in_order_without_the_leading_dot(path):
    path.write_bytes(ARCHIVE)
    assert list(files(path, 10_240)) == list(FILES.items())


def test_a_file_that_is_too_long_is_refused_unread(path):
    path.write_bytes(ARCHIVE)
    with pytest.raises(
        UsageError, match=r"a\.tar\.gz: \./a/one\.bin has 10240 bytes, at most 10239"
    ):
        list(files(path, 10_239))


@given(st.integers(0, len(ARCHIVE) - 1))
def test_an_archive_cut_off_anywhere_is_refused(path, length):
    path.write_bytes(ARCHIVE[:length])
    with pytest.raises(UsageError, match=r"a\.tar\.gz: damaged"):
        list(files(path, 10_240))


@settings(max_examples=200)
@given(st.integers(0, len(ARCHIVE) - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed_or_harmless(path, at, flip):
    damaged = bytearray(ARCHIVE)
    damaged[at] ^= flip
    path.write_bytes(damaged)
    try:
        assert dict(files(path, 10_240)) == FILES
    except UsageError as err:
        assert "\n" not in str(err)  # noqa: PT017  (either outcome is right)


def test_links_and_names_that_point_outside_do_nothing(path):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        outside = tarfile.TarInfo("../outside")
        outside.size = 1
        archive.addfile(outside, io.BytesIO(b"x"))
    path.write_bytes(out.getvalue())
    before = sorted(path.parent.parent.iterdir())
    assert list(files(path, 10)) == [("../outside", b"x")]
    assert sorted(path.parent.parent.iterdir()) == before


def test_what_is_no_archive_is_refused(path):
    for raw in (b"", b"no gzip", gzip.compress(b"no tar" * 200)):
        path.write_bytes(raw)
        with pytest.raises(UsageError, match="damaged"):
            list(files(path, 10))

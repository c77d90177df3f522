"""A damaged or hostile ``.npz`` is read or refused in one line, never anything else."""

import io
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.user.data import load_npz

SPEC = TensorSpec((4, 4, 1), 0.5, 3)
X = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)
HEADER = b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 4, 4), }"


def zipped(method):
    out, array = io.BytesIO(), io.BytesIO()
    np.save(array, X)
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("x.npy", array.getvalue())
    return out.getvalue()


METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
FILES = {method: zipped(method) for method in METHODS}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("npz") / "d.npz"


def read_or_refused(path):
    try:
        assert load_npz(path, SPEC, 2).q.shape[1:] == SPEC.shape
    except UsageError as err:
        assert str(err).startswith(str(path))  # noqa: PT017  (either outcome is right)
        assert "\n" not in str(err)  # noqa: PT017


@pytest.mark.parametrize("method", METHODS)
def test_every_compression_of_zip_is_read(path, method):
    path.write_bytes(FILES[method])
    np.testing.assert_array_equal(load_npz(path, SPEC, 2).q[..., 0].astype(int) + 128, X)


@given(
    st.sampled_from(METHODS),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4),
    st.data(),
)
def test_changed_bytes(path, method, changes, data):
    raw = bytearray(FILES[method])
    for at, value in changes:
        raw[at % len(raw)] = value
    path.write_bytes(
        raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw
    )
    read_or_refused(path)


@given(
    st.integers(1, 3),
    st.lists(
        st.tuples(
            st.integers(0, len(HEADER) - 1),
            st.sampled_from(b"'\"(){}[],:0179 -abLdefu|<>\n\t\\\x00\xff"),
        ),
        max_size=4,
    ),
)
def test_changed_headers_under_a_right_checksum(path, version, changes):
    header = bytearray(HEADER)
    for at, value in changes:
        header[at] = value
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "x.npy", b"\x93NUMPY" + bytes([version, 0]) + length + header + X.tobytes()
        )
    read_or_refused(path)


def test_an_encrypted_file_is_refused(path):
    raw = bytearray(FILES[zipfile.ZIP_STORED])
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(UsageError, match="encrypted"):
        load_npz(path, SPEC, 2)

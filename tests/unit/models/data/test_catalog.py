"""Splits that share nothing, and downloads that are whole or not there."""

import gzip
import hashlib
import resource
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from tinyrobust.core.errors import UsageError
from tinyrobust.models.data.cifar10 import cifar10, official_test
from tinyrobust.models.data.digits import digits
from tinyrobust.models.data.download import Source, bench_data, fetched, found
from tinyrobust.models.data.mnist import FASHION
from tinyrobust.models.data.mnist import official_test as mnist_test
from tinyrobust.models.data.splits import stratified, to_input_grid
from tinyrobust.models.training.trainer import shift_and_flip

BODY = np.random.default_rng(0).bytes(3_000_000)


@pytest.fixture
def source(server):
    return server.publish("set", "set.bin", BODY)


def kept(tmp_path):
    return [
        path.name for path in (tmp_path / "cache/downloads").iterdir() if path.suffix != ".lock"
    ]


def test_download_is_kept(server, source):
    said = []
    assert fetched(source, said.append).read_bytes() == BODY
    assert said[-1].startswith("set.bin: 100 %")
    fetched(source, said.append)
    assert server.asked == [0]


def test_who_comes_second_waits_for_the_first(server, source):
    said = []
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda _: fetched(source, said.append), range(4)))
    assert [path.read_bytes() == BODY for path in paths] == [True] * 4
    assert server.asked == [0]


def test_progress_leaves_stdout_to_the_result(source, capsys):
    fetched(source)
    said = capsys.readouterr()
    assert said.out == ""
    assert "set.bin: 100 %" in said.err


def test_download_continues_where_it_stopped(server, source, tmp_path):
    server.stop = 1_200_000
    with pytest.raises(UsageError, match="stopped after 1200000 of 3000000 bytes"):
        fetched(source)
    assert kept(tmp_path) == [f"{source.name}.partial"]
    server.stop = None
    assert fetched(source).read_bytes() == BODY
    assert server.asked == [0, 1_200_000]


def test_wrong_checksum_leaves_nothing(source, tmp_path):
    with pytest.raises(UsageError, match="SHA-256 is not 0000"):
        fetched(replace(source, sha256="0" * 64))
    assert kept(tmp_path) == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/set.bin", "http://no.such.host.invalid/set.bin"]
)
def test_no_network_is_one_line_that_says_where_a_copy_may_be_put(url, tmp_path, monkeypatch):
    monkeypatch.setenv("TINYROBUST_CACHE", str(tmp_path))
    monkeypatch.delenv("BENCH_DATA", raising=False)
    missing = Source("set", url, "0" * 64, 10)
    with pytest.raises(
        UsageError, match=r"check the network .* put a copy of set\.bin into \$BENCH_DATA/set$"
    ) as error:
        found(missing)
    assert str(error.value).startswith(url)
    assert "\n" not in str(error.value)
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    with pytest.raises(UsageError, match=f"into {tmp_path}/set$"):
        found(missing)


def test_a_file_that_is_gone_is_one_line(server, source):
    server.files.clear()
    with pytest.raises(UsageError, match=r"set\.bin: Not Found; check"):
        fetched(source)


def test_full_disk_is_one_line_and_what_fits_is_kept(server, source, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (1_500_000, before[1])
    )  # as a full disk: the write itself fails
    try:
        with pytest.raises(
            UsageError, match=r"partial: File too large; free the disk or move TINYROBUST_CACHE$"
        ):
            fetched(source)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert kept(tmp_path) == [f"{source.name}.partial"]
    assert fetched(source).read_bytes() == BODY
    assert len(server.asked) == 2


def test_a_copy_of_ones_own_goes_before_the_network_and_has_to_be_the_published_file(
    server, source, tmp_path, monkeypatch
):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    own = tmp_path / "set/set.bin"
    own.parent.mkdir()
    own.write_bytes(BODY)
    assert found(source) == own
    for wrong in (BODY[:-1], b"x" + BODY[1:]):
        own.write_bytes(wrong)
        with pytest.raises(UsageError, match="not the 3000000 bytes of http"):
            found(source)
    assert server.asked == []


def _rows(data):
    return {q.tobytes() for q in data.q}


def test_bench_data_must_exist(monkeypatch):
    monkeypatch.setenv("BENCH_DATA", "/no/such/folder")
    with pytest.raises(UsageError, match="BENCH_DATA=/no/such/folder"):
        bench_data()


def test_digits_parts_share_no_sample():
    parts = digits()
    sizes = [len(p.q) for p in (parts.train, parts.validation, parts.calibration, parts.test)]
    assert sizes == [997, 150, 150, 500]
    rows = [_rows(p) for p in (parts.train, parts.validation, parts.calibration, parts.test)]
    assert len(set.union(*rows)) == sum(len(r) for r in rows)


@pytest.mark.slow
def test_cifar10_parts_share_no_row():
    if bench_data() is None:
        pytest.skip("BENCH_DATA is unset: CIFAR-10 is not here")
    parts = cifar10()
    assert [len(p.q) for p in (parts.train, parts.validation, parts.calibration, parts.test)] == [
        47_500,
        2_000,
        500,
        10_000,
    ]
    assert (np.bincount(parts.test.labels) == 1_000).all()
    assert (np.bincount(parts.calibration.labels) == 50).all()
    assert official_test().sha256 == parts.test.sha256
    test = _rows(parts.test)
    assert not test & _rows(parts.calibration)
    assert not test & _rows(parts.validation)
    assert not test & _rows(parts.train)


def test_fashion_mnist_is_read_and_is_the_published_file(tmp_path):
    root = bench_data()
    if root is None:
        pytest.skip("BENCH_DATA is unset: Fashion-MNIST is not here")
    data = mnist_test(FASHION)
    assert data.q.shape == (10_000, 28, 28, 1)
    assert (np.bincount(data.labels) == 1_000).all()
    labels = FASHION.test_labels  # the images there may be packed anew
    raw = (root / FASHION.name / labels.file).read_bytes()
    assert (hashlib.sha256(raw).hexdigest(), len(raw)) == (labels.sha256, labels.size)


def test_a_damaged_idx_file_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    (tmp_path / FASHION.name).mkdir()
    path = tmp_path / FASHION.name / FASHION.test_images.file
    for raw, reason in ((b"no gzip", "damaged"), (gzip.compress(bytes(100)), "not an IDX file")):
        path.write_bytes(raw)
        with pytest.raises(UsageError, match=reason):
            mnist_test(FASHION)


def test_stratified_is_a_partition():
    labels = np.repeat(np.arange(5), 40)
    parts = stratified(labels, (50, 30), seed=3)
    assert sorted(np.concatenate(parts)) == list(range(200))
    assert (np.bincount(labels[parts[0]]) == 10).all()


def test_input_grid_is_pixel_minus_128():
    pixels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_input_grid(pixels), np.arange(-128, 128))


def test_augmentation_only_moves_and_mirrors():
    q = np.zeros((400, 32, 32, 1), np.int8)
    q[:, 16, 10] = 7
    out = shift_and_flip(q, np.random.default_rng(0))
    assert (out.sum(axis=(1, 2, 3)) == 7).all()
    _, y, x, _ = np.nonzero(out)
    assert set(y) == set(range(12, 21))
    assert set(x) == set(range(6, 15)) | set(range(17, 26))
    assert out.flags.c_contiguous
    assert (q[:, 16, 10] == 7).all()

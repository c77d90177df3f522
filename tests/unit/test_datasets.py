"""Splits that share nothing, and downloads that are whole or not there."""

import gzip
import hashlib
import http.server
import threading

import numpy as np
import pytest

from host.types import UsageError
from models import download
from models.augment import shift_and_flip
from models.data import digits, stratified
from models.data_cifar10 import cifar10, to_lattice
from models.data_mnist import FASHION, official_test
from models.download import Source, bench_data, fetched

BODY = np.random.default_rng(0).bytes(3_000_000)


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        at = int(self.headers.get("Range", "bytes=0-")[6:-1])
        self.server.asked.append(at)
        self.send_response(206 if at else 200)
        self.end_headers()
        self.wfile.write(BODY[at : self.server.stop])

    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYROBUST_CACHE", str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as httpd:
        httpd.asked, httpd.stop = [], None
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield httpd
        httpd.shutdown()


def _source(httpd, digest=None):
    digest = digest or hashlib.sha256(BODY).hexdigest()
    return Source(f"http://127.0.0.1:{httpd.server_port}/set.bin", "sha256", digest, len(BODY))


def test_download_is_kept(server):
    said = []
    assert fetched(_source(server), said.append).read_bytes() == BODY
    assert said[-1].startswith("set.bin: 100 %")
    fetched(_source(server), said.append)
    assert server.asked == [0]


def test_download_continues_where_it_stopped(server, tmp_path):
    server.stop = 1_200_000
    with pytest.raises(UsageError, match="stopped after 1200000 of 3000000 bytes"):
        fetched(_source(server), lambda _: None)
    assert [p.suffix for p in (tmp_path / "downloads").iterdir()] == [".partial"]
    server.stop = None
    assert fetched(_source(server), lambda _: None).read_bytes() == BODY
    assert server.asked == [0, 1_200_000]


def test_wrong_checksum_leaves_nothing(server, tmp_path):
    with pytest.raises(UsageError, match="sha256 is not 0000"):
        fetched(_source(server, "0" * 64), lambda _: None)
    assert list((tmp_path / "downloads").iterdir()) == []


def test_no_network_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("TINYROBUST_CACHE", str(tmp_path))
    with pytest.raises(UsageError, match="check the network") as error:
        fetched(Source("http://127.0.0.1:9/set.bin", "sha256", "0", 10), lambda _: None)
    assert "\n" not in str(error.value)


def test_full_disk_is_one_line(server, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(download, "_download", full)
    with pytest.raises(UsageError, match="No space left on device; free the disk"):
        fetched(_source(server), lambda _: None)


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
    test = _rows(parts.test)
    assert not test & _rows(parts.calibration)
    assert not test & _rows(parts.validation)
    assert not test & _rows(parts.train)


def test_fashion_mnist_is_read_and_is_the_published_file(tmp_path):
    root = bench_data()
    if root is None:
        pytest.skip("BENCH_DATA is unset: Fashion-MNIST is not here")
    data = official_test(FASHION)
    assert data.q.shape == (10_000, 28, 28, 1)
    assert (np.bincount(data.labels) == 1_000).all()
    labels = FASHION.test_labels  # the images there may be packed anew
    raw = (root / FASHION.name / labels.file).read_bytes()
    assert (hashlib.md5(raw).hexdigest(), len(raw)) == (labels.digest, labels.size)


def test_a_damaged_idx_file_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    (tmp_path / FASHION.name).mkdir()
    path = tmp_path / FASHION.name / FASHION.test_images.file
    for raw, reason in ((b"no gzip", "damaged"), (gzip.compress(bytes(100)), "not the 7840000 values")):
        path.write_bytes(raw)
        with pytest.raises(UsageError, match=reason):
            official_test(FASHION)


def test_stratified_is_a_partition():
    labels = np.repeat(np.arange(5), 40)
    parts = stratified(labels, (50, 30), seed=3)
    assert sorted(np.concatenate(parts)) == list(range(200))
    assert (np.bincount(labels[parts[0]]) == 10).all()


def test_lattice_is_pixel_minus_128():
    pixels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_lattice(pixels), np.arange(-128, 128))


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

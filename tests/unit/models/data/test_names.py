"""Data sets by name, for a recipe and for ``--data``."""

import dataclasses
import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.support.served import tar_gz
from tests.support.tflite.factory import Affine, Factory, Window
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.data import catalog as datasets
from tinyrobust.models.data import cifar10, mnist
from tinyrobust.models.data.digits import digits
from tinyrobust.models.data.splits import Splits, dataset
from tinyrobust.models.user.model import open_files


def quiet(_):
    pass


def sixteen_classes(path):
    """A network that pools 8x8 pixels to 16 numbers."""
    f = Factory()
    x = f.input((1, 8, 8, 1), Affine(0.5, 3))
    path.write_bytes(f.build(x, f.reshape(f.max_pool_2d(x, Window((2, 2), (2, 2))), (1, 16))))
    return path


def test_a_network_is_benched_on_a_data_set_by_name(tmp_path, monkeypatch):
    known = dataclasses.replace(datasets.DATASETS["digits"], class_names=tuple("0123456789abcdef"))
    monkeypatch.setitem(datasets.DATASETS, "digits", known)
    ladder = open_files(
        sixteen_classes(tmp_path / "m.tflite"), None, Path("digits"), tmp_path, quiet
    )
    np.testing.assert_array_equal(ladder.test.q, digits().test.q)
    np.testing.assert_array_equal(ladder.test.labels, digits().test.labels)
    assert ladder.class_names[10] == "a"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("digits", "digits: 10 classes, the model has 16 outputs"),
        ("cifar10", r"cifar10: samples of shape \(32, 32, 3\), the model takes \(8, 8, 1\)"),
        (
            "cifar",
            r"cifar: no such file, nor a data set: did you mean 'cifar10'\? Otherwise "
            r"choose from cifar10, digits",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_downloaded(name, reason, server, tmp_path):
    with pytest.raises(UsageError, match=reason) as error:
        open_files(sixteen_classes(tmp_path / "m.tflite"), None, Path(name), tmp_path, quiet)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "cache/downloads").exists()


@pytest.mark.parametrize("shape", [(8, 8, 1), (8, 8), (1, 8, 8)])
def test_dimensions_of_one_do_not_matter(shape):
    data, _ = datasets.test_set("digits", TensorSpec(shape, 0.1, -3), 10, quiet)
    np.testing.assert_array_equal(data.q, digits().test.q.reshape(-1, *shape))


@pytest.mark.parametrize("name", sorted(datasets.DATASETS))
def test_offline_every_set_says_in_one_line_what_to_put_where(name, server, monkeypatch):
    known = datasets.DATASETS[name]
    if name == "digits":
        assert len(known.test(known.spec, quiet).q) == 500
        return

    def nowhere(*_, **__):
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr("urllib.request.urlopen", nowhere)
    for ask in (lambda: known.test(known.spec, quiet), known.splits):
        with pytest.raises(
            UsageError,
            match=rf"^https?://.*refused; .* put a copy of \S+ into \$BENCH_DATA/{name}$",
        ):
            ask()


def test_mnist_is_read_from_its_official_files(server, monkeypatch):
    rng = np.random.default_rng(0)
    pixels, labels = (
        rng.integers(0, 256, (10_000, 28, 28), np.uint8),
        rng.integers(0, 10, 10_000).astype(np.uint8),
    )
    header = (
        np.array([0x803, 10_000, 28, 28], ">i4").tobytes(),
        np.array([0x801, 10_000], ">i4").tobytes(),
    )

    def publish(labels):
        images = server.publish(
            "mnist", "images.gz", gzip.compress(header[0] + pixels.tobytes(), 1)
        )
        named = server.publish("mnist", "labels.gz", gzip.compress(header[1] + labels.tobytes(), 1))
        return mnist.Family("mnist", images, named, images, named)

    data = mnist.official_test(publish(labels), quiet)
    np.testing.assert_array_equal(data.q[..., 0].astype(int) + 128, pixels)
    np.testing.assert_array_equal(data.labels, labels)
    with pytest.raises(UsageError, match="label 10; mnist has 0 to 9"):
        mnist.official_test(publish(labels + 1), quiet)


def test_cifar10_is_read_from_its_official_archive(server, monkeypatch):
    rng = np.random.default_rng(0)
    names = ("test_batch", *(f"data_batch_{i}" for i in range(1, 6)))
    batches = {name: rng.integers(0, 10, (1_000, 3073), np.uint8) for name in names}
    monkeypatch.setattr(cifar10, "_PART_ROWS", 1_000)
    body = tar_gz(
        {f"cifar-10-batches-bin/{name}.bin": rows.tobytes() for name, rows in batches.items()}
    )
    monkeypatch.setattr(cifar10, "ARCHIVE", server.publish("cifar10", "cifar.tar.gz", body))
    made = cifar10.cifar10(quiet)
    assert isinstance(made, Splits)
    rows = batches["test_batch"]
    np.testing.assert_array_equal(made.test.labels, rows[:, 0])
    np.testing.assert_array_equal(
        made.test.q[3, :, :, 2].astype(int) + 128, rows[3, 1 + 2048 :].reshape(32, 32)
    )
    assert cifar10.official_test(quiet).sha256 == made.test.sha256
    short = tar_gz({"cifar-10-batches-bin/test_batch.bin": rows[1:].tobytes()})
    monkeypatch.setattr(cifar10, "ARCHIVE", server.publish("cifar10", "short.tar.gz", short))
    with pytest.raises(UsageError, match=r"test_batch\.bin is not 1000 CIFAR-10 rows"):
        cifar10.official_test(quiet)


def test_the_digest_of_a_set_is_over_name_shape_samples_and_labels():
    q, labels = np.zeros((2, 3), np.int8), np.zeros(2, np.int64)
    digests = {
        dataset(name, x, y).sha256
        for name, x, y in (
            ("a", q, labels),
            ("b", q, labels),
            ("a", q + np.int8(1), labels),
            ("a", q, labels + 1),
            ("a", q.reshape(2, 3, 1), labels),
        )
    }
    assert len(digests) == 5

import io

import numpy as np
import pytest
from scipy.io import savemat

from tinyrobust.core.errors import UsageError
from tinyrobust.models.data.svhn import Part, official_test, splits

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (32, 32, 3, 20), np.uint8)


def mat(x, y):
    out = io.BytesIO()
    savemat(out, {"X": x, "y": y}, do_compression=True)
    return out.getvalue()


def publish(server, name, x, y, rows=None):
    return Part(server.publish("svhn", name, mat(x, y)), rows or x.shape[-1])


def test_a_ten_is_the_digit_zero_and_pixels_are_shifted(server):
    y = np.arange(1, 21, dtype=np.uint8)[:, None] % 10 + 1
    data = official_test(publish(server, "test_32x32.mat", PIXELS, y))
    assert data.labels.tolist() == (y.ravel() % 10).tolist()
    assert 0 in data.labels
    np.testing.assert_array_equal(data.q[7].astype(int) + 128, PIXELS[..., 7])


def test_parts_share_no_image(server):
    x = np.broadcast_to(np.uint8(0), (32, 32, 3, 7_000)).copy()
    x[0, 0, 0], x[0, 0, 1] = np.divmod(np.arange(7_000), 256)
    y = (np.arange(7_000) % 10 + 1).astype(np.uint8)[:, None]
    train = publish(server, "train_32x32.mat", x, y)
    test = publish(server, "test_32x32.mat", PIXELS, np.ones((20, 1), np.uint8))
    s = splits(train, test)
    parts = (s.train, s.validation, s.calibration)
    assert [len(p.q) for p in (*parts, s.test)] == [500, 6_000, 500, 20]
    seen = np.concatenate([p.q[:, 0, 0, :2] for p in parts])
    assert len(np.unique(seen, axis=0)) == 7_000
    assert (np.bincount(s.calibration.labels) == 50).all()


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        (PIXELS[..., :19], np.ones((20, 1), np.uint8), "holds"),
        (PIXELS, np.ones((19, 1), np.uint8), "holds"),
        (PIXELS.astype(np.float64), np.ones((20, 1), np.uint8), "not uint8 images"),
        (PIXELS, np.zeros((20, 1), np.uint8), "labels 1 to 10"),
        (PIXELS, np.full((20, 1), 11, np.uint8), "labels 1 to 10"),
        (PIXELS, np.full((20, 1), 1.5), "labels 1 to 10"),
    ],
)
def test_what_is_not_svhn_is_refused_in_one_line(server, x, y, reason):
    with pytest.raises(UsageError, match=reason) as error:
        official_test(publish(server, "test_32x32.mat", x, y, rows=20))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("cut", [1, 20, 128, 140, 1000, 40_000])
def test_what_is_no_mat_file_is_refused(server, cut):
    body = mat(PIXELS, np.ones((20, 1), np.uint8))[:cut]
    with pytest.raises(UsageError, match=r"not a readable|holds"):
        official_test(Part(server.publish("svhn", "test_32x32.mat", body), 20))

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinyrobust.models.data.digits import digits
from tinyrobust.models.data.splits import stratified


def test_digits_are_split_once_and_for_all():
    s = digits()
    parts = (s.test, s.calibration, s.validation, s.train)
    assert [len(p.q) for p in parts] == [500, 150, 150, 997]
    for p in parts:
        assert p.q.shape[1:] == (8, 8, 1)
        assert p.q.dtype == np.int8
        counts = np.bincount(p.labels, minlength=10)
        assert abs(counts - len(p.q) / 10).max() <= len(p.q) / 50
    assert s.test.sha256 == "fe797bd697999ec99e3b3c2100631b3dd23cbf2d45414a020a1a11b7f316e75a"


def test_digits_use_the_whole_input_grid_as_pixels_say():
    from sklearn.datasets import load_digits

    s = digits()
    seen = np.concatenate(
        [p.q.reshape(-1, 64) for p in (s.test, s.calibration, s.validation, s.train)]
    )
    pixels = load_digits().data
    expected = (np.floor(pixels * 255 / 16 + 0.5) - 128).astype(np.int8)
    order = np.lexsort(seen.T), np.lexsort(expected.T)
    np.testing.assert_array_equal(seen[order[0]], expected[order[1]])


@given(
    hnp.arrays(np.int64, st.integers(30, 200), elements=st.integers(0, 4)),
    st.integers(0, 2**32 - 1),
)
def test_parts_share_no_row_and_leave_none_out(labels, seed):
    parts = stratified(labels, (10, 7), seed)
    assert [len(p) for p in parts] == [10, 7, len(labels) - 17]
    assert sorted(np.concatenate(parts)) == list(range(len(labels)))
    np.testing.assert_array_equal(
        np.concatenate(parts), np.concatenate(stratified(labels, (10, 7), seed))
    )

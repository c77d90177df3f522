from hypothesis import given
from hypothesis import strategies as st

from tinyrobust.models.plan.arena import Buffer, place

ALIGN = 16
BUFFERS = st.lists(
    st.builds(
        lambda size, a, b: Buffer(size, min(a, b), max(a, b)),
        st.integers(1, 300),
        *[st.integers(0, 12)] * 2,
    ),
    min_size=1,
    max_size=20,
)


@given(BUFFERS)
def test_buffers_alive_together_never_overlap(buffers):
    p = place(buffers, ALIGN)
    spans = list(zip(buffers, p.offsets, strict=True))
    for i, (a, at) in enumerate(spans):
        assert at % ALIGN == 0
        assert at + a.size <= p.total
        for b, bt in spans[:i]:
            together = a.first <= b.last and b.first <= a.last
            assert not together or at + a.size <= bt or bt + b.size <= at


@given(BUFFERS)
def test_the_arena_is_no_smaller_than_any_moment_and_no_larger_than_everything(buffers):
    rounded = [-(-b.size // ALIGN) * ALIGN for b in buffers]
    moments = [
        sum(r for b, r in zip(buffers, rounded, strict=True) if b.first <= step <= b.last)
        for step in range(13)
    ]
    assert max(moments) <= place(buffers, ALIGN).total <= sum(rounded)


def test_a_chain_needs_two_buffers_only():
    chain = [Buffer(64, step, step + 1) for step in range(10)]
    assert place(chain, ALIGN).total == 128

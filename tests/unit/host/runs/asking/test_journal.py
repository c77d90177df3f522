import fcntl
import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.support.levels import levels
from tinyrobust.core.errors import LinkError, UsageError
from tinyrobust.core.types import Prediction, TensorSpec
from tinyrobust.host.runs.asking.journal import Journaled
from tinyrobust.host.runs.asking.journal_file import JournalFile
from tinyrobust.host.runs.asking.questions import journaled

SPEC = TensorSpec((2, 3), 0.5, -3)


class Rung:
    """Answers with a function of the sample, and counts; ``fails_after`` questions it is gone."""

    rung = "board"
    input = SPEC

    def __init__(self, raw=True, fails_after=10**9):
        self.raw, self.fails_after, self.asked = raw, fails_after, 0

    def predict(self, q):
        if self.asked + len(q) > self.fails_after:
            raise LinkError("gone")
        self.asked += len(q)
        flat = q.reshape(len(q), -1)
        raw = np.stack(
            [flat.min(axis=1, initial=0), flat.max(axis=1, initial=0), flat[:, 0]], axis=1
        )
        return Prediction(raw * np.float32(0.1), raw if self.raw else None)


samples = partial(levels, shape=SPEC.shape)


def same(one, two):
    assert np.array_equal(one.logits, two.logits)
    assert one.logits.dtype == np.float32
    assert (one.raw is None) == (two.raw is None)
    assert one.raw is None or (np.array_equal(one.raw, two.raw) and one.raw.dtype == np.int8)


def test_answers_of_16_bits_come_back_as_they_were(tmp_path):
    """A network of int16 activations: two bytes an output."""

    class Wide(Rung):
        input = TensorSpec((2, 3), 0.5, 0, "int16", 0, 32767)

        def predict(self, q):
            raw = q.reshape(len(q), -1)[:, :3] - np.int16(20000)
            return Prediction(raw * np.float32(0.1), raw)

    q = np.random.default_rng(0).integers(0, 32768, (40, 2, 3), np.int16)
    asked = Wide().predict(q)
    for _ in range(2):
        with Journaled(Wide(), tmp_path / "j", "plan 1") as journal:
            found = journal.predict(q)
        assert np.array_equal(found.raw, asked.raw)
        assert np.array_equal(found.logits, asked.logits)
        assert found.raw.dtype == np.int16


@pytest.mark.parametrize("raw", [True, False])
def test_what_was_answered_is_never_asked_again(tmp_path, raw):
    q = samples(100)
    with Journaled(Rung(raw), tmp_path / "j", "plan 1") as first:
        same(first.predict(q), Rung(raw).predict(q))
        assert (first.rung, first.input) == ("board", SPEC)
    again = Rung(raw)
    with Journaled(again, tmp_path / "j", "plan 1") as journaled:
        same(journaled.predict(q[::-1]), Rung(raw).predict(q[::-1]))
        assert again.asked == 0
        both = np.concatenate([samples(30, seed=1), q])
        same(journaled.predict(both), Rung(raw).predict(both))
        assert again.asked == 30


def test_equal_samples_of_one_batch_are_one_question(tmp_path):
    q = np.repeat(samples(3), 5, axis=0)
    rung = Rung()
    with Journaled(rung, tmp_path / "j", "plan") as journaled:
        same(journaled.predict(q), Rung().predict(q))
    assert rung.asked == 3


def test_what_was_answered_before_a_failure_is_kept(tmp_path):
    q = samples(100)
    with (
        Journaled(Rung(fails_after=60), tmp_path / "j", "plan") as journaled,
        pytest.raises(LinkError, match="gone"),
    ):
        journaled.predict(q)
    rung = Rung()
    with Journaled(rung, tmp_path / "j", "plan") as journaled:
        same(journaled.predict(q), Rung().predict(q))
    assert 40 <= rung.asked < 100


def test_progress_counts_questions_and_replays(tmp_path):
    seen = []
    with Journaled(Rung(), tmp_path / "j", "plan", lambda *now: seen.append(now)) as journaled:
        journaled.predict(samples(100))
        journaled.predict(samples(120))
    assert (seen[-1][0], journaled.asked, journaled.replayed, journaled.answered) == (
        220,
        220,
        100,
        120,
    )
    assert seen[-1][2] > 0
    assert [now[0] for now in seen] == sorted(now[0] for now in seen)


@pytest.mark.parametrize(
    ("most", "says"),
    [
        (0, "board: 40 questions, 0 of them answered before, 20 answers/s"),
        (
            100,
            "board: 40 of at most 100 questions, 0 of them answered before, 20 "
            "answers/s, at most 3 s left",
        ),
    ],
)
def test_a_budget_says_how_long_the_questions_can_still_take(tmp_path, monkeypatch, most, says):
    now, lines = [0.0], []
    monkeypatch.setattr("tinyrobust.host.runs.asking.journal.time.monotonic", lambda: now[0])

    class Slow(Rung):
        def predict(self, q):
            now[0] += len(q) / 20
            return super().predict(q)

    monkeypatch.setattr("tinyrobust.host.runs.asking.parts.FIRST_PART", 40)
    asked = journaled(Slow(), "plan", tmp_path, lines.append, most, lambda: 100 * now[0])
    with asked:
        asked.predict(samples(40))
    assert lines == [says]


def test_answers_of_another_network_are_refused(tmp_path):
    with Journaled(Rung(), tmp_path / "j", "plan 1") as journaled:
        journaled.predict(samples(3))
    with pytest.raises(UsageError, match="another network or firmware"):
        Journaled(Rung(), tmp_path / "j", "plan 2")


def test_a_journal_in_use_is_refused(tmp_path):
    with Journaled(Rung(), tmp_path / "j", "plan"), pytest.raises(UsageError, match="another run"):
        Journaled(Rung(), tmp_path / "j", "plan")
    with (tmp_path / "j").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("content", [b"hello", bytes(1000), b"tinyrobust journal 2\n" + bytes(60)])
def test_a_file_that_is_no_journal_is_refused_and_left_alone(tmp_path, content):
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(UsageError, match="not a journal"):
        JournalFile(tmp_path / "j", "plan")
    assert (tmp_path / "j").read_bytes() == content


def test_a_path_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="choose another place"):
        JournalFile(tmp_path / "file" / "j", "plan")


def test_answers_of_two_lengths_are_a_mistake_of_the_program(tmp_path):
    file = JournalFile(tmp_path / "j", "plan")
    file.append([(bytes(16), b"abc")])
    with pytest.raises(ValueError, match="bytes among those of 3"):
        file.append([(b"\1" * 16, b"abcd")])
    file.close()


digests = st.binary(min_size=16, max_size=16)


@settings(max_examples=60)
@given(
    st.dictionaries(digests, st.binary(min_size=5, max_size=5), min_size=1, max_size=8),
    st.integers(0, 400),
    st.integers(0, 255),
)
def test_any_end_and_any_damage_keeps_the_whole_records_before_it(
    tmp_path_factory, records, cut, flip
):
    path = Path(tmp_path_factory.mktemp("journal") / "j")
    file = JournalFile(path, "plan")
    for pair in records.items():
        file.append([pair])
    file.close()
    data = path.read_bytes()
    size = 16 + 5 + 4
    head = len(data) - size * len(records)
    cut = min(cut, len(data))
    tail = bytes([data[cut] ^ flip]) + data[cut + 1 :] if flip and head <= cut < len(data) else b""
    path.write_bytes(data[:cut] + tail)
    whole = max(0, (cut - head) // size)
    file = JournalFile(path, "plan")
    assert len(file) == whole
    for i, (digest, answer) in enumerate(records.items()):
        assert file.get(digest) == (answer if i < whole else None)
    file.append(list(records.items()))
    assert all(file.get(digest) == answer for digest, answer in records.items())
    file.close()
    file = JournalFile(path, "plan")
    assert len(file) == whole + len(records)
    file.close()


@settings(max_examples=20)
@given(st.lists(hnp.arrays(np.int8, (4, *SPEC.shape)), max_size=4))
def test_a_journal_answers_as_its_rung(tmp_path_factory, batches):
    path = tmp_path_factory.mktemp("journal") / "j"
    for _ in range(2):
        with Journaled(Rung(), path, "plan") as journaled:
            for q in batches:
                same(journaled.predict(q), Rung().predict(q))


def test_records_found_in_the_sorted_index_too(tmp_path, monkeypatch):
    monkeypatch.setattr("tinyrobust.host.runs.asking.journal_file._MERGE", 8)
    file = JournalFile(tmp_path / "j", "plan")
    records = [(os.urandom(16), bytes([i])) for i in range(50)]
    for pair in records:
        file.append([pair])
    file.close()
    file = JournalFile(tmp_path / "j", "plan")
    assert all(file.get(digest) == answer for digest, answer in records)
    assert file.get(os.urandom(16)) is None
    file.close()

"""Speech Commands from small archives over a real server: who belongs where, and what is
refused.
"""

import io
import resource
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.served import tar_gz
from tinyrobust.core.errors import UsageError
from tinyrobust.core.types import TensorSpec
from tinyrobust.models.data.download import fetched
from tinyrobust.models.data.mfcc import FEATURES, mfcc, quantize
from tinyrobust.models.data.speech_commands import (
    CLASS_NAMES,
    Archives,
    _samples,
    official_test,
    splits,
)

RNG = np.random.default_rng(0)


def wav(samples, rate=16_000):
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(np.asarray(samples, "<i2").tobytes())
    return out.getvalue()


def sound(length=400):
    return RNG.integers(-30_000, 30_000, length).astype(np.int16)


TRAIN = {
    f"{word}/{i:08x}_nohash_0.wav": sound()
    for i in range(86)
    for word in ("yes", "no", "cat", "up", "go", "on")
}
LISTED = {
    "testing_list.txt": [f"yes/{i}.wav" for i in range(3)],
    "validation_list.txt": ["yes/v.wav", "cat/v.wav"],
}
NOISE = {
    "_background_noise_/white_noise.wav": sound(40_000),
    "_background_noise_/running_tap.wav": sound(33_000),
}
TEST = {
    "yes/0.wav": sound(16_000),
    "_silence_/s.wav": sound(),
    "_unknown_/u.wav": sound(),
    "down/d.wav": sound(),
}


def main_archive(**more):
    clips = TRAIN | NOISE | {name: sound() for names in LISTED.values() for name in names}
    texts = {name: "\n".join(lines).encode() for name, lines in LISTED.items()}
    return (
        {name: wav(samples) for name, samples in clips.items()}
        | texts
        | {"README.md": b"read me", "yes/._a.wav": b"-"}
        | more
    )


def publish(server, main=None, test=None):
    test = test or {name: wav(samples) for name, samples in TEST.items()}
    return Archives(
        server.publish("speech_commands", "main.tar.gz", tar_gz(main or main_archive())),
        server.publish("speech_commands", "test.tar.gz", tar_gz(test | {"LICENSE": b"CC BY 4.0"})),
    )


def rows(data):
    return {q.tobytes() for q in data.q}


def features(*clips):
    return {
        q.tobytes()
        for q in quantize(
            mfcc(np.stack([np.pad(c, (0, 16_000 - len(c))) for c in clips])), FEATURES
        )
    }


def test_parts_are_those_of_the_lists_and_share_no_clip(server):
    s = splits(publish(server))
    parts = (s.train, s.validation, s.calibration, s.test)
    # 516 clips and 3 seconds of noise to train and calibrate with; 2 clips and 3 seconds of the tap
    # to validate
    assert [len(p.q) for p in parts] == [19, 5, 500, 4]
    assert len(set.union(*map(rows, parts))) == sum(len(p.q) for p in parts)
    noise = NOISE["_background_noise_/white_noise.wav"]
    used = rows(s.train) | rows(s.calibration)
    assert used == features(
        *TRAIN.values(), *(noise[at : at + 16_000] for at in (0, 8_000, 16_000))
    )
    assert rows(s.test) == features(*TEST.values())


def test_labels_are_those_of_mlperf_tiny(server):
    data = official_test(archives=publish(server))
    wanted = dict(
        zip(features_in_order(TEST.values()), ("yes", "silence", "unknown", "down"), strict=True)
    )
    assert [CLASS_NAMES[label] for label in data.labels] == [wanted[q.tobytes()] for q in data.q]
    assert CLASS_NAMES.index("silence") == 10


def features_in_order(clips):
    return [next(iter(features(c))) for c in clips]


def test_features_are_computed_once_and_again_when_damaged(server, tmp_path):
    archives = publish(server)
    first = official_test(archives=archives)
    (kept,) = (tmp_path / "cache/features").iterdir()
    (downloaded,) = (tmp_path / "cache/downloads").glob("*.gz")
    body = downloaded.read_bytes()
    downloaded.unlink()
    server.files.clear()
    assert official_test(archives=archives).sha256 == first.sha256
    kept.write_bytes(kept.read_bytes()[:1000])
    downloaded.write_bytes(body)
    assert official_test(archives=archives).sha256 == first.sha256


def test_another_input_grid_is_another_network(server):
    archives = publish(server)
    coarse = official_test(TensorSpec((490,), 2.0, 0), archives)
    assert coarse.q.shape == (4, 490)
    fine = official_test(archives=archives)
    assert np.abs(coarse.q * 2.0 - FEATURES.dequantize(fine.q).reshape(4, 490)).max() < 3


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"yes/long.wav": wav(sound(16_001))}, "yes/long.wav has 16001 samples"),
        ({"yes/fast.wav": wav(sound(), 8_000)}, "yes/fast.wav: not 16 bits at 16000 Hz"),
        ({"yes/text.wav": b"no sound"}, "yes/text.wav: not a readable .wav"),
        ({"testing_list.txt": b""}, "testing_list.txt is missing"),
    ],
)
def test_what_is_wrong_inside_is_named_and_nothing_is_kept(server, tmp_path, more, reason):
    with pytest.raises(UsageError, match=reason) as error:
        splits(publish(server, main_archive(**more)))
    assert "\n" not in str(error.value)
    if "list" not in reason:
        assert not (tmp_path / "cache/features").exists()


def test_an_archive_without_sounds_is_refused(server):
    with pytest.raises(UsageError, match=r"no \.wav file in it"):
        splits(publish(server, {"README.md": b"read me"}))


def test_full_disk_is_one_line_and_leaves_nothing(server, tmp_path):
    archives = publish(server)
    fetched(archives.test)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, before[1]))
    try:
        with pytest.raises(UsageError, match=r"features/.*: File too large: free the disk"):
            official_test(archives=archives)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((tmp_path / "cache/features").iterdir()) == []


@given(
    st.integers(0, 144), st.lists(st.tuples(st.integers(0, 143), st.integers(0, 255)), max_size=4)
)
def test_a_damaged_wav_is_read_or_refused(length, changes):
    raw = bytearray(wav(np.arange(50)))
    for at, value in changes:
        raw[at] = value
    try:
        assert len(_samples(bytes(raw[:length]), "a.wav")) <= 50
    except UsageError as err:
        assert str(err).startswith("a.wav: ")  # noqa: PT017

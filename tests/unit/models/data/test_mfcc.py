"""The features against those that MLPerf Tiny publishes, and against TensorFlow's own signal
library.
"""

import csv
import os
import wave
from pathlib import Path

import numpy as np
import pytest

from tinyrobust.models.data.mfcc import FEATURES, mfcc, quantize

OFFICIAL = {  # recordings at hand that are among the 1,000 official samples, with their row there
    "down/563aa4e6_nohash_2": 363,
    "down/97f4c236_nohash_2": 935,
    "left/f428ca69_nohash_1": 764,
    "on/563aa4e6_nohash_2": 513,
    "right/563aa4e6_nohash_2": 326,
    "stop/97f4c236_nohash_2": 179,
    "three/f428ca69_nohash_1": 893,
    "wow/dc75148d_nohash_0": 786,
    "yes/97f4c236_nohash_2": 132,
}


def clip(path):
    with wave.open(str(path)) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    return np.pad(samples, (0, 16_000 - len(samples)))


def test_every_value_equals_the_official_one():
    if "BENCH_DATA" not in os.environ:
        pytest.skip("BENCH_DATA is not set: neither recordings nor official features are here")
    data = Path(os.environ["BENCH_DATA"])
    clips = np.stack([clip(data / "speech_commands_300" / f"{name}.wav") for name in OFFICIAL])
    rows = list(OFFICIAL.values())
    published = np.load(data / "kws01/kws01_mfcc_int8.npz")["x"][rows]
    np.testing.assert_array_equal(quantize(mfcc(clips), FEATURES)[..., 0], published)
    with (data / "kws01/y_labels.csv").open() as file:
        named = [row[0].split("_")[2].lower() for row in csv.reader(file)]
    for name, row in OFFICIAL.items():
        assert named[row] in (name.split("/")[0], "unknown")


def sounds():
    rng = np.random.default_rng(0)
    t = np.arange(16_000) / 16_000
    chirp = 12_000 * np.sin(2 * np.pi * (100 + 3_000 * t) * t) + rng.normal(0, 100, 16_000)
    late = np.concatenate([np.zeros(9_000), rng.normal(0, 300, 7_000)])
    return np.stack([chirp, rng.integers(-32_768, 32_768, 16_000), late]).astype(np.int16)


def test_tensorflows_signal_library_gives_the_same_features():
    from tinyrobust.models.keras.tf import tf

    x = sounds()
    samples = tf.cast(x, tf.float32) / tf.reduce_max(tf.cast(x, tf.float32), axis=1, keepdims=True)
    magnitude = tf.abs(tf.signal.stft(samples, 480, 320))
    bands = tf.signal.linear_to_mel_weight_matrix(40, 257, 16_000, 20.0, 4_000.0)
    log_mel = tf.math.log(tf.tensordot(magnitude, bands, 1) + 1e-6)
    expected = tf.signal.mfccs_from_log_mel_spectrograms(log_mel)[..., :10]
    np.testing.assert_allclose(mfcc(x), expected, atol=2e-3)


def test_features_depend_on_nothing_but_the_clip_and_not_on_its_volume():
    x = sounds()
    together = mfcc(x)
    np.testing.assert_array_equal(np.concatenate([mfcc(one[None]) for one in x]), together)
    np.testing.assert_array_equal(mfcc(x[:1] // 4 * 2), mfcc(x[:1] // 4))


def test_a_clip_without_a_sound_has_features():
    features = mfcc(np.zeros((1, 16_000), np.int16))
    np.testing.assert_allclose(features[..., 0], np.log(1e-6) * 40 * np.sqrt(2 / 40), rtol=1e-6)
    np.testing.assert_allclose(features[..., 1:], 0, atol=1e-9)


def test_quantization_drops_the_fraction_and_saturates():
    features = np.zeros((1, 49, 10), np.float32)
    features[0, 0, :4] = np.array([10.9, 9.0, 1e4, -1e4]) * FEATURES.scale
    q = quantize(features, FEATURES)
    assert q.shape == (1, 49, 10, 1)
    assert q[0, 0, :5, 0].tolist() == [93, 92, 127, -128, 83]

"""The 49 x 10 features of MLPerf Tiny's keyword spotting, written in NumPy.

They are what MLPerf Tiny's TensorFlow graph computes.

One second at 16 kHz, divided by its largest sample; frames of 30 ms every 20 ms under a periodic
Hann window; magnitude of a 512-point FFT; 40 mel bands from 20 to 4,000 Hz (HTK mel scale,
unnormalised triangles); log(. + 1e-6); DCT-II scaled by sqrt(2 / 40) throughout, as HTK does; the
first ten coefficients. ``docs/datasets.md`` says how close this is to the official features.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.types import FloatArray, Int8Array, TensorSpec

RATE = 16_000
"""Samples per second, and samples of a clip."""
FRAMES, COEFFICIENTS = 49, 10
FEATURES = TensorSpec((FRAMES, COEFFICIENTS, 1), 0.5847029089927673, 83)
"""Input of MLPerf Tiny's int8 reference model, and so the input grid of its official samples."""
SOURCE = Path(__file__)
"""What features depend on that are kept."""
_WINDOW, _STRIDE, _FFT = 480, 320, 512
_BANDS, _LOWEST_HZ, _HIGHEST_HZ = 40, 20.0, 4_000.0


def mfcc(clips: NDArray[np.int16]) -> FloatArray:
    """The features of ``clips``: int16 [n, 16000] to float32 [n, 49, 10].

    Shorter clips are padded with zeros at their end.

    A clip whose largest sample is 0 is not divided by it. Computed in float64 and rounded once, so
    that the last bits depend neither on the machine nor on how many clips are passed together.
    """
    peak = clips.max(axis=1, keepdims=True).astype(np.float64)
    samples = clips / np.where(peak == 0, 1, peak)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW, axis=1)[:, ::_STRIDE]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
    magnitude = np.abs(np.fft.rfft(frames * window, _FFT))
    features: FloatArray = (np.log(magnitude @ _mel_bands() + 1e-6) @ _dct()).astype(np.float32)
    return features


def quantize(features: FloatArray, spec: TensorSpec) -> Int8Array:
    """Features [n, 49, 10] as int8 [n, *spec.shape], quantized as MLPerf Tiny does it.

    ``x / scale + zero_point`` loses its fraction.

    Saturates; the reference wraps around, which spoils 15 values of one of its 1,000 samples.
    """
    steps = features / np.float32(spec.scale) + np.float32(spec.zero_point)
    q: Int8Array = np.clip(np.trunc(steps), -128, 127).astype(np.int8)
    return q.reshape(len(q), *spec.shape)


def _mel_bands() -> NDArray[np.float64]:
    """Weights [257, 40] of triangles on the mel scale over the FFT's bins.

    The bin at 0 Hz belongs to none of them.
    """
    bins = _mel(np.linspace(0, RATE / 2, _FFT // 2 + 1))[:, np.newaxis]
    edges = np.linspace(_mel(np.array(_LOWEST_HZ)), _mel(np.array(_HIGHEST_HZ)), _BANDS + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    weights: NDArray[np.float64] = np.minimum(
        (bins - low) / (centre - low), (high - bins) / (high - centre)
    ).clip(0)
    return weights


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    mel: NDArray[np.float64] = 1127 * np.log1p(hertz / 700)
    return mel


def _dct() -> NDArray[np.float64]:
    """DCT-II [40, 10] of the first coefficients."""
    bands, coefficients = np.arange(_BANDS)[:, np.newaxis], np.arange(COEFFICIENTS)
    cosines: NDArray[np.float64] = np.sqrt(2 / _BANDS) * np.cos(
        np.pi / _BANDS * (bands + 0.5) * coefficients
    )
    return cosines

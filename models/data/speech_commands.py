"""Speech Commands v2 (Warden 2018) as MLPerf Tiny's task: ten words, silence, unknown.

A sample is 49 x 10 MFCC features.

Membership is that of the reference: test is the authors' own test archive; validation is their
``validation_list.txt`` and one of the noise recordings; training is all the rest of the main
archive but their ``testing_list.txt``. Silence is cut out of the noise recordings, a second every
half second. No noise is mixed in and nothing is shifted in time.
"""

from __future__ import annotations

import hashlib
import io
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyrobust.core.cache import cache_folder
from tinyrobust.core.errors import UsageError
from tinyrobust.core.files import CACHE_REMEDY, replacing
from tinyrobust.core.npz import UNREADABLE
from tinyrobust.core.progress import Say, to_stderr
from tinyrobust.core.types import Dataset, FloatArray, Int64Array, TensorSpec
from tinyrobust.models.data.download import Source, files, found
from tinyrobust.models.data.mfcc import COEFFICIENTS, FEATURES, FRAMES, RATE, SOURCE, mfcc, quantize
from tinyrobust.models.data.splits import Splits, dataset, stratified

CLASS_NAMES = (
    "down",
    "go",
    "left",
    "no",
    "off",
    "on",
    "right",
    "stop",
    "up",
    "yes",
    "silence",
    "unknown",
)
SPEC = TensorSpec((FRAMES, COEFFICIENTS, 1), 1 / 128, 0)
"""How a network of the zoo reads the same integers: q / 128 is affine in the features."""
_WORDS, _SILENCE, _UNKNOWN = CLASS_NAMES[:10], 10, 11
_NOISE = "_background_noise_"
_VALIDATION_NOISE = "running_tap.wav"
_CALIBRATION = 500
_LONGEST_FILE = 1 << 23
_BATCH, _SAY_EVERY = 64, 10_000

Clip = tuple[str, NDArray[np.int16]]


@dataclass(frozen=True)
class Archives:
    """The two files of the data set, as its author publishes them."""

    main: Source
    test: Source


V2 = Archives(
    main=Source(
        folder="speech_commands",
        url="http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz",
        sha256="af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
        size=2_428_923_189,
    ),
    test=Source(
        folder="speech_commands",
        url="http://download.tensorflow.org/data/speech_commands_test_set_v0.02.tar.gz",
        sha256="cc2a00c1147c2254e9be3fa0f779d8c17421dc349b86366567a8edfa9acd51df",
        size=112_563_277,
    ),
)


def splits(archives: Archives = V2, say: Say = to_stderr) -> Splits:
    """Training, calibration, validation and test features of the 12 classes, on ``FEATURES``.

    There are 85,511 training clips less 500 for calibration, 10,102 for validation and 4,890 for
    test.

    Raises UsageError where an archive cannot be had or is not what it should be.
    """
    made = _features(archives.main, say)
    labels = np.array([_label(name) for name in made.names], np.int64)
    testing, validation = _members(made, archives.main)
    rest = np.flatnonzero(~(testing | validation))
    calibration, train = stratified(labels[rest], (_CALIBRATION,), seed=0)

    def part(kind: str, rows: Int64Array) -> Dataset:
        return dataset(
            f"speech_commands/{kind}", quantize(made.values[rows], FEATURES), labels[rows]
        )

    return Splits(
        part("train", np.sort(rest[train])),
        part("validation", np.flatnonzero(validation)),
        part("calibration", rest[calibration]),
        official_test(FEATURES, archives, say),
    )


def official_test(
    spec: TensorSpec = FEATURES, archives: Archives = V2, say: Say = to_stderr
) -> Dataset:
    """The authors' own test set, its features on the input grid ``spec``.

    It is shuffled once and for all.
    """
    made = _features(archives.test, say)
    labels = np.array([_label(name) for name in made.names], np.int64)
    (order,) = stratified(labels, (), seed=0)
    return dataset("speech_commands/test", quantize(made.values[order], spec), labels[order])


def _features(source: Source, say: Say) -> Features:
    """Features of each clip of the archive, by name; computed once, then out of the cache."""
    return cached(
        source.sha256, (SOURCE, Path(__file__)), lambda: _computed(found(source, say), say)
    )


def _computed(path: Path, say: Say) -> Features:
    texts: dict[str, frozenset[str]] = {}
    names: list[str] = []
    values: list[FloatArray] = []
    clips = _clips(path, texts)
    while batch := list(islice(clips, _BATCH)):
        values.append(mfcc(np.stack([samples for _, samples in batch])))
        if len(names) // _SAY_EVERY != (len(names) + len(batch)) // _SAY_EVERY:
            say(f"{path.name}: features of {len(names) + len(batch)} clips")
        names += [name for name, _ in batch]
    if not names:
        raise UsageError(f"{path}: no .wav file in it; delete the file and run again")
    return Features(tuple(names), np.concatenate(values), texts)


def _clips(path: Path, texts: dict[str, frozenset[str]]) -> Iterator[Clip]:
    """``word/file.wav`` and its second of sound; a noise recording gives many.

    Lists go into ``texts`` by file name.
    """
    for name, content in files(path, _LONGEST_FILE):
        inside = PurePosixPath(name)
        if inside.suffix == ".txt":
            texts[inside.name] = frozenset(content.decode("ascii", "replace").split())
        elif inside.suffix == ".wav" and len(inside.parts) > 1 and not inside.name.startswith("."):
            short = "/".join(inside.parts[-2:])
            samples = _samples(content, f"{path}: {name}")
            if inside.parts[-2] == _NOISE:
                for start in range(0, len(samples) - RATE, RATE // 2):
                    yield f"{short}@{start}", samples[start : start + RATE]
            elif len(samples) > RATE:
                raise UsageError(
                    f"{path}: {name} has {len(samples)} samples; a clip is {RATE} long"
                )
            else:
                yield short, np.pad(samples, (0, RATE - len(samples)))


def _samples(content: bytes, where: str) -> NDArray[np.int16]:
    try:
        with wave.open(io.BytesIO(content)) as sound:
            if (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) != (1, 2, RATE):
                raise UsageError(f"{where}: not 16 bits at {RATE} Hz, one channel")
            return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.int16)
    except (wave.Error, EOFError, ValueError, RuntimeError) as err:
        raise UsageError(f"{where}: not a readable .wav file ({err})") from None


def _label(name: str) -> int:
    word = name.split("/")[0]
    if word in _WORDS:
        return _WORDS.index(word)
    return _SILENCE if word in (_NOISE, "_silence_") else _UNKNOWN


def _members(made: Features, source: Source) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which clips of the main archive belong to testing, and which to validation."""
    listed = []
    for file in ("testing_list.txt", "validation_list.txt"):
        if not made.texts.get(file):
            raise UsageError(f"{source.file}: {file} is missing in it")
        listed.append(made.texts[file])
    testing = np.array([name in listed[0] for name in made.names])
    noise = f"{_NOISE}/{_VALIDATION_NOISE}@"
    validation = np.array([name in listed[1] or name.startswith(noise) for name in made.names])
    return testing, validation & ~testing


@dataclass(frozen=True)
class Features:
    """The features of some samples, and the texts found beside them.

    ``values`` float32 [n, ...] belong to the samples called ``names``; ``texts`` has the lines of
    each text file.
    """

    names: tuple[str, ...]
    values: FloatArray
    texts: dict[str, frozenset[str]]


def cached(data: str, code: tuple[Path, ...], make: Callable[[], Features]) -> Features:
    """What ``make`` returns, kept under the digest of what it was made of.

    That is its ``data`` and the files of ``code`` that made it.

    Made again where what is kept is damaged. Raises UsageError where it cannot be written, and what
    ``make`` raises.
    """
    digest = hashlib.sha256(data.encode())
    for path in code:
        digest.update(path.read_bytes())
    path = cache_folder() / "features" / f"{digest.hexdigest()[:32]}.npz"
    kept = _read(path)
    return kept if kept is not None else _write(path, make())


def _read(path: Path) -> Features | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            texts = {
                name[5:]: frozenset(file[name].tolist())
                for name in file.files
                if name.startswith("text:")
            }
            made = Features(tuple(file["names"].tolist()), file["values"], texts)
    except UNREADABLE:
        return None
    return made if len(made.names) == len(made.values) else None


def _write(path: Path, made: Features) -> Features:
    arrays: dict[str, Any] = {
        f"text:{name}": np.array(sorted(lines)) for name, lines in made.texts.items()
    }
    with replacing(path, CACHE_REMEDY) as file:
        np.savez(file, names=np.array(made.names), values=made.values, **arrays)
    return made

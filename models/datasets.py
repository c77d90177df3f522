"""The data sets by name: splits for a recipe, the test part for a network that is brought along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from host.nearest import nearest
from host.types import Dataset, TensorSpec, UsageError
from models import data_cifar10, data_mnist, data_speech, data_svhn, data_vww, digits_cnn
from models.data import Splits, dataset, digits
from models.download import Say


@dataclass(frozen=True)
class Known:
    """A data set that can be had by name. ``test`` puts its test part on the lattice of a network's input."""

    spec: TensorSpec
    """Lattice of ``splits``, as the networks of the zoo take it."""
    class_names: tuple[str, ...]
    splits: Callable[[], Splits]
    test: Callable[[TensorSpec, Say], Dataset]


def _pixels(test: Callable[[Say], Dataset]) -> Callable[[TensorSpec, Say], Dataset]:
    """Pixels are q = p - 128 whatever scale the network gives them, as in a ``.npz`` of uint8."""
    return lambda _, say: test(say)


def _mnist(family: data_mnist.Family, names: tuple[str, ...]) -> Known:
    test = _pixels(lambda say: data_mnist.official_test(family, say))
    return Known(data_mnist.SPEC, names, lambda: data_mnist.splits(family), test)


DATASETS = {
    "cifar10": Known(
        data_cifar10.SPEC, data_cifar10.CLASS_NAMES, data_cifar10.cifar10, _pixels(data_cifar10.official_test)
    ),
    "digits": Known(digits_cnn.SPEC, digits_cnn.CLASS_NAMES, digits, _pixels(lambda _: digits().test)),
    "fashion_mnist": _mnist(data_mnist.FASHION, data_mnist.FASHION_NAMES),
    "mnist": _mnist(data_mnist.MNIST, data_mnist.CLASS_NAMES),
    "speech_commands": Known(
        data_speech.SPEC,
        data_speech.CLASS_NAMES,
        data_speech.splits,
        lambda spec, say: data_speech.official_test(spec, say=say),
    ),
    "svhn": Known(
        data_svhn.SPEC, data_svhn.CLASS_NAMES, data_svhn.splits, _pixels(lambda say: data_svhn.official_test(say=say))
    ),
    "vww": Known(
        data_vww.SPEC, data_vww.CLASS_NAMES, data_vww.splits, _pixels(lambda say: data_vww.official_test(say=say))
    ),
}


def test_set(name: str, spec: TensorSpec, outputs: int, say: Say) -> tuple[Dataset, tuple[str, ...]]:
    """The test part of data set ``name`` on ``spec``, and its class names.

    Dimensions of 1 may be missing or added. Raises UsageError on an unknown name, where the network takes another
    shape or has another number of outputs, and where the data cannot be had.
    """
    known = DATASETS.get(name)
    if known is None:
        raise UsageError(f"{name}: no such file, nor a data set: {nearest(name, DATASETS)}")
    if [n for n in known.spec.shape if n != 1] != [n for n in spec.shape if n != 1]:
        raise UsageError(f"{name}: samples of shape {known.spec.shape}, the model takes {spec.shape}")
    if len(known.class_names) != outputs:
        raise UsageError(f"{name}: {len(known.class_names)} classes, the model has {outputs} outputs")
    data = known.test(spec, say)
    return dataset(data.name, data.q.reshape(len(data.q), *spec.shape), data.labels), known.class_names

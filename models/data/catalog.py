"""The data sets by name: splits for a recipe, the test part for a network that is brought along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinyrobust.core.errors import UsageError, nearest
from tinyrobust.core.progress import Say
from tinyrobust.core.types import Dataset, TensorSpec
from tinyrobust.models.data import cifar10, digits, mnist, speech_commands, svhn, visual_wake_words
from tinyrobust.models.data.splits import Splits, dataset


@dataclass(frozen=True)
class Known:
    """A data set that can be had by name.

    ``test`` puts its test part on the input grid of a network's input.
    """

    spec: TensorSpec
    """Input grid of ``splits``, as the networks of the zoo take it."""
    class_names: tuple[str, ...]
    splits: Callable[[], Splits]
    test: Callable[[TensorSpec, Say], Dataset]


def _pixels(test: Callable[[Say], Dataset]) -> Callable[[TensorSpec, Say], Dataset]:
    """Pixels are q = p - 128 whatever scale the network gives them, as in a ``.npz`` of uint8."""
    return lambda _, say: test(say)


def _mnist(family: mnist.Family, names: tuple[str, ...]) -> Known:
    test = _pixels(lambda say: mnist.official_test(family, say))
    return Known(mnist.SPEC, names, lambda: mnist.splits(family), test)


DATASETS = {
    "cifar10": Known(
        cifar10.SPEC, cifar10.CLASS_NAMES, cifar10.cifar10, _pixels(cifar10.official_test)
    ),
    "digits": Known(
        digits.SPEC, digits.CLASS_NAMES, digits.digits, _pixels(lambda _: digits.digits().test)
    ),
    "fashion_mnist": _mnist(mnist.FASHION, mnist.FASHION_NAMES),
    "mnist": _mnist(mnist.MNIST, mnist.CLASS_NAMES),
    "speech_commands": Known(
        speech_commands.SPEC,
        speech_commands.CLASS_NAMES,
        speech_commands.splits,
        lambda spec, say: speech_commands.official_test(spec, say=say),
    ),
    "svhn": Known(
        svhn.SPEC, svhn.CLASS_NAMES, svhn.splits, _pixels(lambda say: svhn.official_test(say=say))
    ),
    "vww": Known(
        visual_wake_words.SPEC,
        visual_wake_words.CLASS_NAMES,
        visual_wake_words.splits,
        _pixels(lambda say: visual_wake_words.official_test(say=say)),
    ),
}


def test_set(
    name: str, spec: TensorSpec, outputs: int, say: Say
) -> tuple[Dataset, tuple[str, ...]]:
    """The test part of data set ``name`` on ``spec``, and its class names.

    Dimensions of 1 may be missing or added. Raises UsageError on an unknown name, where the network
    takes another shape or has another number of outputs, and where the data cannot be had.
    """
    known = DATASETS.get(name)
    if known is None:
        raise UsageError(f"{name}: no such file, nor a data set: {nearest(name, DATASETS)}")
    if [n for n in known.spec.shape if n != 1] != [n for n in spec.shape if n != 1]:
        raise UsageError(
            f"{name}: samples of shape {known.spec.shape}, the model takes {spec.shape}"
        )
    if len(known.class_names) != outputs:
        raise UsageError(
            f"{name}: {len(known.class_names)} classes, the model has {outputs} outputs"
        )
    data = known.test(spec, say)
    return dataset(
        data.name, data.q.reshape(len(data.q), *spec.shape), data.labels
    ), known.class_names

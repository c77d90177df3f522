"""Keras files that would run code, read other files or ask for terabytes: one line each, nothing
happens."""

import contextlib
import copy
import json
import re
import shutil
import struct
import zipfile
import zlib

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.keras_files.payloads import payloads
from tinyrobust.core.errors import UsageError
from tinyrobust.models.keras.files.load import load_keras
from tinyrobust.models.keras.tf import keras

from qkeras import QActivation, QDense  # isort: skip  (after tinyrobust.models.keras.tf)

pytestmark = pytest.mark.slow
L = keras.layers
KINDS = (".h5", ".keras", "")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """One network in all three containers, and its description."""
    folder = tmp_path_factory.mktemp("whole")
    x = inputs = L.Input((4, 4, 1), name="image")
    x = L.Conv2D(2, 3, activation="relu", name="conv")(x)
    x = L.Flatten()(L.Add(name="add")([x, L.BatchNormalization(name="norm")(x)]))
    x = QActivation("quantized_relu(4)", name="relu")(x)
    dense = QDense(2, kernel_quantizer="quantized_bits(4,0,1)", name="dense")
    model = keras.Model(inputs, keras.Sequential([dense, L.Softmax()], name="head")(x))
    for kind in KINDS:
        model.save(folder / f"m{kind}")
    with h5py.File(folder / "m.h5") as file:
        return folder, json.loads(file.attrs["model_config"])


def rewritten(whole, path, description):
    """The network at ``path``, of whatever kind it is, with another description."""
    folder, _ = whole
    text = json.dumps(description)
    if path.suffix == ".h5":
        shutil.copy(folder / "m.h5", path)
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"] = text
    elif path.suffix == ".keras":
        with zipfile.ZipFile(folder / "m.keras") as old, zipfile.ZipFile(path, "w") as new:
            for item in old.namelist():
                new.writestr(item, text if item == "config.json" else old.read(item))
    else:
        from tf_keras.protobuf import saved_metadata_pb2

        shutil.copytree(folder / "m", path, dirs_exist_ok=True)
        saved = saved_metadata_pb2.SavedMetadata()
        saved.ParseFromString((path / "keras_metadata.pb").read_bytes())
        saved.nodes[0].metadata = text
        (path / "keras_metadata.pb").write_bytes(saved.SerializeToString())
    return path


def places(node, path=()):
    """Where something can be put into a description."""
    found = [path]
    entries = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, value in entries:
        found += places(value, (*path, key))
    return found


def put(description, place, value):
    """A copy of ``description`` with ``value`` at ``place``."""
    if not place:
        return value
    description = copy.deepcopy(description)
    node = description
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    return description


def sequential(*layers):
    first = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "name": "i"}}
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [first, *layers]}}


def refused(path):
    with pytest.raises(UsageError) as err:
        load_keras(path)
    assert str(err.value).isprintable()
    assert str(err.value).startswith(f"{path}: ")
    return str(err.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_lambda_layer_is_refused_by_its_class_whatever_its_name(tmp_path, whole, kind):
    trap = tmp_path / "trap"
    for payload in payloads(trap):
        for description in (sequential(payload), put(whole[1], ("config", "layers", 2), payload)):
            message = refused(rewritten(whole, tmp_path / f"p{kind}", description))
            if payload["class_name"] == "Lambda":
                assert "is a Lambda layer, which is code" in message
    assert not trap.exists()


def test_the_payload_does_what_it_threatens(tmp_path, whole):
    """In Keras's own loader, in its safe mode. Or the tests around this one would prove nothing."""
    trap = tmp_path / "trap"
    path = rewritten(whole, tmp_path / "p.h5", sequential(payloads(trap)[0]))
    with contextlib.suppress(Exception):
        keras.models.load_model(path, compile=False, safe_mode=True)
    assert trap.exists()


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_code_at_any_place_of_a_description_is_never_run(tmp_path, whole, data):
    _fuzz(tmp_path, whole, data)


@pytest.mark.deep
@settings(max_examples=600, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_code_at_any_place_of_a_description_is_never_run_many_times(tmp_path, whole, data):
    _fuzz(tmp_path, whole, data)


WORDS = st.sampled_from(
    ["", "x", "Dense", "Lambda", "linear", "__tuple__", "float32", "\x1b[2J", "../x", "a" * 400]
)
NUMBERS = st.sampled_from(
    [0, -1, 2**31 - 1, 2**31, 2**63, 2**64, 1e308, float("nan"), float("inf")]
) | st.integers(-3, 9)
LEAVES = st.none() | st.booleans() | NUMBERS | WORDS
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


def _fuzz(tmp_path, whole, data):
    trap, description = tmp_path / "trap", whole[1]
    for _ in range(data.draw(st.integers(1, 3))):
        value = data.draw(st.sampled_from(payloads(trap)) | JSON)
        description = put(description, data.draw(st.sampled_from(places(description))), value)
    try:
        load_keras(rewritten(whole, tmp_path / "p.h5", description))
    except UsageError as err:
        assert str(err).isprintable()  # noqa: PT017 - most are refused, some are harmless
    assert not trap.exists()


def billion():
    """Models in models, each of which is called twice: two to the power of their number of
    calls."""
    inner = {"class_name": "Activation", "config": {"name": "a", "activation": "relu"}, "name": "a"}
    wired = [[["i", 0, 0, {}]]]
    for depth in range(15):
        first = {
            "class_name": "InputLayer",
            "config": {"batch_input_shape": [None, 4], "name": "i"},
            "name": "i",
        }
        once = 0 if depth == 0 else 1
        inner = inner | {"inbound_nodes": [*wired, [[[inner["name"], once, 0, {}]]]]}
        config = {"layers": [{**first, "inbound_nodes": []}, inner], "input_layers": [["i", 0, 0]]}
        config["output_layers"] = [[inner["name"], once + 1, 0]]
        inner = {
            "class_name": "Functional",
            "config": {"name": f"m{depth}", **config},
            "name": f"m{depth}",
        }
    return inner


def deep(depth):
    node = {"class_name": "Dense", "config": {"units": 2}}
    for _ in range(depth):
        node = sequential(node)
    return node


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        (
            sequential({"class_name": "Dense", "config": {"units": 2**31}}),
            r"\(Dense\) has an option beyond 2147483647",
        ),
        (
            sequential({"class_name": "Dense", "config": {"units": 2**31 - 1, "name": "d"}}),
            r"layer d \(Dense\): Keras cannot build it \(its weights kernel \[4, "
            r"2147483647\] are too large",
        ),
        (
            sequential(*[{"class_name": "Dense", "config": {"units": 2**14}}] * 3),
            r"its weights kernel \[16384, 16384\] are too large; 134217728 numbers fit",
        ),
        (
            sequential({"class_name": "RepeatVector", "config": {"n": 2**30, "name": "r"}}),
            r"layer r \(RepeatVector\) has an output of \[1073741824, 4\], at most "
            r"16777216 elements",
        ),
        (
            sequential(
                {"class_name": "QActivation", "config": {"activation": "quantized_relu(99999999)"}}
            ),
            "whose numbers are too large",
        ),
        (
            sequential({"class_name": "QActivation", "config": {"activation": "open('x')"}}),
            "none of QKeras 0.9's",
        ),
        (
            sequential(*[{"class_name": "ReLU", "config": {}}] * 256),
            r"layer s \(Sequential\) has too many layers; 256 in",
        ),
        (
            sequential({"class_name": "Reshape", "config": {"target_shape": [1] * 70_000}}),
            r"\(Reshape\) has options of more than 65536 values",
        ),
        (
            sequential({"class_name": "LSTM", "config": {"units": 2, "name": "l"}}),
            r"layer l \(LSTM\) is none of the layers",
        ),
        (
            sequential(
                {
                    "class_name": "Dense",
                    "registered_name": "mine>Dense",
                    "config": {"units": 2, "name": "d"},
                }
            ),
            r"layer d \(Dense\) is a class of its author's",
        ),
        (
            sequential({"class_name": "Dense\x1b[2J", "config": {}}),
            r"a layer named 'Dense\\x1b\[2J', which is no name",
        ),
        (billion(), "its layers are called more than 2048 times"),
        (deep(20), "is nested more than 16 deep"),
        ({"class_name": "Dense", "config": {"units": 2}}, r"\(Dense\) is no model"),
        ({"class_name": "Sequential"}, r"\(Sequential\) has no configuration"),
        (7, "something that is no layer"),
    ],
    ids=[f"description{i}" for i in range(16)],
)
def test_a_description_that_asks_for_too_much_or_nonsense_is_one_line(
    tmp_path, whole, description, reason
):
    assert re.search(reason, refused(rewritten(whole, tmp_path / "p.h5", description)))


def _linked(file):
    del file["model_weights"]
    file["model_weights"] = h5py.ExternalLink("other.h5", "/model_weights")


def _soft(file):
    file["model_weights/conv2"] = h5py.SoftLink("/model_weights/conv")


def _raw(file):
    """Weights that are the bytes of another file."""
    del file["model_weights/conv/conv/bias:0"]
    file.create_dataset(
        "model_weights/conv/conv/bias:0", (2,), "f4", external=[("/etc/passwd", 0, 8)]
    )


def _virtual(file):
    del file["model_weights/conv/conv/bias:0"]
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "bias", (2,))
    file.create_virtual_dataset("model_weights/conv/conv/bias:0", layout)


def _bomb(file):
    file.create_dataset(
        "model_weights/bomb", (1 << 40,), "f4", chunks=(1 << 16,), compression="gzip"
    )


def _text(file):
    file["model_weights/text"] = "words"


def _missing(file):
    del file["model_weights/conv/conv/bias:0"]


def _not_numbers(file):
    file["model_weights/conv/conv/bias:0"][:] = np.nan


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_linked, "its 'model_weights' is a link; weights must lie in the file itself"),
        (_soft, "its 'model_weights/conv2' is a link"),
        (_raw, "its 'model_weights/conv/conv/bias:0' lies in another file"),
        (_virtual, "its 'model_weights/conv/conv/bias:0' lies in another file"),
        (_bomb, "its arrays have more than 536870912 bytes"),
        (_text, "its 'model_weights/text' is no array of numbers"),
        (_missing, "bias:0"),
        (_not_numbers, "its weights conv/bias:0 are missing, or are no numbers"),
    ],
)
def test_weights_outside_the_file_too_many_or_missing_are_one_line(tmp_path, whole, change, reason):
    shutil.copy(whole[0] / "m.h5", tmp_path / "p.h5")
    with h5py.File(tmp_path / "p.h5", "r+") as file:
        change(file)
    assert reason in refused(tmp_path / "p.h5")


def test_weights_without_a_model_are_told(tmp_path, whole):
    load_keras(whole[0] / "m.h5").save_weights(tmp_path / "p.h5")
    assert "it holds weights without a model; save the whole model with model.save()" in refused(
        tmp_path / "p.h5"
    )


def test_an_archive_that_unpacks_to_too_much_is_refused_unread(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", "{}")
        with archive.open("model.weights.h5", "w") as member:
            for _ in range(520):
                member.write(bytes(1 << 20))
    assert (tmp_path / "bomb.keras").stat().st_size < 1 << 20
    assert "unpacked larger than 536870912 bytes" in refused(tmp_path / "bomb.keras")


def test_an_archive_that_lies_about_its_size_gives_no_more_than_it_says(tmp_path, whole):
    """The directory says 8 bytes, the packed data go on for 64 MiB."""
    data = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = data.compress(bytes(64 << 20)) + data.flush()
    path = tmp_path / "lie.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", packed)
    raw = bytearray(path.read_bytes())
    entry = raw.rindex(b"PK\x01\x02")
    struct.pack_into("<H", raw, entry + 10, zipfile.ZIP_DEFLATED)
    struct.pack_into("<I", raw, entry + 24, 8)
    local = raw.index(b"PK\x03\x04", raw.index(b"metadata.json"))
    struct.pack_into("<H", raw, local + 8, zipfile.ZIP_DEFLATED)
    path.write_bytes(raw)
    assert "not a whole Keras model" in refused(path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_program_in_a_saved_model_is_never_read(tmp_path, whole, kind):
    """Nor anything else but the description and the weights."""
    copied = tmp_path / f"m{kind}"
    (shutil.copytree if kind == "" else shutil.copy)(whole[0] / f"m{kind}", copied)
    if kind == "":
        (copied / "saved_model.pb").write_bytes(b"no program at all")
    x = np.random.default_rng(0).normal(size=(3, 4, 4, 1)).astype(np.float32)
    np.testing.assert_array_equal(load_keras(copied)(x), load_keras(whole[0] / "m.h5")(x))

"""Visual wake words from a small archive over a real server."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.support.served import tar_gz
from tinyrobust.core.errors import UsageError
from tinyrobust.models.data.visual_wake_words import Published, official_test, splits

TEST = [5, 7, 600, 601]


def jpeg(number, size=(96, 96)):
    """The ten bits of ``number`` as white and black bars."""
    bits = np.array([number >> bit & 1 for bit in range(10)], np.uint8).repeat(10)[:96]
    out = io.BytesIO()
    Image.fromarray(np.broadcast_to(bits[:, None, None] * np.uint8(255), (96, 96, 3))).resize(
        size
    ).save(out, "JPEG")
    return out.getvalue()


def numbers_in(data):
    return (data.q[:, 5::10, 48, 1] > 0) @ (1 << np.arange(10))


def name(number, kind=None):
    kind = kind or ("person" if number % 2 else "non_person")
    year = "train" if number < 300 else "val"
    return f"vw_coco2014_96/{kind}/COCO_{year}2014_{number:012d}.jpg"


IMAGES = {name(number): jpeg(number) for number in range(800)}


def publish(server, images=IMAGES, numbers=TEST):
    lines = "".join(f"{n:012d}.bin,2,{n % 2}\n" for n in numbers)
    return Published(
        server.publish("vww", "vw_coco2014_96.tar.gz", tar_gz(images)),
        server.publish("vww", "y_labels.csv", lines.encode()),
    )


def test_parts_share_no_image_and_test_is_the_list(server):
    hidden = {
        "vww_coco2014_96/person/._COCO_train2014_000000000009.jpg": b"what macOS leaves in archives"
    }
    s = splits(publish(server, IMAGES | hidden))
    parts = (s.train, s.validation, s.calibration, s.test)
    assert [len(p.q) for p in parts] == [217, 79, 500, 4]
    assert sorted(np.concatenate([numbers_in(p) for p in parts])) == list(range(800))
    assert set(numbers_in(s.test)) == set(TEST)
    expected = np.asarray(Image.open(io.BytesIO(IMAGES[name(600)]))).astype(int) - 128
    np.testing.assert_array_equal(s.test.q[numbers_in(s.test) == 600], expected[None])
    for p in (s.validation, s.calibration):
        assert abs(np.mean(p.labels) - 0.5) < 0.02


def test_person_is_one(server):
    data = official_test(publish(server, {name(n): jpeg(n) for n in TEST}))
    assert dict(zip(numbers_in(data), data.labels, strict=True)) == {5: 1, 7: 1, 600: 0, 601: 1}


@pytest.mark.parametrize(
    ("images", "numbers", "reason"),
    [
        ({}, [900], "COCO image 900 of the test set is not in it"),
        ({name(900): jpeg(1, (95, 96))}, [900], "COCO image 900: 95x96 pixels"),
        ({name(900): b"no picture"}, [900], "COCO image 900: not a readable JPEG"),
        ({name(900): jpeg(1)[:500]}, [900], "COCO image 900: not a readable JPEG"),
        ({name(6, "person"): jpeg(1)}, TEST, "COCO number 6 is in it twice"),
    ],
)
def test_what_is_wrong_inside_is_named(server, images, numbers, reason):
    with pytest.raises(UsageError, match=reason) as error:
        official_test(publish(server, IMAGES | images, numbers))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("lines", [b"a,b\n", b"x.bin,2,1\n", b"000000000005.bin,2,\xff\n"])
def test_a_list_that_is_none_is_refused(server, lines):
    made = publish(server)
    with pytest.raises(UsageError, match="not lines of file,classes,label"):
        official_test(Published(made.images, server.publish("vww", "y_labels.csv", lines)))

"""Training, command line, SavedModel and phones read the same pixels, or refuse the same files."""

import re
from pathlib import Path

import c_api
import keras
import numpy as np
import picture_files
import pytest
import tensorflow as tf
from PIL import Image

from interpnet_tf import classifiers
from interpnet_tf.data import input_files
from interpnet_tf.data.images import open_image, read_image
from interpnet_tf.export.image_bytes import decode_images
from interpnet_tf.support import picture_file
from interpnet_tf.support.errors import UnreadableFileError

ROOT = Path(__file__).parents[2]
READ, REFUSED = picture_files.read(), picture_files.refused()
SIZE = 16

traced = tf.function(decode_images, reduce_retracing=True)


def decode(files, size):
    return traced(tf.constant(files, tf.string), size)  # one graph for all files of a size


@pytest.fixture(scope="module")
def model(make_model):
    """One that reads pictures."""
    keras.utils.set_random_seed(3)
    return make_model(classifiers.small_cnn((SIZE, SIZE, 3), 3, (20, 10), filters=(8, 8), seed=1))


def test_the_phone_has_the_same_rule():
    theirs = ROOT / "export" / "phone" / "picture_file.py"
    assert theirs.read_bytes() == Path(picture_file.__file__).read_bytes()


@pytest.mark.parametrize("name", READ)
def test_read_alike(name, phone_client, tmp_path):
    path = tmp_path / name
    path.write_bytes(READ[name])
    ours = read_image(path, SIZE)
    np.testing.assert_array_equal(phone_client.read_picture(path, SIZE), ours)
    difference = np.abs(decode([READ[name]], SIZE)[0].numpy().astype(int) - ours)
    with open_image(path) as image:
        # Pillow 13 scales the columns of tall pictures first, and so rounds differently.
        assert difference.max() <= (2 if image.height > image.width else 1)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_all(name, phone_client, tmp_path):
    data, reason = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UnreadableFileError, match=f"{re.escape(name)}.*{reason}"):
        read_image(path, SIZE)
    with pytest.raises(ValueError, match=f"{re.escape(name)}.*{reason}"):
        phone_client.read_picture(path, SIZE)
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode([data], SIZE)


def test_the_served_model_does_so_too(model, tmp_path):
    for name, data in READ.items():
        (tmp_path / name).write_bytes(data)
    _, pictures = input_files.read_inputs([str(tmp_path / name) for name in READ], model.classifier)
    requests = [{"image_bytes": np.array(list(READ.values()), object)}]
    requests += [{"image_bytes": np.array([PNG, data], object)} for data, _ in REFUSED.values()]
    path = model.export(tmp_path / "1", max_batch_size=1)
    served, *errors = c_api.run(path, [("serving_bytes", request) for request in requests], tmp_path)
    expected = model.explain(pictures)
    np.testing.assert_allclose(served["probability"], [e.probability for e in expected], rtol=0.01)
    for name, error in zip(REFUSED, errors, strict=True):
        assert isinstance(error, Exception), name
    by_name = dict(zip(REFUSED, map(str, errors), strict=True))
    assert "image_bytes[1] is no JPEG, PNG or BMP file; convert it to one" in by_name["picture.webp"]
    assert "image_bytes[1] has a damaged header" in by_name["arithmetic.jpg"]
    assert "image_bytes[1] of 65535 x 65535 pixels are not read" in by_name["65535 x 65535.png"]


PNG = READ["colour.png"]
UPRIGHT = np.asarray(picture_files.picture()).astype(int)


@pytest.mark.parametrize(
    ("name", "turned"),
    {
        # What the tag's value says of the stored picture (EXIF 2.3, table 6), undone by hand.
        "1 little short.jpg": lambda x: x,
        "2 little long.jpg": lambda x: x[:, ::-1],
        "3 big short.jpg": lambda x: x[::-1, ::-1],
        "4 big long.jpg": lambda x: x[::-1],
        "5 little short.jpg": lambda x: x.swapaxes(0, 1),
        "6 little short.jpg": lambda x: x[::-1].swapaxes(0, 1),
        "7 big long.jpg": lambda x: x[::-1, ::-1].swapaxes(0, 1),
        "8 little short.jpg": lambda x: x[:, ::-1].swapaxes(0, 1),
        "exif behind 4 KB.jpg": lambda x: x[::-1].swapaxes(0, 1),
        "exif behind 128 KB.jpg": lambda x: x[:, ::-1].swapaxes(0, 1),
        "exif twice.jpg": lambda x: x[::-1].swapaxes(0, 1),
        "turned.png": lambda x: x[::-1].swapaxes(0, 1),
        "turned behind the pixels.png": lambda x: x,
        "only the thumbnail turned.jpg": lambda x: x,
        "only XMP turns.jpg": lambda x: x,
        "orientation 9.jpg": lambda x: x,
        "alpha.png": lambda x: x,
        "top row first.bmp": lambda x: x[::-1],
    }.items(),
)
def test_which_way_up(name, turned, tmp_path):
    (tmp_path / name).write_bytes(READ[name])
    found = np.asarray(open_image(tmp_path / name)).astype(int)
    assert found.shape == turned(UPRIGHT).shape
    assert np.abs(found - turned(UPRIGHT)).mean() < 4  # the JPEG's loss


def test_sixteen_bits_keep_their_upper_eight():
    values = np.array([[0, 255, 256, 0x1234, 0x80FF, 65535]] * 6, ">u2")
    data = picture_files.png(6, 6, 16, 0, picture_files.rows(values))
    assert picture_file.square(data, 6)[0, :, 0].tolist() == [0, 0, 1, 0x12, 0x80, 255]


def test_colours_without_ink():
    """Zero ink is white, whether the file stores ink or, as Adobe's do, what is left of the paper."""
    white = Image.new("CMYK", (32, 32))
    data = picture_files.saved(white, "JPEG")
    assert picture_file.square(data, 8).min() > 250
    bare = picture_files.without(data, b"\xff\xee")  # now the stored 255 is ink
    assert picture_file.square(bare, 8).max() < 5
    assert decode([bare], 8).numpy().max() < 5


def test_no_name_is_trusted(tmp_path):
    (tmp_path / "picture.webp").write_bytes(PNG)
    assert read_image(tmp_path / "picture.webp", 8).shape == (8, 8, 3)


def test_a_folder_is_no_missing_file(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder; name the image files in it"):
        read_image(tmp_path)

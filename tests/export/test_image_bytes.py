"""Pictures decoded in the graph are those that Pillow gives."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from interpnet_tf.data.images import read_image
from interpnet_tf.export.image_bytes import decode_images

traced = tf.function(decode_images, reduce_retracing=True)


def decode(files, size):
    return traced(tf.constant(files, tf.string), size)  # one graph for all files of a size


def picture(height, width, channels=3, seed=0):
    """Soft blobs: positions can be told apart, and JPEG does not garble them."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (6, 8, channels), dtype="uint8").squeeze())
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def files_of(tmp_path, image, kind, **options):
    path = tmp_path / f"picture.{kind}"
    image.save(path, **options)
    return path


def assert_alike(path, size):
    ours, theirs = decode([path.read_bytes()], size)[0].numpy(), read_image(path, size)
    assert ours.shape == theirs.shape == (size, size, 3)
    difference = np.abs(ours.astype(int) - theirs)
    with Image.open(path) as image:
        # Pillow 13 scales the columns of tall pictures first, and so rounds differently.
        tall = ImageOps.exif_transpose(image).height > image.width
    assert difference.max() <= (2 if tall else 1)
    assert (difference > 0).mean() < (0.15 if tall else 0.01)


@pytest.mark.parametrize("kind", ["jpg", "png"])
@pytest.mark.parametrize(
    ("height", "width"),
    [(64, 64), (90, 70), (71, 113), (40, 50), (33, 31), (260, 410), (700, 512), (1100, 1300)],
)
def test_sizes(tmp_path, kind, height, width):
    assert_alike(files_of(tmp_path, picture(height, width), kind), 64)


def test_grey_and_transparent_pictures(tmp_path):
    assert_alike(files_of(tmp_path, picture(80, 60, channels=1), "png"), 32)
    assert_alike(files_of(tmp_path, picture(80, 60, channels=1), "jpg"), 32)
    assert_alike(files_of(tmp_path, picture(80, 60, channels=4), "png"), 32)


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_camera_s_orientation_is_obeyed(tmp_path, orientation, byte_order):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera's maker", orientation
    exif.endian = byte_order
    assert_alike(files_of(tmp_path, picture(90, 120), "jpg", exif=exif.tobytes()), 32)


def test_a_mark_outside_of_exif_means_nothing(tmp_path):
    comment = b"\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00"
    assert_alike(files_of(tmp_path, picture(90, 120), "jpg", comment=comment), 32)


def test_a_batch_of_different_files():
    files = []
    for index, kind in enumerate(["PNG", "JPEG", "PNG"]):
        file = io.BytesIO()
        picture(20 + 7 * index, 30, seed=index).save(file, kind)
        files.append(file.getvalue())
    together = decode(files, 16).numpy()
    for index, file in enumerate(files):
        np.testing.assert_array_equal(together[index], decode([file], 16)[0])
    assert decode([], 16).shape == (0, 16, 16, 3)


@pytest.mark.parametrize("damage", ["truncated", "text", "empty"])
def test_files_that_are_no_pictures_are_refused(tmp_path, damage):
    data = files_of(tmp_path, picture(90, 70), "jpg").read_bytes()
    data = {"truncated": data[: len(data) // 2], "text": b"no picture", "empty": b""}[damage]
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode([data], 16)

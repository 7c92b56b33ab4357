"""Image files to pixels inside the graph, as `data.images.read_image` does it with Pillow."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

_HEAD = 4096  # bytes at a file's beginning in which a camera's orientation mark is looked for
# The entry "orientation, one short integer" of a TIFF directory, in either byte order; its value follows.
_LITTLE_ENDIAN = b"\x12\x01\x03\x00\x01\x00\x00\x00"
_BIG_ENDIAN = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00"


def decode_images(image_bytes: Any, size: int) -> tf.Tensor:
    """Decodes image files, turns them upright, and scales and crops them to squares.

    Args:
        image_bytes: JPEG, PNG or GIF files, string `(batch,)`.
        size: height and width of the result, in pixels.

    Returns:
        uint8 `(batch, size, size, 3)`, what `read_image` gives for the same files up to rounding: a few
        values differ by 1; in tall pictures by 2, as newer versions of Pillow scale their columns first.

    Example:

    >>> red = tf.io.encode_png(tf.constant([[[255, 0, 0]] * 40] * 30, tf.uint8))
    >>> decode_images([red], size=8)[0, 0, 0].numpy().tolist()
    [255, 0, 0]
    """
    return tf.map_fn(
        lambda data: _fit(_upright(_decode(data, size), data), size),
        tf.convert_to_tensor(image_bytes),
        fn_output_signature=tf.TensorSpec((size, size, 3), tf.uint8),
    )


def _is_jpeg(data: tf.Tensor) -> tf.Tensor:
    return tf.equal(tf.strings.substr(data, 0, 3), b"\xff\xd8\xff")


def _decode(data: tf.Tensor, size: int) -> tf.Tensor:
    """Decodes one file; a large JPEG at a fraction of its size, as Pillow's `draft` to twice `size` does."""

    def at(ratio: int) -> Any:
        # This op reads PNG and GIF files, too; the accurate method is Pillow's.
        return lambda: tf.io.decode_jpeg(data, 3, ratio=ratio, dct_method="INTEGER_ACCURATE")

    def reduced() -> tf.Tensor:
        scale = tf.reduce_min(tf.io.extract_jpeg_shape(data)[:2]) // (2 * size)
        index = tf.reduce_sum(tf.cast(scale >= tf.constant([2, 4, 8]), tf.int32))
        return tf.switch_case(index, [at(ratio) for ratio in (1, 2, 4, 8)])

    return tf.cond(_is_jpeg(data), reduced, at(1))


def _upright(image: tf.Tensor, data: tf.Tensor) -> tf.Tensor:
    """Undoes the rotation or reflection that the file's EXIF orientation mark tells of."""
    mark = tf.where(_is_jpeg(data), _orientation(data), 1)

    def any_of(*marks: int) -> tf.Tensor:
        return tf.reduce_any(tf.equal(mark, marks))

    image = tf.cond(any_of(5, 6, 7, 8), lambda: tf.transpose(image, (1, 0, 2)), lambda: image)
    image = tf.cond(any_of(2, 3, 6, 7), lambda: tf.reverse(image, (1,)), lambda: image)
    return tf.cond(any_of(3, 4, 7, 8), lambda: tf.reverse(image, (0,)), lambda: image)


def _orientation(data: tf.Tensor) -> tf.Tensor:
    head = tf.strings.substr(data, 0, _HEAD)
    codes = tf.io.decode_raw(head, tf.uint8)
    codes = tf.pad(codes, [[0, _HEAD + 16 - tf.size(codes)]])

    def found(pattern: bytes) -> tf.Tensor:
        windows = tf.stack([codes[index : index + _HEAD] for index in range(len(pattern))], axis=1)
        return tf.reduce_all(tf.equal(windows, list(pattern)), axis=1)

    def value_behind(pattern: bytes) -> tf.Tensor:
        here = found(pattern)
        begin = tf.argmax(tf.cast(here, tf.int32), output_type=tf.int32)
        return tf.where(tf.reduce_any(here), tf.cast(codes[begin + len(pattern)], tf.int32), 1)

    value = value_behind(_LITTLE_ENDIAN)
    value = tf.where(tf.equal(value, 1), value_behind(_BIG_ENDIAN), value)
    return tf.where(tf.reduce_any(found(b"Exif\x00\x00")), value, 1)


def _fit(image: tf.Tensor, size: int) -> tf.Tensor:
    """Scales the short side to `size` and crops the centre, bicubically, as `PIL.ImageOps.fit` does.

    Pillow scales rows, rounds to whole numbers, and then scales columns; so does this.
    """
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    shorter = tf.minimum(height, width)
    scale = tf.cast(size / shorter, tf.float32)

    def resized(image: tf.Tensor, axis: int) -> tf.Tensor:
        length = tf.shape(image)[axis]
        shift = tf.cast(length - shorter, tf.float32) / 2 * scale
        here = tf.equal([0, 1], axis)
        scaled = tf.raw_ops.ScaleAndTranslate(
            images=image[None],
            size=tf.where(here, size, tf.shape(image)[:2]),
            scale=tf.where(here, scale, 1.0),
            translation=tf.where(here, -shift, 0.0),
            kernel_type="keyscubic",
            antialias=True,
        )[0]
        return tf.cast(tf.clip_by_value(tf.floor(scaled + 0.5), 0, 255), tf.uint8)

    return tf.ensure_shape(resized(resized(image, 1), 0), (size, size, 3))

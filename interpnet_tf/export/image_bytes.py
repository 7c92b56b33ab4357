"""Image files to pixels inside the graph, as `data.images.read_image` does it with Pillow."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from interpnet_tf.export.picture_header import PictureHeader, read_header

# So many pictures are decoded at once, whatever the number of processors: it bounds the memory.
_AT_ONCE = 4


def decode_images(image_bytes: Any, size: int) -> tf.Tensor:
    """Decodes image files, turns them upright, and scales and crops them to squares.

    Args:
        image_bytes: JPEG, PNG or BMP files, string `(batch,)`.
        size: height and width of the result, in pixels.

    Returns:
        uint8 `(batch, size, size, 3)`, what `read_image` gives for the same files up to rounding: a few
        values differ by 1; in tall pictures by 2, as newer versions of Pillow scale their columns first.

    Example:

    >>> red = tf.io.encode_png(tf.constant([[[255, 0, 0]] * 40] * 30, tf.uint8))
    >>> decode_images([red], size=8)[0, 0, 0].numpy().tolist()
    [255, 0, 0]
    """

    def decoded(numbered: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        index, data = numbered
        header = read_header(data, index)
        return _fit(_upright(_decode(data, header, size), header.orientation), size)

    files = tf.convert_to_tensor(image_bytes)
    return tf.map_fn(
        decoded,
        (tf.range(tf.size(files)), files),
        fn_output_signature=tf.TensorSpec((size, size, 3), tf.uint8),
        parallel_iterations=1 if tf.executing_eagerly() else _AT_ONCE,
    )


def _decode(data: tf.Tensor, header: PictureHeader, size: int) -> tf.Tensor:
    """Decodes one file; a large JPEG at a fraction of its size, as Pillow's `draft` to twice `size` does."""

    def jpeg_at(ratio: int) -> Any:
        # The accurate method is Pillow's.
        return lambda: tf.io.decode_jpeg(data, 3, ratio=ratio, dct_method="INTEGER_ACCURATE")

    def jpeg() -> tf.Tensor:
        scale = tf.minimum(header.height, header.width) // (2 * size)
        index = tf.reduce_sum(tf.cast(scale >= [2, 4, 8], tf.int32))
        return tf.switch_case(index, [jpeg_at(ratio) for ratio in (1, 2, 4, 8)])

    return tf.switch_case(
        header.format, [jpeg, lambda: tf.io.decode_png(data, 3), lambda: tf.io.decode_bmp(data, 3)]
    )


def _upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Undoes the rotation or reflection that EXIF's orientation, 1..8, tells of."""

    def any_of(*values: int) -> tf.Tensor:
        return tf.reduce_any(tf.equal(orientation, values))

    image = tf.cond(any_of(5, 6, 7, 8), lambda: tf.transpose(image, (1, 0, 2)), lambda: image)
    image = tf.cond(any_of(2, 3, 6, 7), lambda: tf.reverse(image, (1,)), lambda: image)
    return tf.cond(any_of(3, 4, 7, 8), lambda: tf.reverse(image, (0,)), lambda: image)


def _fit(image: tf.Tensor, size: int) -> tf.Tensor:
    """Scales the short side to `size` and crops the centre, bicubically, as `PIL.ImageOps.fit` does.

    Pillow scales rows, rounds to whole numbers, and then scales columns; so does this.
    """
    shorter = tf.reduce_min(tf.shape(image)[:2])
    # The kernel reaches two pixels, of the new size or the old, over the edge of the centre.
    margin = tf.maximum(2 * shorter // size, 2) + 2
    scale = tf.cast(size / shorter, tf.float32)

    def cropped(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Crops the first axis to what the result sees, and says where in that the centre begins."""
        spare = tf.shape(image)[0] - shorter
        begin = tf.maximum(spare // 2 - margin, 0)
        end = spare // 2 + shorter + margin
        return image[begin:end], tf.cast(spare, tf.float32) / 2 - tf.cast(begin, tf.float32)

    def resized(image: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
        """Scales the first axis; the op is frugal with memory there."""
        scaled = tf.raw_ops.ScaleAndTranslate(
            images=image[None],
            size=tf.stack([size, tf.shape(image)[1]]),
            scale=tf.stack([scale, 1.0]),
            translation=tf.stack([-shift * scale, 0.0]),
            kernel_type="keyscubic",
            antialias=True,
        )[0]
        return tf.cast(tf.clip_by_value(tf.floor(scaled + 0.5), 0, 255), tf.uint8)

    image, down = cropped(image)
    image, across = cropped(tf.transpose(image, (1, 0, 2)))
    rows = tf.transpose(resized(image, across), (1, 0, 2))
    return tf.ensure_shape(resized(rows, down), (size, size, 3))

"""What a picture file tells before its pixels, read inside the graph: the rule of `support.picture_file`."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from interpnet_tf.support.picture_file import MAXIMUM_PIXELS, MAXIMUM_SCANS, MAXIMUM_SEGMENTS, MAXIMUM_SIDE

JPEG, PNG, BMP, OTHER = range(4)
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM")
_NO_PICTURE = "is no JPEG, PNG or BMP file; convert it to one"
_NOT_SOUND = (
    "has a damaged header, or is a JPEG or BMP of a kind that is not read (JPEG: baseline or progressive of "
    f"8 bits, at most {MAXIMUM_SCANS} scans; BMP: 24 bits, not compressed)"
)
_NOT_SMALL = (
    f" pixels are not read: from 1 to {MAXIMUM_PIXELS:,} are, no side above {MAXIMUM_SIDE:,}; scale it down"
)


class PictureHeader(NamedTuple):
    """Scalars: the format, one of `JPEG`, `PNG`, `BMP` and `OTHER`, and what it needs to be decoded."""

    format: tf.Tensor
    width: tf.Tensor
    height: tf.Tensor
    orientation: tf.Tensor


def read_header(data: tf.Tensor, index: tf.Tensor) -> PictureHeader:
    """Reads the header of a picture file, and fails, before anything is decoded, if it is not to be read.

    Args:
        data: the file, a string scalar.
        index: its place in the batch, for the error message.

    Returns:
        The header; only tensors that depend on it are safe from being computed for refused files.
    """
    codes = tf.io.decode_raw(data, tf.uint8)
    format_ = tf.constant(OTHER)
    for number, magic in enumerate(_MAGIC):
        format_ = tf.where(tf.equal(tf.strings.substr(data, 0, len(magic)), magic), number, format_)
    # Each gives: whether the header is sound, width, height, begin and end of the EXIF block.
    sound, width, height, begin, end = tf.switch_case(
        format_, [lambda: _jpeg(codes), lambda: _png(codes), lambda: _bmp(codes), lambda: _nothing(False)]
    )
    small = (width > 0) & (height > 0) & (width <= MAXIMUM_SIDE) & (height <= MAXIMUM_SIDE)
    small &= width * height <= MAXIMUM_PIXELS
    name = tf.strings.format("image_bytes[{}] ", index)
    checks = (
        (format_ < OTHER, _NO_PICTURE),
        (sound, _NOT_SOUND),
        (small, tf.strings.format(f"of {{}} x {{}}{_NOT_SMALL}", (width, height))),
    )
    for condition, message in checks:
        with tf.control_dependencies([tf.debugging.Assert(condition, [name + message])]):
            format_ = tf.identity(format_)
    orientation = tf.cond(
        end > begin, lambda: _orientation(codes, begin, end), lambda: tf.constant(1, tf.int64)
    )
    return PictureHeader(format_, width, height, orientation)


def _number(codes: tf.Tensor, position: Any, count: int, little: Any = False) -> tf.Tensor:
    """Returns the number, int64, that `count` bytes from `position` on make; missing bytes are 0."""
    digits = tf.cast(codes[position : position + count], tf.int64)
    digits = tf.pad(digits, [[0, count - tf.size(digits)]])
    return tf.reduce_sum(digits * _weights(count, little))


def _weights(count: int, little: Any) -> tf.Tensor:
    """Returns what each of a number's bytes counts, int64 `(count,)`."""
    weights = [256**place for place in range(count)]
    return tf.where(little, tf.constant(weights, tf.int64), tf.constant(weights[::-1], tf.int64))


def _text(codes: tf.Tensor, position: Any, expected: bytes) -> tf.Tensor:
    """Whether the bytes from `position` on are `expected`."""
    found = codes[position : position + len(expected)]
    found = tf.pad(found, [[0, len(expected) - tf.size(found)]])
    return tf.reduce_all(tf.equal(found, list(expected)))


def _nothing(sound: Any, width: Any = 0, height: Any = 0) -> tuple[tf.Tensor, ...]:
    return (tf.convert_to_tensor(sound), *(tf.cast(number, tf.int64) for number in (width, height, 0, 0)))


def _steps(step: Any, begin: int) -> tuple[tf.Tensor, ...]:
    """Walks over the segments of a file from `begin` on until `step` no longer wants to go on."""
    zeros = (tf.constant(0, tf.int64) for _ in range(4))
    return tf.while_loop(
        lambda going, *_: going,
        step,
        (tf.constant(True), tf.constant(False), tf.constant(begin, tf.int64), *zeros),
        maximum_iterations=MAXIMUM_SEGMENTS,
        parallel_iterations=1,
    )


def _jpeg(codes: tf.Tensor) -> tuple[tf.Tensor, ...]:
    size = tf.size(codes, tf.int64)

    def step(going: Any, sound: Any, position: Any, width: Any, height: Any, begin: Any, end: Any) -> Any:
        marker = _number(codes, position + 1, 1)
        is_segment = _text(codes, position, b"\xff") & (marker >= 0xC0) & ((marker < 0xD0) | (marker > 0xD9))
        is_filling = is_segment & tf.equal(marker, 0xFF)
        length = _number(codes, position + 2, 2)
        after = position + 2 + length
        is_segment &= is_filling | ((length >= 2) & (after <= size))
        is_frame = (marker < 0xD0) & tf.reduce_all(tf.not_equal(marker, [0xC4, 0xC8, 0xCC]))
        depth, colours = _number(codes, position + 4, 1), _number(codes, position + 9, 1)
        is_known = (marker <= 0xC2) & (length >= 8) & tf.equal(depth, 8) & tf.equal(width, 0)
        is_known &= tf.reduce_any(tf.equal(colours, [1, 3, 4]))
        is_exif = tf.equal(marker, 0xE1) & (length >= 8) & _text(codes, position + 4, b"Exif\0\0")
        is_exif &= tf.equal(begin, 0)
        is_scan = tf.equal(marker, 0xDA)
        going = is_segment & ~is_scan & (~is_frame | is_known)
        return (
            going,
            is_segment & is_scan,
            tf.where(is_filling, position + 1, after),
            tf.where(is_frame, _number(codes, position + 7, 2), width),
            tf.where(is_frame, _number(codes, position + 5, 2), height),
            tf.where(is_exif, position + 10, begin),
            tf.where(is_exif, after, end),
        )

    _, sound, _, *numbers = _steps(step, begin=2)
    scans = tf.math.count_nonzero(tf.equal(codes[:-1], 0xFF) & tf.equal(codes[1:], 0xDA))
    return (sound & (scans <= MAXIMUM_SCANS), *numbers)


def _png(codes: tf.Tensor) -> tuple[tf.Tensor, ...]:
    size = tf.size(codes, tf.int64)
    width, height = _number(codes, 16, 4), _number(codes, 20, 4)

    def step(going: Any, sound: Any, position: Any, width: Any, height: Any, begin: Any, end: Any) -> Any:
        after = position + 12 + _number(codes, position, 4)
        is_whole = after <= size
        is_exif = _text(codes, position + 4, b"eXIf") & tf.equal(begin, 0)
        is_pixels = _text(codes, position + 4, b"IDAT")
        return (
            is_whole & ~is_pixels,
            is_whole & is_pixels,
            after,
            width,
            height,
            tf.where(is_exif, position + 8, begin),
            tf.where(is_exif, after - 4, end),
        )

    _, sound, _, _, _, begin, end = _steps(step, begin=8)
    return sound & _text(codes, 8, b"\0\0\0\rIHDR"), width, height, begin, end


def _bmp(codes: tf.Tensor) -> tuple[tf.Tensor, ...]:
    offset, kind, width, height, planes, bits, compression = (
        _number(codes, position, count, little=True)
        for position, count in ((10, 4), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2), (30, 4))
    )
    height = tf.where(height < 2**31, height, 2**32 - height)  # negative where the top row comes first
    sound = tf.reduce_any(tf.equal(kind, [40, 108, 124])) & tf.equal(planes, 1) & tf.equal(bits, 24)
    sound &= tf.equal(compression, 0) & (offset >= 14 + kind)
    sound &= tf.equal(tf.size(codes, tf.int64), offset + (3 * width + 3) // 4 * 4 * height)
    return _nothing(sound, width, height)


def _orientation(codes: tf.Tensor, begin: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
    """Returns the orientation that the first directory of an EXIF block tells, 1 where it tells none."""
    tiff = codes[begin:end]
    little = _text(tiff, 0, b"II*\0")
    first = _number(tiff, 4, 4, little)
    count = _number(tiff, first, 2, little)
    entries = tf.cast(tiff[first + 2 : first + 2 + 12 * count], tf.int64)
    entries = tf.reshape(entries[: tf.size(entries) // 12 * 12], (-1, 12))

    def column(begin: int, end: int) -> tf.Tensor:
        return tf.reduce_sum(entries[:, begin:end] * _weights(end - begin, little), axis=1)

    is_here = tf.equal(column(0, 2), 0x0112)
    is_first = is_here & tf.equal(tf.cumsum(tf.cast(is_here, tf.int32)), 1)
    short, long = tf.equal(column(2, 4), 3), tf.equal(column(2, 4), 4)
    value = tf.where(short, column(8, 10), tf.where(long, column(8, 12), 1))
    value = tf.where(tf.equal(column(4, 8), 1) & (value >= 1) & (value <= 8), value, 1)
    value = tf.reduce_sum(tf.where(is_first, value, 0))
    return tf.where((little | _text(tiff, 0, b"MM\0*")) & (value > 0), value, 1)

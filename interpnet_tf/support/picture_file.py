"""Picture files to pixels: the one rule for training, the command line, exported graphs and phones.

JPEG, PNG and BMP files are read, by their content and not by their names:

- JPEG: baseline or progressive, 8 bits, grey, colour or CMYK, of at most 100 scans;
- PNG: every kind; of 16 bits the upper 8 count; transparency is ignored, the colours below it are seen;
- BMP: 24 bits a pixel, not compressed;
- at most 67,108,864 pixels (8192 x 8192), no side above 1,000,000, and at most 1000 segments or
  chunks before the pixels, all told by the header, before anything is decoded;
- which way up: the tag "orientation" (one SHORT or LONG in 1..8) of the first image directory of the first
  EXIF block, in JPEG before the first scan, in PNG before the pixels. A thumbnail's mark, XMP, gamma and
  colour profiles are ignored;
- anything else, GIF, WebP, TIFF and AVIF among it, and every damaged or truncated file is refused.

`interpnet_tf.export.picture_header` is the same rule as a TensorFlow graph.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageChops, ImageOps

MAXIMUM_PIXELS = 2**26
MAXIMUM_SIDE = 1_000_000
MAXIMUM_SEGMENTS = 1000
MAXIMUM_SCANS = 100  # each scan of a progressive JPEG is a pass over all of the picture

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}  # by colour type
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_WHOLE = ((0, 0, 1, 1),)  # first row, first column, distance of rows, of columns
_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class PictureFile(NamedTuple):
    """A picture file as its header tells it; `content` is the file without what is no pixel."""

    format: str
    width: int
    height: int
    orientation: int
    content: bytes


def square(data: bytes, size: int) -> np.ndarray:
    """Decodes a picture file, turns it upright, scales the short side to `size` and crops the centre.

    Args:
        data: the file's bytes.
        size: height and width of the result, in pixels.

    Returns:
        uint8 `(size, size, 3)`, RGB.

    Raises:
        ValueError: if the file is not one that is read; the message says why.
    """
    # A JPEG decodes several times faster at a fraction of its size; twice the wanted size is left for the
    # resize, which loses no visible detail.
    image = decode(data, least_size=2 * size)
    return np.asarray(ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC))


def decode(data: bytes, least_size: int | None = None) -> Image.Image:
    """Decodes a picture file and turns it upright; RGB.

    Args:
        data: the file's bytes.
        least_size: a JPEG may come smaller than it is, but not below this height and width, in pixels.

    Raises:
        ValueError: if the file is not one that is read; the message says why.
    """
    file = read_header(data)
    try:
        image = _decoded(file, least_size)
    except (OSError, SyntaxError, ValueError, zlib.error, Image.DecompressionBombError) as error:
        raise ValueError(f"it is damaged: {error}") from error
    return image.transpose(_UPRIGHT[file.orientation]) if file.orientation in _UPRIGHT else image


def _decoded(file: PictureFile, least_size: int | None) -> Image.Image:
    if file.format == "PNG":
        _check_rows(file.content)
    with Image.open(io.BytesIO(file.content), formats=[file.format]) as image:
        if least_size is not None:
            image.draft("RGB", (least_size, least_size))
        image.load()
        if image.mode == "I;16":
            return Image.fromarray((np.asarray(image) >> 8).astype("uint8")).convert("RGB")
        if image.mode == "CMYK" and "adobe" not in image.info:
            # Pillow takes all for Adobe's, which stores the inverse.
            return ImageChops.invert(image).convert("RGB")
        return image.convert("RGB")


def read_header(data: bytes) -> PictureFile:
    """Reads what a picture file tells before its pixels.

    Raises:
        ValueError: if the file is not one that is read; the message says why.
    """
    if data.startswith(b"\xff\xd8\xff"):
        file = _read_jpeg(data)
    elif data.startswith(_PNG):
        file = _read_png(data)
    elif data.startswith(b"BM"):
        file = _read_bmp(data)
    else:
        raise ValueError(
            f"it is no JPEG, PNG or BMP file (it begins with {data[:12]!r}); convert it, for example with "
            "Pillow: Image.open(file).convert('RGB').save('picture.png')"
        )
    if not (0 < file.width <= MAXIMUM_SIDE and 0 < file.height <= MAXIMUM_SIDE) or (
        file.width * file.height > MAXIMUM_PIXELS
    ):
        raise ValueError(
            f"it has {file.width} x {file.height} pixels, and from 1 to {MAXIMUM_PIXELS:,} are read, no side "
            f"above {MAXIMUM_SIDE:,}; scale it down"
        )
    return file


def _read_jpeg(data: bytes) -> PictureFile:
    position, pieces, frame, orientation = 2, [data[:2]], None, None
    for _ in range(MAXIMUM_SEGMENTS):
        start, marker = data[position : position + 2].ljust(2, b"\0")
        length = int.from_bytes(data[position + 2 : position + 4])
        end = position + 2 + length
        if start == marker == 0xFF:  # bytes may fill the space between segments
            position += 1
            continue
        if start != 0xFF or marker < 0xC0 or 0xD0 <= marker <= 0xD9 or length < 2 or end > len(data):
            raise ValueError("its header is damaged or cut short")
        body = data[position + 4 : end]
        if marker == 0xE1 and body.startswith(b"Exif\0\0") and orientation is None:
            orientation = _orientation(body[6:])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            if marker > 0xC2 or len(body) < 6 or body[0] != 8 or body[5] not in (1, 3, 4) or frame:
                raise ValueError("it is no baseline or progressive JPEG of 8 bits and 1, 3 or 4 colours")
            frame = struct.unpack(">HH", body[1:5])
        if marker == 0xDA:
            break
        if marker < 0xE0 or marker in (0xE0, 0xEE):  # JFIF and Adobe tell what the colours are
            pieces.append(data[position:end])
        position = end
    else:
        raise ValueError(f"its header has more than {MAXIMUM_SEGMENTS} segments")
    if frame is None:
        raise ValueError("its header is damaged: the size is missing")
    if data.count(b"\xff\xda") > MAXIMUM_SCANS:
        raise ValueError(f"it has more than {MAXIMUM_SCANS} scans; save it as a baseline JPEG")
    if data.find(b"\xff\xd9", position) < 0:
        raise ValueError("it is damaged: cut short")
    return PictureFile("JPEG", frame[1], frame[0], orientation or 1, b"".join([*pieces, data[position:]]))


def _read_png(data: bytes) -> PictureFile:
    if data[8:16] != b"\0\0\0\rIHDR" or len(data) < 33:
        raise ValueError("its header is damaged or cut short")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", data[16:29])
    if depth not in _PNG_DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise ValueError("its header is damaged")
    position, pieces, orientation, kinds, kind = 8, [_PNG], None, set(), b""
    count = 0
    while kind != b"IEND":
        before, kind = kind, data[position + 4 : position + 8]
        length = int.from_bytes(data[position : position + 4])
        end = position + 12 + length
        if end > len(data):
            raise ValueError("it is cut short")
        if not kind.isalpha():
            raise ValueError(f"it is damaged: unknown part {kind!r}")
        if kind[0] & 0x20 == 0:  # an upper-case letter: the picture cannot be decoded without
            _check_part(kind, length, colour, kinds)
            if zlib.crc32(data[position + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
                raise ValueError(f"it is damaged: wrong check sum of part {kind.decode()}")
            if not (kind == b"IDAT" and b"IDAT" in kinds and before != b"IDAT"):  # the pixels are in one run
                pieces.append(data[position:end])
        elif kind == b"eXIf" and b"IDAT" not in kinds and orientation is None:
            orientation = _orientation(data[position + 8 : end - 4])
        position, kinds, count = end, kinds | {kind}, count + (b"IDAT" not in kinds)
        if count > MAXIMUM_SEGMENTS:
            raise ValueError(f"it has more than {MAXIMUM_SEGMENTS} parts before the pixels")
    if b"IDAT" not in kinds:
        raise ValueError("it is damaged: pixels are missing")
    return PictureFile("PNG", width, height, orientation or 1, b"".join(pieces))


def _check_part(kind: bytes, length: int, colour: int, before: set[bytes]) -> None:
    """Refuses a part of a PNG that libpng refuses, by which the other readers decode; Pillow takes it."""
    if kind not in (b"IHDR", b"PLTE", b"IDAT", b"IEND"):
        raise ValueError(f"it is damaged: unknown part {kind!r}")
    if kind in before and kind != b"IDAT":
        raise ValueError(f"it is damaged: part {kind.decode()} is there twice")
    if kind == b"IDAT" and colour == 3 and b"PLTE" not in before:
        raise ValueError("it is damaged: the palette is missing")
    lengths = {2: range(1, 2**31), 3: range(3, 769, 3), 6: range(1, 2**31)}  # only colour 3 uses it
    if kind == b"PLTE" and colour in lengths and length not in lengths[colour]:
        raise ValueError(f"it is damaged: a palette of {length} bytes")


def _check_rows(content: bytes) -> None:
    """Refuses a PNG whose pixels are fewer than they should be, or lack their end: Pillow fills in black."""
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", content[16:29])
    missing = 0
    for row, column, down, across in _ADAM7 if interlace else _WHOLE:
        columns = (width - column + across - 1) // across
        bytes_a_row = 1 + (columns * depth * _PNG_CHANNELS[colour] + 7) // 8
        missing += bytes_a_row * ((height - row + down - 1) // down) if columns > 0 else 0
    inflater, position, at_once = zlib.decompressobj(), 8, 2**20
    while missing >= 0 and not inflater.eof and position < len(content):
        end = position + 12 + int.from_bytes(content[position : position + 4])
        packed = content[position + 8 : end - 4] if content[position + 4 : position + 8] == b"IDAT" else b""
        while missing >= 0 and (unpacked := inflater.decompress(packed, at_once)):
            missing -= len(unpacked)
            packed = inflater.unconsumed_tail
        position = end
    if missing > 0:
        raise ValueError("rows of pixels are missing")
    if missing == 0 and not inflater.eof:
        raise ValueError("the end of its pixels is missing")


def _read_bmp(data: bytes) -> PictureFile:
    if len(data) < 54:
        raise ValueError("its header is cut short")
    offset, kind, width, height, planes, bits, compression = struct.unpack("<IIiiHHI", data[10:34])
    if kind not in (40, 108, 124) or (planes, bits, compression) != (1, 24, 0):
        raise ValueError("it is no BMP file of 24 bits a pixel without compression; convert it to PNG")
    if offset < 14 + kind or len(data) != offset + (3 * width + 3) // 4 * 4 * abs(height):
        raise ValueError("it is damaged or cut short")
    return PictureFile("BMP", width, abs(height), 1, data)


def _orientation(tiff: bytes) -> int:
    """Returns the orientation that the first directory of an EXIF block tells, 1 where it tells none."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 1
    (begin,) = struct.unpack(f"{order}I", tiff[4:8])
    if begin + 2 > len(tiff):
        return 1
    (count,) = struct.unpack(f"{order}H", tiff[begin : begin + 2])
    entries = tiff[begin + 2 : begin + 2 + 12 * count]
    for entry in range(0, len(entries) - 11, 12):
        tag, kind, length = struct.unpack(f"{order}HHI", entries[entry : entry + 8])
        if tag == 0x0112:
            form = {3: "H2x", 4: "I"}.get(kind)
            if form is None or length != 1:
                return 1
            (value,) = struct.unpack(order + form, entries[entry + 8 : entry + 12])
            return value if 1 <= value <= 8 else 1
    return 1

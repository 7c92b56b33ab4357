"""Awkward picture files, made here: those that are read, and those that are refused."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

WIDTH, HEIGHT = 60, 44


def picture(width: int = WIDTH, height: int = HEIGHT, channels: int = 3, seed: int = 0) -> Image.Image:
    """Soft blobs: positions can be told apart, and JPEG does not garble them."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (6, 8, channels), dtype="uint8").squeeze())
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, depth: int, colour: int, pixels: bytes, *, extra: bytes = b"", interlace: int = 0
):
    """A PNG of filtered rows; `extra` chunks stand before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    rest = chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + rest


def rows(values: np.ndarray) -> bytes:
    """Unfiltered PNG rows of an array `(height, ...)`."""
    return b"".join(b"\0" + row.tobytes() for row in values)


def interlaced(values: np.ndarray) -> bytes:
    """The rows of an array in the seven passes of Adam7 (PNG specification, section 8.2)."""
    passes = (
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    )
    return b"".join(rows(values[y::down, x::across].copy()) for y, x, down, across in passes)


def tiff(
    orientation: int, order: str = "<", kind: int = 3, tag: int = 0x0112, following: bytes = b""
) -> bytes:
    """An EXIF block whose first directory says make and orientation; kind 3 is SHORT, 4 is LONG."""
    value = struct.pack(f"{order}HHIH2x" if kind == 3 else f"{order}HHII", tag, kind, 1, orientation)
    make = struct.pack(f"{order}HHI4s", 0x010F, 2, 4, b"abc\0")
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    next_directory = 8 + 2 + 24 + 4 if following else 0
    return (
        start
        + struct.pack(f"{order}H", 2)
        + make
        + value
        + struct.pack(f"{order}I", next_directory)
        + following
    )


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def exif(block: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + block)


def in_runs(*packed: bytes) -> bytes:
    """A grey PNG of 8 x 4 pixels, compressed, with a comment between the runs of them."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 4, 8, 0, 0, 0, 0))
    runs = chunk(b"tEXt", b"a\0b").join(chunk(b"IDAT", run) for run in packed)
    return b"\x89PNG\r\n\x1a\n" + header + runs + IEND


XMP = segment(
    0xE1,
    b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
    b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/"'
    b' tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>',
)
JPEG = saved(picture(), "JPEG", quality=95)
PNG = saved(picture(), "PNG")
BMP = saved(picture(), "BMP")
IEND = chunk(b"IEND", b"")


def behind_start(*segments: bytes) -> bytes:
    """The JPEG with segments before all others."""
    return JPEG[:2] + b"".join(segments) + JPEG[2:]


def without(data: bytes, marker: bytes) -> bytes:
    begin = data.index(marker)
    return data[:begin] + data[begin + 2 + int.from_bytes(data[begin + 2 : begin + 4]) :]


def read() -> dict[str, bytes]:
    """Files that are read."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    grey16 = (np.linspace(0, 65535, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)).astype(">u2")
    colour16 = np.stack([grey16, grey16[::-1], grey16[:, ::-1]], axis=-1)
    hidden = picture().convert("RGBA")
    hidden.putalpha(picture(channels=1, seed=2))
    palette = picture().quantize(32)
    cmyk = saved(picture(channels=4).convert("CMYK"), "JPEG", quality=95)
    codes = np.arange(32, dtype="uint8").reshape(4, 8)
    files = {
        "colour.png": PNG,
        "grey.png": saved(picture(channels=1), "PNG"),
        "grey and alpha.png": saved(hidden.convert("LA"), "PNG"),
        "alpha.png": saved(hidden, "PNG"),
        "palette.png": saved(palette, "PNG"),
        "transparent palette.png": saved(palette, "PNG", transparency=bytes(range(0, 256, 8))),
        "transparent colour.png": saved(picture(), "PNG", transparency=(10, 20, 30)),
        "palette too short.png": png(8, 4, 8, 3, rows(codes), extra=chunk(b"PLTE", bytes(range(60)))),
        "1 bit.png": saved(picture(channels=1).convert("1"), "PNG"),
        "2 bits.png": png(8, 4, 2, 0, rows(codes[:, :2] * 37)),
        "4 bits.png": png(8, 4, 4, 0, rows(codes[:, :4] * 37)),
        "grey of 16 bits.png": png(WIDTH, HEIGHT, 16, 0, rows(grey16)),
        "grey and alpha of 16 bits.png": png(WIDTH, HEIGHT, 16, 4, rows(colour16[..., :2])),
        "colour of 16 bits.png": png(WIDTH, HEIGHT, 16, 2, rows(colour16)),
        "interlaced.png": png(WIDTH, HEIGHT, 8, 2, interlaced(np.asarray(picture())), interlace=1),
        "interlaced grey of 16 bits.png": png(WIDTH, HEIGHT, 16, 0, interlaced(grey16), interlace=1),
        "turned.png": PNG[:33] + chunk(b"eXIf", tiff(6)) + PNG[33:],
        "turned behind the pixels.png": PNG.removesuffix(IEND) + chunk(b"eXIf", tiff(6)) + IEND,
        "gamma.png": PNG[:33] + chunk(b"gAMA", struct.pack(">I", 100000)) + PNG[33:],
        "more behind the pixels.png": in_runs(
            zlib.compress(rows(codes)) + b"more", b"", zlib.compress(rows(codes[::-1]))
        ),
        "palette of no use.png": PNG[:33] + chunk(b"PLTE", bytes(191)) + PNG[33:],
        "profile.png": saved(picture(), "PNG", icc_profile=profile),
        "wrong sum of a comment.png": PNG[:33] + chunk(b"tEXt", b"a\0b")[:-1] + b"?" + PNG[33:],
        "bytes behind the end.png": PNG + b"more",
        "upright.bmp": BMP,
        "top row first.bmp": BMP[:22] + struct.pack("<i", -HEIGHT) + BMP[26:],
        "baseline.jpg": JPEG,
        "progressive.jpg": saved(picture(), "JPEG", progressive=True),
        "grey.jpg": saved(picture(channels=1), "JPEG"),
        "red, green, blue.jpg": saved(picture(), "JPEG", keep_rgb=True),
        "cmyk of Adobe's.jpg": cmyk,
        "cmyk.jpg": without(cmyk, b"\xff\xee"),
        "large.jpg": saved(picture(1300, 900), "JPEG"),
        "filled.jpg": JPEG[:2] + b"\xff\xff" + JPEG[2:],
        "bytes behind the end.jpg": JPEG + b"more",
        "exif behind 4 KB.jpg": behind_start(segment(0xFE, bytes(5000)), exif(tiff(6))),
        "exif behind 128 KB.jpg": behind_start(segment(0xED, bytes(65000)) * 2, exif(tiff(8))),
        "exif twice.jpg": behind_start(exif(tiff(6)), exif(tiff(3))),
        "only the thumbnail turned.jpg": behind_start(exif(tiff(6, tag=0x0100, following=tiff(6)[8:]))),
        "only XMP turns.jpg": behind_start(XMP),
        "exif cut short.jpg": behind_start(exif(tiff(6)[:-10])),
        "exif of nonsense.jpg": behind_start(exif(b"II*\0\xff\xff\xff\xff" + bytes(40))),
        "exif empty.jpg": behind_start(exif(b"")),
        "orientation 9.jpg": behind_start(exif(tiff(9))),
        "orientation of a signed kind.jpg": behind_start(exif(tiff(6, kind=9))),
        "1 x 1.png": saved(picture(1, 1), "PNG"),
        "1 x 5000.png": saved(picture(1, 5000), "PNG"),
        "5000 x 1.png": saved(picture(5000, 1), "PNG"),
        "5000 x 1.jpg": saved(picture(5000, 1), "JPEG"),
        "1 x 1000000.png": png(1, 1_000_000, 8, 2, bytes(4_000_000)),
        "3 x 2001.png": saved(picture(3, 2001), "PNG"),
    }  # fmt: skip
    for orientation in range(1, 9):
        for order, kind in (("<", 3), (">", 3), ("<", 4), (">", 4)):
            name = (
                f"{orientation} {'little' if order == '<' else 'big'} {'short' if kind == 3 else 'long'}.jpg"
            )
            files[name] = behind_start(exif(tiff(orientation, order, kind)))
    return files


def refused() -> dict[str, tuple[bytes, str]]:
    """Files that are refused, each with a word of the reason that Python gives."""
    frames = [picture(), picture(seed=1)]
    idat = PNG.index(b"IDAT")
    frame = JPEG.index(b"\xff\xc0")
    huge = struct.pack(">HH", 65535, 65535)
    scan = JPEG[JPEG.index(b"\xff\xda") : -2]
    short_rows = rows(np.asarray(picture())[: HEIGHT // 2])
    flipped = bytearray(PNG)
    flipped[idat + 40] ^= 1
    codes, palette = rows(np.arange(32, dtype="uint8").reshape(4, 8)), chunk(b"PLTE", bytes(range(192)))
    return {
        "empty.jpg": (b"", "no JPEG"),
        "page.jpg": (b"<!DOCTYPE html><title>404 Not Found</title>", "no JPEG.*DOCTYPE"),
        "still.gif": (saved(picture(), "GIF"), "no JPEG"),
        "moving.gif": (saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), "no JPEG"),
        "picture.webp": (saved(picture(), "WEBP"), "no JPEG"),
        "picture.tif": (saved(picture(), "TIFF"), "no JPEG"),
        "16 bits.tif": (saved(Image.fromarray(np.zeros((4, 4), "uint16")), "TIFF"), "no JPEG"),
        "32 bits.tif": (saved(Image.fromarray(np.zeros((4, 4), "int32")), "TIFF"), "no JPEG"),
        "float.tif": (saved(Image.fromarray(np.zeros((4, 4), "float32")), "TIFF"), "no JPEG"),
        "picture.avif": (b"\0\0\0\x20ftypavif" + bytes(40), "no JPEG"),
        "half.jpg": (JPEG[: len(JPEG) // 2], "damaged"),
        "without its end.jpg": (JPEG[:-2], "damaged"),
        "header only.jpg": (JPEG[:40], "damaged"),
        "three bytes.jpg": (JPEG[:3], "damaged"),
        "arithmetic.jpg": (JPEG.replace(b"\xff\xc0", b"\xff\xc9", 1), "baseline"),
        "12 bits.jpg": (JPEG[: frame + 4] + b"\x0c" + JPEG[frame + 5 :], "baseline"),
        "no size.jpg": (without(JPEG, b"\xff\xc0"), "size is missing"),
        "65535 x 65535.jpg": (JPEG[: frame + 5] + huge + JPEG[frame + 9 :], "65535 x 65535"),
        "0 rows.jpg": (JPEG[: frame + 5] + b"\0\0" + JPEG[frame + 7 :], "60 x 0"),
        "many segments.jpg": (behind_start(*[segment(0xFE, b"")] * 1001), "segments"),
        "many scans.jpg": (JPEG[:-2] + scan * 100 + b"\xff\xd9", "scans"),
        "half.png": (PNG[: len(PNG) // 2], "cut short"),
        "without its end.png": (PNG[:-12], "cut short"),
        "header only.png": (PNG[:20], "damaged"),
        "half of the rows.png": (png(WIDTH, HEIGHT, 8, 2, short_rows), "damaged"),
        "flipped bit.png": (bytes(flipped), "check sum"),
        "unknown part.png": (PNG[:33] + chunk(b"ABCD", b"") + PNG[33:], "unknown part"),
        "no palette.png": (png(8, 4, 8, 3, rows(np.zeros((4, 8), "uint8"))), "palette"),
        "palette twice.png": (png(8, 4, 8, 3, codes, extra=palette + palette), "PLTE is there twice"),
        "palette behind the pixels.png": (
            png(8, 4, 8, 3, codes).removesuffix(IEND) + palette + IEND,
            "palette is missing",
        ),
        "palette of 191 bytes.png": (
            png(8, 4, 8, 3, codes, extra=chunk(b"PLTE", bytes(191))),
            "palette of 191 bytes",
        ),
        "palette of nothing.png": (PNG[:33] + chunk(b"PLTE", b"") + PNG[33:], "palette of 0 bytes"),
        "header twice.png": (PNG[:33] + PNG[8:], "IHDR is there twice"),
        "part without a name.png": (PNG.removesuffix(IEND) + chunk(b"a1Bc", b"") + IEND, "unknown part"),
        "pixels in two runs.png": (
            in_runs(zlib.compress(codes)[:9], zlib.compress(codes)[9:]),
            "rows of pixels are missing",
        ),
        "no sum of the pixels.png": (in_runs(zlib.compress(codes)[:-4]), "end of its pixels"),
        "no such depth.png": (png(8, 4, 4, 2, rows(np.zeros((4, 12), "uint8"))), "damaged"),
        "65535 x 65535.png": (png(65535, 65535, 1, 0, b""), "65535 x 65535"),
        "1 x 1000001.png": (png(1, 1_000_001, 1, 0, bytes(2_000_002)), "1 x 1000001"),
        "0 x 0.png": (png(0, 0, 8, 2, b""), "0 x 0"),
        "many parts.png": (PNG[:33] + chunk(b"tEXt", b"a\0b") * 1001 + PNG[33:], "parts"),
        "half.bmp": (BMP[:-100], "cut short"),
        "header only.bmp": (BMP[:30], "cut short"),
        "palette.bmp": (saved(picture().quantize(8), "BMP"), "24 bits"),
        "alpha.bmp": (saved(picture().convert("RGBA"), "BMP"), "24 bits"),
        "huge.bmp": (BMP[:18] + struct.pack("<ii", 2**31 - 1, 2**31 - 1) + BMP[26:], "damaged"),
    }

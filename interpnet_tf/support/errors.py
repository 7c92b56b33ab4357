"""Files that cannot be read: one error for whatever the library that reads them raises."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

_LONGEST_REASON = 300


class UnreadableFileError(ValueError):
    """A file that is damaged, cut short or of another kind than its reader expects.

    The message names the file, what is wrong with it and what to do.
    """


@contextlib.contextmanager
def reading(path: str | os.PathLike, kind: str, advice: str) -> Iterator[None]:
    """Turns every error in a block that reads a file into an `UnreadableFileError`.

    The libraries below raise whatever their parsers stumble over, from `KeyError` to `RecursionError`, and
    others in their next version: a list of types would never be whole. Only what the operating system says,
    such as that a file is missing or may not be read, passes as it is, and so does an `UnreadableFileError`.

    Args:
        path: of the file.
        kind: what it should be, such as `"an .npz file of numbers"`.
        advice: what to do.

    Raises:
        UnreadableFileError: if the block raises an error.

    Example:

    >>> with reading("birds.json", "a JSON file", "write it anew"):
    ...     {}["label"]
    Traceback (most recent call last):
    ...
    interpnet_tf.support.errors.UnreadableFileError: birds.json cannot be read as a JSON file \
(KeyError: 'label'); write it anew
    """
    try:
        yield
    except UnreadableFileError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UnreadableFileError(
            f"{os.fspath(path)} cannot be read as {kind} ({_reason(error)}); {advice}"
        ) from error


@contextlib.contextmanager
def writing(path: str | os.PathLike) -> Iterator[None]:
    """Turns TensorFlow's errors in a block that writes files, such as on a full disk, into `OSError`.

    Args:
        path: of what is written, for the message.
    """
    import tensorflow as tf

    try:
        yield
    except tf.errors.OpError as error:
        raise OSError(f"{os.fspath(path)} cannot be written: {error.message}") from error


def _reason(error: Exception) -> str:
    """Returns the first paragraph of an error, short enough for a line; the error itself is the cause."""
    text = " ".join(str(error).strip().split("\n\n")[0].split())
    if len(text) > _LONGEST_REASON:
        text = f"{text[:_LONGEST_REASON]}…"
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}: {text}".rstrip(": ")

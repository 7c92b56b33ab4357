"""One error for every file that cannot be read."""

import errno
import zipfile

import pytest

from interpnet_tf.support.errors import UnreadableFileError, reading


def fail(error):
    with reading("birds.npz", "an .npz file", "write it anew"):
        raise error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyError("label"), "KeyError: 'label'"),
        (zipfile.BadZipFile("bad CRC"), "BadZipFile: bad CRC"),
        (RecursionError(), "RecursionError"),
        (OSError("file signature not found"), "OSError: file signature not found"),
        (ValueError("two\nlines\n\nand a configuration"), "two lines"),
        (ValueError(), "ValueError"),
        (TypeError("x" * 999), f"TypeError: {'x' * 300}…"),
    ],
)
def test_the_message_names_file_reason_and_advice(error, reason):
    with pytest.raises(UnreadableFileError) as caught:
        fail(error)
    assert str(caught.value) == f"birds.npz cannot be read as an .npz file ({reason}); write it anew"
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        UnreadableFileError("birds.npz is said to be damaged already"),
        FileNotFoundError(errno.ENOENT, "No such file"),
        PermissionError(errno.EACCES, "Permission denied"),
        KeyboardInterrupt(),
    ],
)
def test_what_needs_no_translation_passes(error):
    with pytest.raises(type(error)) as caught:
        fail(error)
    assert caught.value is error

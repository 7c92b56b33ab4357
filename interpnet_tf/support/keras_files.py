"""Keras models in `.keras` files, read without running what they hold."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import keras
from packaging.version import Version

from interpnet_tf.support.errors import reading


def read_model(
    path: str | os.PathLike, compile: bool = True, custom_objects: dict[str, Any] | None = None
) -> keras.Model:
    """Reads a Keras model, with Keras' safe mode on.

    Args:
        path: of a `.keras` file.
        compile: whether its optimizer and losses are read, too.
        custom_objects: classes and functions by name that are not registered with Keras.

    Returns:
        The model, of whatever class the file holds.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableFileError: if it is damaged, or no Keras model that can be built here.

    Example:

    >>> read_model("birds.keras")
    Traceback (most recent call last):
    ...
    FileNotFoundError: there is no model file 'birds.keras'
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no model file {str(path)!r}")
    with reading(path, "a Keras model", _advice(path)):
        if path.suffix != ".keras":
            raise ValueError("its name must end in .keras")
        # Keras and HDF5 read parts of an archive without looking at their checksums.
        with zipfile.ZipFile(path) as archive:
            if damaged := archive.testzip():
                raise ValueError(f"its part {damaged!r} is damaged")
        model = keras.saving.load_model(path, custom_objects, compile, safe_mode=True)
        if not isinstance(model, keras.Model):
            raise ValueError(f"it holds a {type(model).__name__}")
    return model


def _advice(path: Path) -> str:
    """Says what to do if Keras cannot read a file."""
    try:
        with zipfile.ZipFile(path) as archive:
            written_with = json.loads(archive.read("metadata.json"))["keras_version"]
        newer = Version(written_with) > Version(keras.__version__)
    except Exception:  # nothing that Keras wrote
        newer = False
    if newer:
        return f"Keras {written_with} wrote it, and this is Keras {keras.__version__}: install that one"
    return (
        "import the modules that register its own layers and functions before, if it has any; "
        "else write it anew, with save"
    )

"""The state of a training in one file: every variable of model and optimizer, and a record beside them."""

from __future__ import annotations

import json
import os
from typing import Any

import keras
import numpy as np

from interpnet_tf.support.atomic import replacing
from interpnet_tf.support.errors import reading

# Keras writes weights as HDF5, which ends the process where the disk is full, reads a damaged file as other
# numbers, and leaves out the states of random generators. An .npz file has a checksum of each array.
_RECORD = "record"


def write(path: str | os.PathLike, model: keras.Model, record: dict[str, Any]) -> None:
    """Writes the state of a training, whole or not at all.

    Args:
        path: of the `.npz` file.
        model: compiled, its optimizer built.
        record: what else belongs to the state, ready for JSON.

    Raises:
        OSError: if it cannot be written, such as on a full disk.
    """
    arrays = [keras.ops.convert_to_numpy(variable) for variable in _variables(model)]
    text = np.frombuffer(json.dumps(record).encode(), "uint8")
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **{_RECORD: text}, **{str(index): array for index, array in enumerate(arrays)})


def read(path: str | os.PathLike) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Reads what `write` wrote.

    Returns:
        The record, and the values of the variables.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableFileError: if it is damaged.
    """
    with reading(path, "the state of a training", "remove it"), np.load(path, allow_pickle=False) as archive:
        arrays = [archive[str(index)] for index in range(len(archive.files) - 1)]
        return json.loads(archive[_RECORD].tobytes()), arrays


def assign(model: keras.Model, arrays: list[np.ndarray], path: str | os.PathLike) -> None:
    """Gives the variables of a model and its optimizer the values that `read` returned.

    Args:
        model: compiled, its optimizer built.
        arrays: the values.
        path: where they come from, for the error message.

    Raises:
        ValueError: if they are those of another model.
    """
    variables = _variables(model)
    if [array.shape for array in arrays] != [tuple(variable.shape) for variable in variables]:
        raise ValueError(
            f"{path} holds the state of another model ({len(arrays)} arrays for {len(variables)} variables, "
            "or other shapes); go on with the model and options that it was begun with, or train anew"
        )
    for variable, array in zip(variables, arrays, strict=True):
        # NumPy has no name for bfloat16, and reads its bytes as they are.
        variable.assign(array.view(variable.dtype) if array.dtype.kind == "V" else array)


def _variables(model: keras.Model) -> list[Any]:
    return [*model.variables, *model.optimizer.variables]

"""Reads the weights in a PyTorch checkpoint without PyTorch, and without running anything it holds."""

from __future__ import annotations

import collections
import dataclasses
import io
import math
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from interpnet_tf.support.errors import reading

# What begins a file of torch.save before version 1.6: a pickle of this number, one of the version, one of
# the machine's properties. Newer ones are zip archives.
_LEGACY_MAGIC, _LEGACY_VERSION = 0x1950A86A20F9469CFC6C, 1001

_DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}


def read_state_dict(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads a state dict that `torch.save` wrote, as NumPy arrays.

    A checkpoint is a pickle, and a pickle may call any function of Python. This reader knows the few names
    of which a state dict consists and refuses every other, so that a file from an unknown hand can do no
    more than be wrong.

    Args:
        path: of a `.pth` or `.pt` file, in the zip format or the one before PyTorch 1.6.

    Returns:
        The tensors by name, in the order of the file.

    Raises:
        FileNotFoundError: if there is no such file.
        UnreadableFileError: if the file is no checkpoint, is damaged, names something that a state dict
            does not need, or holds something else than named tensors.

    Example:

    >>> weights = read_state_dict("efficientnet-lite0.pth")  # doctest: +SKIP
    >>> weights["_conv_stem.weight"].shape  # doctest: +SKIP
    (32, 3, 3, 3)
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {str(path)!r}")
    with reading(path, "a PyTorch state dict", "fetch it again, or write it anew with torch.save"):
        state = _read_zip(path) if zipfile.is_zipfile(path) else _read_legacy(path)
        if not isinstance(state, dict):
            raise ValueError(f"holds a {type(state).__name__}, expected a dict of tensors")
        return {_check_name(name, value): value.array() for name, value in state.items()}


@dataclasses.dataclass
class _Storage:
    """A run of numbers that tensors are views of; in the old format its bytes follow the pickle."""

    dtype: np.dtype
    size: int
    data: bytes = b""


@dataclasses.dataclass
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        """Returns a copy as an array."""
        # Strides may lead out of the buffer, and a stride of 0 makes a huge array of one number.
        numbers = (self.offset, *self.shape, *self.strides)
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        count = math.prod(self.shape)
        if min(numbers) < 0 or count > self.storage.size or (count and last >= self.storage.size):
            raise ValueError(
                f"a tensor of shape {self.shape}, strides {self.strides}, at {self.offset} does not lie in "
                f"its storage of {self.storage.size} numbers"
            )
        values = np.frombuffer(self.storage.data, self.storage.dtype, self.storage.size)
        strides = [step * values.itemsize for step in self.strides]
        view = values[self.offset :] if count else values[:0]
        return np.array(np.ndarray(self.shape, values.dtype, view, strides=strides))


def _rebuild_tensor(
    storage: Any, offset: int, shape: tuple, strides: tuple, requires_grad: bool, hooks: Any, *_: Any
) -> _Tensor:
    """Stands in for `torch._utils._rebuild_tensor_v2`."""
    if not isinstance(storage, _Storage):
        raise ValueError(f"a tensor's storage is a {type(storage).__name__}")
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _Unpickler(pickle.Unpickler):
    """Knows what a state dict consists of, and nothing else."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding="utf-8")
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _DTYPES:
            return np.dtype(_DTYPES[name])
        raise pickle.UnpicklingError(
            f"it names {module}.{name}, which a state dict does not need; nothing was run. Save the "
            "weights alone, with torch.save(model.state_dict(), path)"
        )

    def persistent_load(self, identity: Any) -> _Storage:
        kind, dtype, key, _, size = identity[:5]
        # A sixth item, of the old format, describes a storage inside another: no longer written by 2018.
        if kind != "storage" or not isinstance(dtype, np.dtype) or any(identity[5:]):
            raise ValueError(f"unknown storage {identity!r:.100}")
        return self.storages.setdefault(str(key), _Storage(dtype, size))


def _read_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        pickled = [name for name in archive.namelist() if name.endswith("data.pkl")]
        if len(pickled) != 1:
            raise ValueError(f"the archive holds {len(pickled)} files data.pkl, expected 1")
        folder = pickled[0].removesuffix("data.pkl")
        if f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") != b"little":
            raise ValueError("its numbers are big-endian")
        unpickler = _Unpickler(io.BytesIO(archive.read(pickled[0])))
        state = unpickler.load()
        for key, storage in unpickler.storages.items():
            storage.data = archive.read(f"{folder}data/{key}")
    return state


def _read_legacy(path: Path) -> Any:
    with path.open("rb") as file:
        if _Unpickler(file).load() != _LEGACY_MAGIC or _Unpickler(file).load() != _LEGACY_VERSION:
            raise ValueError("it does not begin as torch.save's files do")
        if not _Unpickler(file).load().get("little_endian"):
            raise ValueError("its numbers are big-endian")
        unpickler = _Unpickler(file)
        state = unpickler.load()
        for key in _Unpickler(file).load():
            storage = unpickler.storages[key]
            size = int.from_bytes(file.read(8), "little")
            if size != storage.size:
                raise ValueError(f"storage {key} holds {size} numbers, expected {storage.size}")
            storage.data = file.read(math.prod((size, storage.dtype.itemsize)))
    return state


def _check_name(name: Any, value: Any) -> str:
    if not isinstance(name, str) or not isinstance(value, _Tensor):
        raise ValueError(f"{name!r:.60} is a {type(value).__name__}, expected named tensors only")
    return name

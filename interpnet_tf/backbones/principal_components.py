"""Long feature vectors made short: projections on the directions in which images differ the most."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from interpnet_tf.support.array_files import read_arrays
from interpnet_tf.support.atomic import replacing

_COLUMNS = 4096  # of the features, turned to float32 at a time
_MEAN_SQUARE = 0.1  # with 1, the paper's MLP learns the training photographs of CUB by heart sooner


@dataclasses.dataclass(frozen=True)
class PrincipalComponents:
    """Projects feature vectors, see `fit`.

    Args:
        mean: float `(width,)`, taken off first.
        basis: float `(width, components)`.

    Call arguments:
        features: `(images, width)`.

    Returns:
        float32 `(images, components)`.

    Example:

    >>> features = np.random.default_rng(0).normal(size=(20, 8))
    >>> PrincipalComponents.fit(features, 3)(features).shape
    (20, 3)
    """

    mean: np.ndarray
    basis: np.ndarray

    @classmethod
    def fit(
        cls, features: np.ndarray, components: int, progress: Callable[[str], None] | None = None
    ) -> PrincipalComponents:
        """Finds the directions in which feature vectors differ the most.

        One number scales them all, so that a projection's entries have a mean square of 0.1.

        Args:
            features: `(images, width)` in any float type; may be wider than there are images.
            components: how many directions.
            progress: called with the name of each step.

        Raises:
            ValueError: if `features` span fewer directions.
        """
        images, width = features.shape
        most = min(images - 1, width)
        if not 1 <= components <= most:
            raise ValueError(
                f"components must be 1 to {most}, for {images} images of {width} features, got {components}"
            )
        say = progress or (lambda step: None)
        say("inner products")
        mean = np.concatenate([part.mean(axis=0) for _, part in _blocks(features)])
        gram = np.zeros((images, images), "float32")
        for columns, part in _blocks(features):
            centred = part - mean[columns]
            gram += centred @ centred.T
        say("directions")
        values, vectors = np.linalg.eigh(gram)
        values, vectors = values[: -components - 1 : -1], vectors[:, : -components - 1 : -1]
        if values[-1] <= values[0] * 1e-6:
            raise ValueError(
                f"components: the features span fewer than {components} directions; ask for less"
            )
        scale = np.sqrt(_MEAN_SQUARE * images * components / values.sum())
        say("basis")
        weights = vectors * (scale / np.sqrt(values))
        basis = [(part - mean[columns]).T @ weights for columns, part in _blocks(features)]
        return cls(mean, np.concatenate(basis))

    def __call__(self, features: np.ndarray) -> np.ndarray:
        if features.shape[-1] != len(self.mean):
            raise ValueError(f"features must be {len(self.mean)} wide, got {features.shape[-1]}")
        projections = np.zeros((len(features), self.basis.shape[1]), "float32")
        for columns, part in _blocks(features):
            projections += (part - self.mean[columns]) @ self.basis[columns].astype("float32")
        return projections

    def save(self, path: str | os.PathLike) -> None:
        """Writes an `.npz` file, whose numbers have 16 bits."""
        with replacing(path) as temporary:
            np.savez(temporary, mean=self.mean.astype("float32"), basis=self.basis.astype("float16"))

    @classmethod
    def read(cls, path: str | os.PathLike) -> PrincipalComponents:
        """Reads what `save` wrote.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it holds something else.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"basis: there is no file {os.fspath(path)!r}")
        arrays, found = read_arrays(path, "mean", "basis")
        if set(arrays) != {"mean", "basis"}:
            raise ValueError(f"{path} holds {found}, not mean and basis; `reduce` writes such files")
        shapes = {name: array.shape for name, array in arrays.items()}
        numbers = all(array.dtype.kind == "f" for array in arrays.values())
        if not numbers or len(shapes["basis"]) != 2 or shapes["mean"] != shapes["basis"][:1]:
            raise ValueError(
                f"{path}: mean and basis must be floats (width,) and (width, components), got {shapes}"
            )
        return cls(**arrays)


def _blocks(features: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields some columns, as a slice, and what stands there in float32."""
    for begin in range(0, features.shape[1], _COLUMNS):
        columns = slice(begin, begin + _COLUMNS)
        yield columns, features[:, columns].astype("float32")

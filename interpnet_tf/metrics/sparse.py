"""A sparse matrix that multiplies dense ones, in NumPy alone."""

from __future__ import annotations

import numpy as np

_BLOCK = 8192  # entries multiplied at a time, so that what is gathered stays in the processor's cache


class SparseMatrix:
    """A matrix of few entries, `(rows, columns)`, to be multiplied from the left.

    Args:
        row: of each entry, any order.
        column: of each entry.
        value: of each entry, float32.
        shape: rows and columns.

    Example:

    >>> matrix = SparseMatrix(np.array([0, 2]), np.array([1, 0]), np.array([2.0, 3.0], "float32"), (3, 2))
    >>> matrix @ np.array([[1.0], [10.0]], "float32")
    array([[20.],
           [ 0.],
           [ 3.]], dtype=float32)
    """

    def __init__(self, row: np.ndarray, column: np.ndarray, value: np.ndarray, shape: tuple[int, int]):
        order = np.argsort(row, kind="stable")
        self.shape = shape
        self._row, self._column = row[order], column[order]
        self._value = value[order].astype("float32")[:, None]
        # Where each row that has entries starts; blocks of whole rows.
        self._filled, self._starts = np.unique(self._row, return_index=True)
        ends = np.append(self._starts[1:], len(order))
        blocks = 1 + np.searchsorted(ends, np.arange(_BLOCK, len(order) + _BLOCK, _BLOCK))
        self._blocks = np.unique(np.minimum(blocks, len(ends))) if len(order) else ()

    @property
    def transposed(self) -> SparseMatrix:
        """The matrix `(columns, rows)`."""
        return SparseMatrix(self._column, self._row, self._value[:, 0], self.shape[::-1])

    def __matmul__(self, dense: np.ndarray) -> np.ndarray:
        product = np.zeros((self.shape[0], dense.shape[1]), "float32")
        first = 0
        for last in self._blocks:
            begin = self._starts[first]
            end = self._starts[last] if last < len(self._starts) else len(self._row)
            terms = dense[self._column[begin:end]] * self._value[begin:end]
            product[self._filled[first:last]] = np.add.reduceat(terms, self._starts[first:last] - begin)
            first = last
        return product

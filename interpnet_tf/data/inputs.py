"""What a classifier reads, from whatever form it comes in, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.data.columns import by_input, kind_of, to_array
from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.data.streams import batches, is_stream
from interpnet_tf.data.tables import cells_by_column, is_table
from interpnet_tf.support.checks import check_whole


def input_batches(x: Any, batch_size: int, expected: Any = None, steps: int | None = None) -> Iterator[Any]:
    """Yields what a classifier reads, `batch_size` examples at a time.

    Args:
        x: array or structure of arrays, see `read_arrays`; or a stream of batches, see `is_stream`, of which
            the first part is taken where they are tuples, as `keras.Model.predict` does.
        batch_size: examples a batch; a stream has its own.
        expected: the classifier's `input`, by which the data are checked; `None` does not.
        steps: the most batches; `None` is all of them.

    Raises:
        ValueError: if the data are not what the classifier reads, `batch_size` is not positive, or the stream
            never ends.
    """
    if is_stream(x):
        for element in batches(x, steps):
            yield batch_of(element[0] if isinstance(element, tuple) else element, expected)
        return
    check_whole("batch_size", batch_size, 1)
    x = read_arrays(x, expected)
    for begin in range(0, number_of_examples(x), batch_size)[:steps]:
        yield keras.tree.map_structure(lambda part, b=begin: _rows(part, b, b + batch_size), x)


def batch_of(x: Any, expected: Any = None) -> Any:
    """Returns one batch of inputs, of any form that `read_arrays` takes, as dense tensors."""
    arrays = read_arrays(x, expected, "each batch of x")
    return keras.tree.map_structure(lambda part: _rows(part, 0, part.shape[0]), arrays)


def inputs_of(x: Any) -> Any:
    """Returns the inputs of a data set or pipeline as arrays, for who reads them more than once.

    A pipeline that shuffles would give them in another order the second time.
    """
    if is_stream(x):
        return keras.tree.map_structure(
            lambda *parts: np.concatenate([part.numpy() for part in parts]), *input_batches(x, 1)
        )
    return x.inputs if isinstance(x, ExplanationDataset) else x


def input_structure(classifier: keras.Model) -> Any:
    """Returns the symbolic input of a classifier, in the structure in which it takes its data."""
    return classifier.inputs[0] if isinstance(classifier, keras.Sequential) else classifier.input


def number_of_examples(x: Any) -> int:
    """Returns the number of examples in what `read_arrays` returned."""
    return int(keras.tree.flatten(x)[0].shape[0])


def read_arrays(x: Any, expected: Any = None, name: str = "x") -> Any:
    """Returns inputs as arrays, one row an example.

    Args:
        x: for each input an array or tensor `(batch, …)`, a list of rows or of pictures, a table (with
            `to_numpy`, as pandas has it), or a sparse matrix; for several inputs a dict of these by name, or
            a list; a DataFrame, or a list of dicts, one a row, whose columns are the inputs, see
            `columns.input_name`; or an `ExplanationDataset`.
        expected: the classifier's `input`, whose structure the result has; `None` keeps that of `x`.
        name: of `x` in messages.

    Returns:
        NumPy arrays, tensors, or sparse matrices, of which `input_batches` makes dense batches.

    Raises:
        ValueError: if shapes, types or numbers of examples are not those that the classifier reads.
    """
    x = x.inputs if isinstance(x, ExplanationDataset) else x
    if is_table(x):
        x = _columns(x, expected)
    if x is None:
        raise ValueError(f"{name} is missing; give it what the classifier reads")
    if expected is None:
        arrays = keras.tree.map_structure(lambda part: _read(part, None, name), x)
    else:
        inputs = keras.tree.flatten(expected)  # of a dict in the order of its sorted keys
        keys = sorted(expected) if isinstance(expected, Mapping) else [one.name for one in inputs]
        if isinstance(x, Mapping):
            if missing := [key for key in keys if key not in x]:
                raise ValueError(f"{name} must hold the inputs {keys}, got {list(x)}; {missing} is missing")
            parts = [(x[key], f"{name}[{key!r}]") for key in keys]
        elif not keras.tree.is_nested(expected) or (
            len(inputs) == 1 and not isinstance(x, (list, tuple))  # Keras takes it without its list, too
        ):
            parts = [(x, name)]
        elif isinstance(x, (list, tuple)) and len(x) == len(inputs):
            parts = [(part, f"{name}[{place}]") for place, part in enumerate(x)]
        else:
            seen = f"{len(x)} parts" if isinstance(x, (list, tuple)) else type(x).__name__
            raise ValueError(f"{name} must hold the inputs {keys}, got {seen}")
        read = [_read(part, one, called) for (part, called), one in zip(parts, inputs, strict=True)]
        arrays = keras.tree.pack_sequence_as(expected, read)
    sizes = {int(part.shape[0]) for part in keras.tree.flatten(arrays)}
    if len(sizes) != 1:
        raise ValueError(f"the parts of {name} must have one row an example, got {sorted(sizes)} rows")
    return arrays


def _columns(table: Any, expected: Any) -> Any:
    """Returns the columns of a table by the inputs that read them; the table itself where none of it does."""
    inputs = {one.name: one for one in keras.tree.flatten(expected)}
    by_name = by_input(cells_by_column(table))
    if len(inputs) == 1 and not inputs.keys() & by_name.keys() and hasattr(table, "to_numpy"):
        return table  # a table of numbers, each row of which is one vector
    kinds = {"string": "category", "bool": "boolean"}
    arrays = {}
    for name, cells in by_name.items():
        kind = kind_of(cells)
        if kind != "list" and name in inputs:
            kind = kinds.get(inputs[name].dtype, "number")
        arrays[name] = to_array(cells, kind, name)
    return arrays


def _read(part: Any, expected: Any, name: str) -> Any:
    """Returns one input as an array, checked where it is known what is expected."""
    if isinstance(part, keras.KerasTensor) or tf.is_symbolic_tensor(part):
        raise ValueError(
            f"{name} is symbolic, of a graph that is being built, and holds no numbers yet; call this "
            "outside of tf.function and dataset.map, or use what model.export writes within a graph"
        )
    if hasattr(part, "tocsr"):
        part = part.tocsr()
    elif isinstance(part, tf.RaggedTensor):
        raise ValueError(f"{name} is a RaggedTensor; make its rows equally long with x.to_tensor()")
    elif hasattr(part, "to_numpy"):
        part = part.to_numpy()
    elif hasattr(part, "detach"):
        part = part.detach().cpu().numpy()
    elif isinstance(part, (list, tuple)):
        part = _stack(part, expected, name)
    elif isinstance(part, (str, bytes)):
        raise ValueError(f"{name} is a single text; give a list of texts, one an example, such as [{part!r}]")
    elif not hasattr(part, "shape"):
        part = np.asarray(part)
    if expected is None:
        return part
    part = _check_kind(part, expected, name)
    _check_shape(part.shape, expected.shape, name)
    return _of_rank(part, len(expected.shape))


def _of_rank(part: Any, rank: int) -> Any:
    """Adds or drops a last axis of one, as Keras would: a graph is traced for one of the two forms."""
    if len(part.shape) == rank or isinstance(part, tf.SparseTensor) or hasattr(part, "toarray"):
        return part
    return part[..., None] if len(part.shape) < rank else part[..., 0]


def _stack(rows: Sequence[Any], expected: Any, name: str) -> np.ndarray:
    if not rows and expected is not None:
        return np.zeros([size or 0 for size in (0, *expected.shape[1:])], "float32")
    try:
        return np.asarray(rows, object if rows and isinstance(rows[0], (str, bytes)) else None)
    except ValueError as error:
        shapes = list(dict.fromkeys(str(np.shape(row)) for row in rows))
        raise ValueError(
            f"{name} is a list of examples of different shapes, such as {' and '.join(shapes[:3])}; "
            "bring them to one, with keras.ops.image.resize for pictures"
        ) from error


def _check_kind(part: Any, expected: Any, name: str) -> Any:
    """Returns `part`, whose numbers or texts may be Python objects, as the kind that is expected."""
    wants_text = expected.dtype == "string"
    if isinstance(part, np.ndarray) and part.dtype == object and part.ndim:
        if wants_text:
            for row, text in enumerate(part.reshape(-1)):
                if not isinstance(text, (str, bytes)):
                    raise ValueError(f"{name} must be text, got {text!r} in place {row}")
            return part
        part = _stack(part.tolist(), expected, name)
    kind = np.dtype(part.dtype.as_numpy_dtype if isinstance(part.dtype, tf.DType) else part.dtype).kind
    is_text = kind in "USO"
    if wants_text != is_text or (not is_text and kind in "cMm"):
        wanted, seen = "text" if wants_text else f"numbers ({expected.dtype})", "text or other objects"
        raise ValueError(f"{name} must be {wanted}, got {seen if is_text else part.dtype}")
    return part.astype(object) if isinstance(part, np.ndarray) and kind == "U" else part


def _check_shape(seen: Any, expected: Any, name: str) -> None:
    """Raises a `ValueError` unless Keras would read the shape without guessing."""
    rows, one = list(seen), list(expected[1:])
    if len(seen) == len(expected) + 1 and seen[-1] == 1:
        rows = rows[:-1]  # Keras drops and adds a last axis of one
    elif len(seen) == len(one) and one[-1:] == [1]:
        rows = [*rows, 1]
    if rows and _fits(rows[1:], one):
        return
    wanted = "(" + ", ".join(["batch", *("any" if size is None else str(size) for size in one)])
    advice = ""
    if _fits(seen, one):
        advice = "; for one example give x[None], a batch of one"
        if name.startswith("each batch"):
            advice = "; make batches of the examples, as dataset.batch(32) does"
    raise ValueError(
        f"{name} must be {wanted}{',' if len(expected) == 1 else ''}), got {tuple(seen)}{advice}"
    )


def _fits(sizes: Sequence[int], expected: Sequence[int | None]) -> bool:
    return len(sizes) == len(expected) and all(
        wanted in (None, size) for size, wanted in zip(sizes, expected, strict=True)
    )


def _rows(part: Any, begin: int, end: int) -> tf.Tensor:
    """Returns a stretch of rows as a dense tensor."""
    if isinstance(part, tf.SparseTensor):
        rest = [0] * (part.shape.rank - 1)
        size = tf.concat([[end - begin], part.dense_shape[1:]], axis=0)
        return tf.sparse.to_dense(tf.sparse.slice(part, [begin, *rest], size))
    rows = part[begin:end]
    return tf.convert_to_tensor(rows.toarray() if hasattr(rows, "toarray") else rows)

"""What a classifier may be given: every usual form is read alike, and anything else refused in a sentence."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf import ExplanationDataset
from interpnet_tf.data.inputs import input_batches, read_arrays
from interpnet_tf.data.streams import is_read_once, is_stream, number_of_batches

ROWS = np.arange(20, dtype="float32").reshape(5, 4)
FEATURES = keras.KerasTensor((None, 4), name="features")
PICTURES = keras.KerasTensor((None, 2, 3, 3), name="pictures")
TEXT = keras.KerasTensor((None,), "string", name="text")
TOKENS = keras.KerasTensor((None, None), "int32", name="tokens")


class Table:
    """As pandas' tables are: with a shape, and `to_numpy`."""

    def __init__(self, values):
        self.values, self.shape = values, values.shape

    def __iter__(self):
        return iter(self.values)

    def to_numpy(self):
        return self.values


class Compressed:
    """As SciPy's sparse matrices are: sliced by rows, and dense on request."""

    def __init__(self, values):
        self.values, self.shape, self.dtype = values, values.shape, values.dtype

    def tocsr(self):
        return self

    def __getitem__(self, rows):
        return Compressed(self.values[rows])

    def toarray(self):
        return self.values


class Tensor:
    """As PyTorch's tensors are."""

    def __init__(self, values):
        self.values, self.shape = values, values.shape

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self.values


class Batches(keras.utils.PyDataset):
    """`ROWS` in batches of two, over and over where they are endless."""

    def __init__(self, endless=False):
        super().__init__()
        self.endless = endless

    @property
    def num_batches(self):
        return None if self.endless else 3

    def __getitem__(self, index):
        return (ROWS[2 * (index % 3) : 2 * (index % 3) + 2], "not read")


def generator():
    yield ROWS[:3]
    yield ROWS[3:]


SLICES = tf.data.Dataset.from_tensor_slices(ROWS)
DATASET = ExplanationDataset(ROWS, np.zeros(5), ["crow"], [[]] * 5, list("abcde"))


@pytest.mark.parametrize(
    "x",
    [
        ROWS,
        ROWS.astype("float64"),
        ROWS.astype("uint8"),
        ROWS.astype(object),
        ROWS.tolist(),
        list(ROWS),
        tuple(map(tuple, ROWS)),
        tf.constant(ROWS),
        tf.sparse.from_dense(ROWS),
        Table(ROWS),
        Table(ROWS.astype(object)),
        Compressed(ROWS),
        Tensor(ROWS),
        ROWS[:, :, None],
        {"features": ROWS, "unused": [1]},
        DATASET,
        SLICES.batch(2),
        SLICES.batch(4).map(lambda part: (part, 1)),
        tf.data.Dataset.from_tensor_slices(tf.sparse.from_dense(ROWS)).batch(2),
        Batches(),
        generator,
    ],
    ids=lambda x: type(x).__name__,
)
def test_every_form_gives_the_rows_in_order(x):
    x = x() if callable(x) and not hasattr(x, "shape") and not isinstance(x, keras.utils.PyDataset) else x
    parts = list(input_batches(x, 2, FEATURES))
    assert max(len(part) for part in parts) <= 4
    assert all(isinstance(part, tf.Tensor) for part in parts)
    np.testing.assert_array_equal(
        tf.concat([tf.cast(part, tf.float32) for part in parts], 0).numpy().reshape(5, 4), ROWS
    )


def test_the_last_batch_may_be_smaller_and_steps_end_it():
    assert [len(part) for part in input_batches(ROWS, 2, FEATURES)] == [2, 2, 1]
    assert [len(part) for part in input_batches(ROWS, 2, FEATURES, steps=2)] == [2, 2]
    assert [len(part) for part in input_batches(SLICES.batch(2).repeat(), 9, FEATURES, steps=4)] == [
        2,
        2,
        1,
        2,
    ]
    assert [len(part) for part in input_batches(Batches(endless=True), 9, FEATURES, steps=4)] == [2, 2, 1, 2]


@pytest.mark.parametrize("empty", [ROWS[:0], [], SLICES.take(0).batch(2)], ids=["array", "list", "pipeline"])
def test_no_example_is_no_batch(empty):
    assert list(input_batches(empty, 2, FEATURES)) == []


def test_pictures_in_a_list():
    pictures = np.arange(36, dtype="uint8").reshape(2, 2, 3, 3)
    np.testing.assert_array_equal(read_arrays(list(pictures), PICTURES), pictures)


def test_text_in_every_form():
    for x in (["a", "ü"], np.array(["a", "ü"]), np.array(["a", "ü"], object), tf.constant(["a", "ü"])):
        (part,) = input_batches(x, 2, TEXT)
        assert [text.decode() for text in part.numpy()] == ["a", "ü"]


@pytest.mark.parametrize("shape", [(5,), (5, 1), (5, 1, 1)])
def test_a_last_axis_of_one_is_added_or_dropped(shape):
    """So that the graph that is traced for one form serves the other."""
    x = np.arange(5, dtype="float32").reshape(shape)
    for read_by in (keras.KerasTensor((None, 1)), keras.KerasTensor((None,))):
        if len(shape) - len(read_by.shape) < 2:
            (part,) = input_batches(x, 5, read_by)
            np.testing.assert_array_equal(part, np.arange(5).reshape(5, *read_by.shape[1:]))


@pytest.mark.parametrize(
    "x", [[ROWS, ROWS[:, :2]], (ROWS, ROWS[:, :2]), {"b": ROWS[:, :2], "features": ROWS}]
)
@pytest.mark.parametrize("structure", [list, dict])
def test_several_inputs_by_name_or_in_order(x, structure):
    other = keras.KerasTensor((None, 2), name="b")
    expected = [FEATURES, other] if structure is list else {"b": other, "features": FEATURES}
    if structure is dict and not isinstance(x, dict):
        x = x[::-1]  # in the order of the names
    arrays = read_arrays(x, expected)
    assert isinstance(arrays, structure)
    by_name = arrays if structure is dict else {"features": arrays[0], "b": arrays[1]}
    np.testing.assert_array_equal(by_name["features"], ROWS)
    np.testing.assert_array_equal(by_name["b"], ROWS[:, :2])


@pytest.mark.parametrize("x", [ROWS, [ROWS], {"features": ROWS}])
def test_a_list_of_one_input(x):
    """`keras.Model([features], …)`, and any model of one input that Keras before 3.11 read from a file."""
    (array,) = read_arrays(x, [FEATURES])
    np.testing.assert_array_equal(array, ROWS)


TWO = [FEATURES, keras.KerasTensor((None, 2), name="b")]


@pytest.mark.parametrize(
    ("x", "expected", "message"),
    [
        (ROWS[0], FEATURES, r"x must be \(batch, 4\), got \(4,\); for one example give x\[None\]"),
        (ROWS[0].tolist(), FEATURES, r"x must be \(batch, 4\), got \(4,\); for one"),
        (ROWS[:, :3], FEATURES, r"x must be \(batch, 4\), got \(5, 3\)$"),
        (np.zeros((2, 3, 3)), PICTURES, r"x must be \(batch, 2, 3, 3\), got \(2, 3, 3\); for one"),
        (np.zeros((5, 2, 3)), PICTURES, r"x must be \(batch, 2, 3, 3\), got \(5, 2, 3\)$"),
        (
            [np.zeros((2, 3, 3)), np.zeros((4, 3, 3))],
            PICTURES,
            r"different shapes, such as \(2, 3, 3\) and \(4, 3, 3\)",
        ),
        ([1, 2], TOKENS, r"x must be \(batch, any\), got \(2,\); for one"),
        (3.0, FEATURES, r"got \(\)$"),
        (None, FEATURES, "x is missing"),
        (["a", "b"], FEATURES, r"x must be numbers \(float32\), got text"),
        ("a", TEXT, r"x is a single text; give a list of texts, one an example, such as \['a'\]"),
        (["a", None], TEXT, "x must be text, got None in place 1"),
        (ROWS, TEXT, "x must be text, got float32"),
        (ROWS.astype(complex), FEATURES, "got complex128"),
        (np.array([[None] * 4]), FEATURES, "got text or other objects"),
        (tf.ragged.constant([[1.0], [2.0, 3.0]]), FEATURES, r"x is a RaggedTensor.*to_tensor\(\)"),
        (SLICES, FEATURES, r"each batch of x must be \(batch, 4\), got \(4,\); make batches.*batch\(32\)"),
        (SLICES.batch(2).repeat(), FEATURES, r"never end.*take\(10\)"),
        (Batches(endless=True), FEATURES, "never end"),
        ([ROWS], TWO, r"must hold the inputs \['features', 'b'\], got 1 parts"),
        (ROWS, TWO, "got ndarray"),
        ({"features": ROWS}, TWO, r"\['b'\] is missing"),
        ([ROWS, ROWS[:2, :2]], TWO, r"one row an example, got \[2, 5\] rows"),
        ([ROWS, ROWS], TWO, r"x\[1\] must be \(batch, 2\), got \(5, 4\)"),
    ],
)
def test_what_is_no_input_is_refused(x, expected, message):
    with pytest.raises(ValueError, match=message):
        list(input_batches(x, 2, expected))


@pytest.mark.parametrize("batch_size", [0, -1, None, 2.5])
def test_batch_size_is_a_number(batch_size):
    with pytest.raises(ValueError, match=f"batch_size must be (a whole number|at least 1), got {batch_size}"):
        list(input_batches(ROWS, batch_size))


def test_streams():
    for stream, count in (
        (SLICES.batch(2), 3),
        (SLICES.repeat(), np.inf),
        (SLICES.filter(lambda _: True), None),
        (Batches(), 3),
        (Batches(endless=True), np.inf),
        (generator(), None),
    ):
        assert is_stream(stream)
        assert number_of_batches(stream) == count
    assert is_read_once(generator())
    assert not is_read_once(SLICES)
    assert not any(
        map(is_stream, (ROWS, [ROWS], {"a": ROWS}, "text", Table(ROWS), tf.constant(ROWS), None, DATASET))
    )

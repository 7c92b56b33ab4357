"""Tests of `interpnet_tf.data.dataset`."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from interpnet_tf.data.dataset import ExplanationDataset

SENTENCES = [["a.", "b."], [], ["c."], [], ["d.", "e.", "f."]]


def make(inputs, explanations=SENTENCES, labels=None):
    count = len(explanations)
    return ExplanationDataset(
        inputs=inputs,
        labels=[0] * count if labels is None else labels,
        class_names=["crow", "gull"],
        explanations=explanations,
        ids=[f"{i}.jpg" for i in range(count)],
    )


def as_lists(sentences):
    return [[text.decode() for text in row] for row in sentences.to_list()]


@pytest.mark.parametrize(
    "inputs",
    [
        np.arange(5 * 2 * 2 * 3, dtype="uint8").reshape(5, 2, 2, 3),
        np.arange(20, dtype="float32").reshape(5, 4),
    ],
    ids=["images", "features"],
)
def test_batches_keep_inputs_and_sentences_together(inputs):
    batches = list(make(inputs).to_tf(batch_size=2))

    assert [len(x) for x, _ in batches] == [2, 2, 1]
    for x, sentences in batches:
        assert isinstance(x, tf.Tensor)
        assert isinstance(sentences, tf.RaggedTensor)
        assert sentences.dtype == tf.string
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), inputs)
    assert batches[0][0].dtype == inputs.dtype
    assert [row for _, y in batches for row in as_lists(y)] == SENTENCES


def test_batches_of_dict_inputs():
    inputs = {"image": np.arange(5, dtype="uint8")[:, None], "size": np.arange(5, dtype="float32")}
    batches = list(make(inputs).to_tf(batch_size=3))
    assert set(batches[0][0]) == {"image", "size"}
    np.testing.assert_array_equal(batches[1][0]["image"], [[3], [4]])
    np.testing.assert_array_equal(batches[1][0]["size"], [3.0, 4.0])


def test_batches_declare_the_shape_of_inputs():
    inputs, sentences = make(np.zeros((5, 4), "float32")).to_tf(2).element_spec
    assert inputs.shape.as_list() == [None, 4]
    assert sentences.shape.as_list() == [None, None]


def test_batches_without_any_sentence():
    dataset = make(np.zeros((3, 4), "float32"), [[], [], []])
    (_, sentences), *rest = dataset.to_tf(batch_size=4)
    assert rest == []
    assert sentences.to_list() == [[], [], []]
    assert sentences.dtype == tf.string


def test_an_empty_data_set_has_no_batch():
    assert list(make(np.zeros((0, 4), "float32"), []).to_tf(shuffle=True)) == []


def test_shuffle_changes_the_order_each_epoch_and_obeys_the_seed():
    values = np.arange(50, dtype="float32")
    dataset = make(values, [[str(i)] for i in range(50)])

    def epochs(seed):
        pipeline = dataset.to_tf(batch_size=8, shuffle=True, seed=seed)
        return [np.concatenate([x for x, _ in pipeline]).tolist() for _ in range(2)]

    first, second = epochs(seed=1)
    assert sorted(first) == sorted(second) == values.tolist()
    assert first != second
    assert epochs(seed=1) == [first, second]
    assert epochs(seed=2) != [first, second]

    for x, sentences in dataset.to_tf(batch_size=8, shuffle=True):
        assert [[str(int(value))] for value in x] == as_lists(sentences)


def test_subset_by_indices_and_by_mask():
    dataset = make(np.arange(5), labels=[0, 1, 0, 1, 0])
    part = dataset.subset([4, 1])
    assert part.inputs.tolist() == [4, 1]
    assert part.labels.tolist() == [0, 1]
    assert part.explanations == [["d.", "e.", "f."], []]
    assert part.ids == ["4.jpg", "1.jpg"]
    assert dataset.subset(np.array([False, True, False, False, True])).ids == ["1.jpg", "4.jpg"]


def test_explained_leaves_out_examples_without_sentences():
    assert make({"a": np.arange(5)}).explained().inputs["a"].tolist() == [0, 2, 4]


@given(
    examples=st.lists(st.tuples(st.integers(0, 1), st.booleans()), min_size=1, max_size=60),
    fraction=st.floats(0.01, 0.99),
    seed=st.integers(0, 5),
)
def test_split_divides_every_group_in_proportion(examples, fraction, seed):
    dataset = make(
        np.arange(len(examples)),
        [["a."] if has else [] for _, has in examples],
        [label for label, _ in examples],
    )
    first, second = dataset.split(fraction, seed)

    assert sorted(first.ids + second.ids) == sorted(dataset.ids)
    for group in set(examples):
        members = {f"{i}.jpg" for i, example in enumerate(examples) if example == group}
        assert abs(len(members & set(second.ids)) - fraction * len(members)) <= 0.5
    assert first.inputs.tolist() == sorted(first.inputs)
    assert dataset.split(fraction, seed)[1].ids == second.ids


def test_split_needs_a_fraction():
    with pytest.raises(ValueError, match=r"between 0 and 1, got 1\.5"):
        make(np.arange(5)).split(1.5)


def test_parts_of_different_length_are_an_error():
    with pytest.raises(ValueError, match="'inputs': 4"):
        make(np.arange(4))
    with pytest.raises(ValueError, match="'b': 3"):
        make({"a": np.arange(5), "b": np.arange(3)})


@pytest.mark.parametrize("label", [-1, 2])
def test_a_label_that_is_no_class_is_an_error(label):
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.1 "):
        make(np.arange(5), labels=[0, 0, 0, 0, label])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0.9, 1.7, 0.2, 0, 0], r"whole numbers from 0, got \[0\.9, 1\.7, 0\.2, 0\.0, 0\.0\]"),
        ([float("nan"), 0, 0, 0, 0], "whole numbers from 0, got"),
        ([float("inf"), 0, 0, 0, 0], "whole numbers from 0, got"),
        (["crow"] * 5, r"make ids of names with class_names\.index"),
        ([None] * 5, "whole numbers from 0"),
        (np.eye(5), r"got \(5, 5\); make ids of one-hot labels"),
        ([2**32, 0, 0, 0, 0], r"got 0\.\.4294967296"),
        ([0, 0, 0, 0, -(2**32)], r"got -4294967296\.\.0"),
    ],
)
def test_labels_that_are_no_class_ids_are_refused(labels, message):
    """And not cut off to some class."""
    with pytest.raises(ValueError, match=message):
        make(np.arange(5), labels=labels)


@pytest.mark.parametrize(
    "labels", [[0.0, 1.0, 0.0, 1.0, 1.0], [False, True, False, True, True], [[0], [1], [0], [1], [1]]]
)
def test_labels_of_other_types_are_taken_where_they_are_whole(labels):
    dataset = make(np.arange(5), labels=labels)
    assert dataset.labels.tolist() == [0, 1, 0, 1, 1]
    assert dataset.labels.dtype == "int32"

"""Batches: nothing lost, nothing twice, an order that can be taken up again, little padding."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpnet_tf.data.pipeline import LabelledBatches, MixedBatches, SeededBatches
from interpnet_tf.data.sentence_batches import SentenceBatches

START, END, PAD = 1, 2, 0


def sentence_batches(lengths, batch_size=4, shuffle=True, seed=0) -> SentenceBatches:
    """Sentence number i consists of the id 10 + i, and belongs to example i // 2."""
    sentences = [np.full(length, 10 + index) for index, length in enumerate(lengths)]
    owners = np.arange(len(lengths)) // 2
    r = np.arange(owners[-1] + 1, dtype="float32")[:, None] * [1, -1]
    return SentenceBatches(r.astype("float32"), owners, sentences, START, END, PAD, batch_size, shuffle, seed)


def rows(batches: SeededBatches, epoch: int) -> list[list[int]]:
    batches.epoch = epoch
    return [batch.tolist() for batch in batches.draw()]


@given(
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=60),
    batch_size=st.integers(1, 9),
    shuffle=st.booleans(),
    epoch=st.integers(0, 5),
)
def test_every_sentence_exactly_once_an_epoch(lengths, batch_size, shuffle, epoch):
    batches = sentence_batches(lengths, batch_size, shuffle)
    batches._POOL = 3  # so that short lists are cut into several stretches too
    drawn = rows(batches, epoch)
    assert sorted(row for batch in drawn for row in batch) == list(range(len(lengths)))
    assert len(drawn) == len(batches) == -(-len(lengths) // batch_size)
    assert max(map(len, drawn)) <= batch_size


def test_batch_by_hand():
    batches = sentence_batches([2, 1, 0, 3])
    inputs, targets = batches.batch(np.array([2, 0]))
    assert inputs["tokens"].tolist() == [[START, END, PAD], [START, 10, 10]]
    assert targets.tolist() == [[END, PAD, PAD], [10, 10, END]]
    assert inputs["r"].tolist() == [[1, -1], [0, 0]]  # examples 2 // 2 and 0 // 2


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_targets_are_the_tokens_shifted(lengths):
    for inputs, targets in sentence_batches(lengths):
        tokens = inputs["tokens"]
        assert (tokens[:, 0] == START).all()
        went_on = targets[:, :-1] != END
        np.testing.assert_array_equal(targets[:, :-1][went_on], tokens[:, 1:][went_on])
        assert ((targets == END).sum(axis=1) == 1).all()
        ended = np.cumsum(targets == END, axis=1) - (targets == END) > 0
        assert (targets[ended] == PAD).all()
        assert (targets[~ended] != PAD).all()
        assert (~ended).all(axis=1).any()  # no longer than the longest sentence needs


@pytest.mark.parametrize("kind", ["labelled", "sentences"])
def test_order_depends_on_seed_and_epoch_only(kind):
    def make(seed):
        if kind == "sentences":
            return sentence_batches([3] * 20, seed=seed)
        return LabelledBatches(np.zeros((20, 2)), np.zeros(20, "int32"), 4, seed=seed)

    batches = make(seed=0)
    epochs = [rows(batches, epoch) for epoch in range(4)]
    assert rows(make(seed=0), 3) == epochs[3]
    assert rows(batches, 1) == epochs[1]
    assert len({str(epoch) for epoch in epochs}) == 4
    assert rows(make(seed=1), 0) != epochs[0]


def test_unshuffled_epochs_are_alike():
    batches = LabelledBatches(np.zeros((5, 2)), np.zeros(5, "int32"), 2, shuffle=False)
    assert rows(batches, 0) == rows(batches, 7) == [[0, 1], [2, 3], [4]]
    sentences = sentence_batches([3, 1, 2], batch_size=2, shuffle=False)
    assert rows(sentences, 0) == rows(sentences, 7) == [[1, 2], [0]]


def test_sentences_of_similar_length_share_a_batch():
    lengths = np.random.default_rng(0).integers(5, 30, 3200)
    padded = real = 0
    for _, targets in sentence_batches(lengths, batch_size=32):
        padded, real = padded + targets.size, real + (targets != PAD).sum()
    assert real == (lengths + 1).sum()
    assert real / padded > 0.98  # batches of the bare shuffled order would be 60 % full


def test_labelled_batches_of_several_inputs():
    inputs = {"a": np.arange(6.0).reshape(3, 2), "b": np.array([7, 8, 9])}
    batches = LabelledBatches(inputs, np.array([0, 1, 2]), 2, shuffle=False)
    (first, labels), _ = batches
    assert first["a"].tolist() == [[0, 1], [2, 3]]
    assert first["b"].tolist() == [7, 8]
    assert labels.tolist() == [0, 1]
    for of_python, of_tf in zip(batches, batches.to_tf(), strict=True):
        keras.tree.map_structure(np.testing.assert_array_equal, of_python, of_tf)


def test_mixed_batches_are_blends_of_two_examples():
    inputs, labels = np.eye(12, dtype="float32")[:, :, None], np.arange(12) % 3
    batches = MixedBatches(inputs, labels, 3, mixup=1.0, batch_size=6)
    for blended, targets in batches:
        shares = blended[:, :, 0]
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
        assert ((shares > 0).sum(axis=1) <= 2).all()
        assert ((shares > 0).sum(axis=1) == 2).any()
        np.testing.assert_allclose(targets, shares @ np.eye(3)[labels], rtol=1e-5)
    for of_python, of_tf in zip(batches, batches.to_tf(), strict=True):
        keras.tree.map_structure(np.testing.assert_array_equal, of_python, of_tf)


def test_mixed_batches_without_a_blend():
    pictures = np.arange(12, dtype="uint8").reshape(3, 4)
    ((inputs, targets),) = MixedBatches({"a": pictures}, np.array([0, 2, 1]), 3, mixup=0.0, shuffle=False)
    np.testing.assert_array_equal(inputs["a"], pictures)
    np.testing.assert_array_equal(targets, [[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    with pytest.raises(ValueError, match="mixup must be at least 0, got -1"):
        MixedBatches(pictures, np.zeros(3, "int32"), 3, mixup=-1)


def test_pipeline_equals_the_batches():
    batches = sentence_batches([3, 1, 2, 5, 4])
    pipeline = batches.to_tf()
    assert int(pipeline.cardinality()) == len(batches) == 2
    for epoch in (0, 1):
        batches.epoch = epoch
        for of_python, of_tf in zip(batches, pipeline, strict=True):
            keras.tree.map_structure(np.testing.assert_array_equal, of_python, of_tf)


def test_pipeline_is_not_tuned():
    # The tuner holds an epoch back that has ended, for as long as the epoch took.
    assert sentence_batches([2, 1]).to_tf().options().autotune.enabled is False


def test_fit_draws_the_epoch_that_it_trains():
    """However far the pipeline runs ahead, and from whatever epoch the training goes on."""
    drawn = []

    class Recording(LabelledBatches):
        def draw(self):
            drawn.append(self.epoch)
            return super().draw()

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    batches = Recording(np.zeros((4, 2), "float32"), np.zeros(4, "int32"), batch_size=4)
    pipeline = batches.to_tf()
    drawn.clear()
    model.fit(
        pipeline, epochs=6, initial_epoch=3, shuffle=False, verbose=0, callbacks=[batches.follow_epochs()]
    )
    assert drawn == [3, 4, 5]


@pytest.mark.parametrize(
    ("size", "batch_size", "message"),
    [(0, 2, "the data set is empty"), (2, 0, "batch_size must be at least 1")],
)
def test_errors(size, batch_size, message):
    with pytest.raises(ValueError, match=message):
        LabelledBatches(np.zeros((size, 2)), np.zeros(size), batch_size)

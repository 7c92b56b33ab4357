"""Networks that read sentences."""

import keras
import numpy as np
import pytest

from interpnet_tf import ExplanationTokenizer
from interpnet_tf.language.sentence_models import (
    MeanOverWords,
    SentenceLSTM,
    language_model,
    sentence_classifier,
)
from interpnet_tf.training.sentence_training import (
    LabelledSentences,
    class_vectors,
    sentence_accuracy,
    train_sentence_model,
)


@pytest.fixture(scope="module")
def tokenizer(birds) -> ExplanationTokenizer:
    return ExplanationTokenizer().adapt(birds.explanations)


def test_the_lstm_is_that_of_keras():
    words = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    ours, theirs = SentenceLSTM(4), keras.layers.LSTM(4, return_sequences=True)
    ours.build((None, None, 3))
    theirs.build((None, None, 3))
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(words), theirs(words), atol=1e-6)


def test_mean_over_words_leaves_out_end_and_padding():
    states = np.arange(8, dtype="float32").reshape(2, 4, 1)
    ids = np.array([[5, 6, 2, 0], [2, 0, 0, 0]])
    np.testing.assert_allclose(MeanOverWords()([states, ids]), [[0.5], [0.0]])


def test_batches_hold_every_sentence_with_its_class(birds, tokenizer):
    batches = LabelledSentences(birds, tokenizer, batch_size=4, shuffle=True)
    pairs = [
        (tuple(row[row > 0]), label)
        for ids, labels in batches
        for row, label in zip(ids, labels, strict=True)
    ]
    expected = [
        (*tokenizer.tokenize([sentence]).to_list()[0], tokenizer.end_id)
        for sentences in birds.explanations
        for sentence in sentences
    ]
    owners = [label for label, of in zip(birds.labels, birds.explanations, strict=True) for _ in of]
    assert sorted(pairs) == sorted(zip(expected, owners, strict=True))


def test_a_classifier_learns_which_class_a_sentence_speaks_of(birds, valid_birds, tokenizer, tmp_path):
    model = sentence_classifier(tokenizer.vocabulary_size, 3, embedding_dim=8, units=8, dropout=0.1, seed=0)
    options = {"epochs": 6, "batch_size": 4, "learning_rate": 0.03}
    history = train_sentence_model(model, tokenizer, birds, valid_birds, directory=tmp_path, **options)
    assert sentence_accuracy(model, tokenizer, valid_birds) == pytest.approx(
        max(logs["val_accuracy"] for logs in history)
    )
    assert sentence_accuracy(model, tokenizer, valid_birds) > 0.9
    # A finished training is read from its checkpoints.
    again = sentence_classifier(tokenizer.vocabulary_size, 3, embedding_dim=8, units=8, dropout=0.1, seed=1)
    assert (
        train_sentence_model(again, tokenizer, birds, valid_birds, directory=tmp_path, **options) == history
    )
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_a_language_model_learns_the_next_word(birds, valid_birds, tokenizer):
    model = language_model(tokenizer.vocabulary_size, embedding_dim=8, units=16, dropout=0.0, seed=0)
    options = {"epochs": 12, "batch_size": 4, "learning_rate": 0.03}
    history = train_sentence_model(model, tokenizer, birds, valid_birds, **options)
    assert history[-1]["val_loss"] < 0.5 * history[0]["val_loss"]
    said = tokenizer.tokenize(["this bird is black."]).numpy()
    assert np.asarray(model(said[:, :3]))[0, -1].argmax() == said[0, 3]


def test_class_vectors_are_means_over_words_then_sentences(birds, tokenizer):
    model = language_model(tokenizer.vocabulary_size, embedding_dim=8, units=4, seed=0)
    states = keras.Model(model.input, model.get_layer("states").output)

    def vector(sentence):
        ids = tokenizer.tokenize([sentence]).numpy()
        return np.asarray(states(np.concatenate([[[tokenizer.start_id]], ids], axis=1)))[0, 1:].mean(axis=0)

    crows = birds.subset(birds.labels == 0)
    vectors = class_vectors(model, tokenizer, crows)
    expected = np.mean([vector(s) for sentences in crows.explanations for s in sentences], axis=0)
    assert vectors.shape == (3, 4)
    np.testing.assert_allclose(vectors[0], expected, atol=1e-6)
    np.testing.assert_allclose(vectors[1], expected, atol=1e-6)  # no sentence: the mean of the others
